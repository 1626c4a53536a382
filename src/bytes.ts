/**
 * What counts as bytes, and as a `Uint8Array`.
 *
 * @module
 */

/** Whether a value is a chunk of bytes: any view, or a whole buffer. */
export function isBytes(
  value: unknown,
): value is ArrayBufferView | ArrayBuffer | SharedArrayBuffer {
  return ArrayBuffer.isView(value) || value instanceof ArrayBuffer ||
    isSharedBuffer(value);
}

/** The bytes of a chunk, without a copy. @throws {TypeError} for others. */
export function toBytes(chunk: unknown, target: string): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk;
  if (ArrayBuffer.isView(chunk)) {
    return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  }
  if (chunk instanceof ArrayBuffer || isSharedBuffer(chunk)) {
    return new Uint8Array(chunk);
  }
  const found = chunk === null ? "null" : typeof chunk;
  throw new TypeError(
    `Cannot write to ${target}: found ${found}, ` +
      "expected an ArrayBufferView or ArrayBuffer",
  );
}

/**
 * The bytes as a plain `Uint8Array` that has its buffer to itself, so that
 * whoever gets it may do with it what they like. They are copied if need be.
 */
export function ownBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer, byteLength } = bytes;
  return buffer instanceof ArrayBuffer && buffer.byteLength === byteLength
    ? new Uint8Array(buffer)
    : new Uint8Array(bytes);
}

/** A browser or runtime may hide the constructor. */
function isSharedBuffer(value: unknown): value is SharedArrayBuffer {
  return typeof SharedArrayBuffer !== "undefined" &&
    value instanceof SharedArrayBuffer;
}
