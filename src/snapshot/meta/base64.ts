/**
 * Padded standard base64, as Go's `encoding/json` writes a `[]byte`. Not
 * `Uint8Array.prototype.toBase64`: Node 20 and 22 lack it.
 *
 * @module
 */

/** How many bytes become arguments of one call: far below any engine's limit. */
const CHUNK_BYTES = 8_192;

/** Encodes bytes. */
export function encodeBase64(bytes: Uint8Array): string {
  let binary = "";
  for (let start = 0; start < bytes.length; start += CHUNK_BYTES) {
    const chunk = bytes.subarray(start, start + CHUNK_BYTES);
    binary += String.fromCharCode(...chunk);
  }
  return btoa(binary);
}

/**
 * Decodes text, or gives `undefined` where Go's `base64.StdEncoding` fails.
 * `atob` alone is laxer than Go: it takes missing padding and spaces. Like Go,
 * this passes over line ends.
 */
export function decodeBase64(text: string): Uint8Array | undefined {
  const packed = text.replace(/[\r\n]/g, "");
  if (packed.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(packed)) {
    return undefined;
  }
  const binary = atob(packed);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}
