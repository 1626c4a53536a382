/**
 * The deprecated `Peers` field: a msgpack array of the voters' addresses, which
 * a reader of version 0 takes for the configuration. Written as Go does, by
 * `encodePeers` in `configuration.go` with go-msgpack's old spec: strings are
 * raw (no str8, no bin).
 *
 * @module
 */

import type { SnapshotCorruptError } from "../../errors.ts";
import type { Configuration, Server } from "../types.ts";
import { corruptMeta } from "./corrupt_meta.ts";

const NIL = 0xc0;

/** How msgpack writes the length of a kind: in the tag, or in bytes after it. */
interface LengthTags {
  readonly fix: number;
  readonly fixCount: number;
  readonly u16: number;
  readonly u32: number;
}

const RAW: LengthTags = { fix: 0xa0, fixCount: 32, u16: 0xda, u32: 0xdb };
const ARRAY: LengthTags = { fix: 0x90, fixCount: 16, u16: 0xdc, u32: 0xdd };

/** The `Peers` bytes of a configuration. */
export function encodePeers(configuration: Configuration): Uint8Array {
  const addresses = configuration.servers
    .filter((server) => server.suffrage === "voter")
    .map((server) => new TextEncoder().encode(server.address));
  // Go appends to a nil slice, and a nil slice is written as nil.
  if (addresses.length === 0) return Uint8Array.of(NIL);
  const parts = [encodeLength(ARRAY, addresses.length)];
  for (const address of addresses) {
    parts.push(encodeLength(RAW, address.length), address);
  }
  return concat(parts);
}

/**
 * The configuration that the `Peers` of a version 0 snapshot stands for: every
 * address is a voter whose ID is its address, as in Go's `decodePeers`.
 *
 * @throws {SnapshotCorruptError} when the bytes are not an array of strings.
 */
export function decodePeers(peers: Uint8Array): Configuration {
  const reader = new PeersReader(peers);
  const servers: Server[] = [];
  for (let left = reader.arrayLength(); left > 0; left--) {
    const address = reader.string();
    servers.push({ suffrage: "voter", id: address, address });
  }
  return { servers };
}

function encodeLength(tags: LengthTags, length: number): Uint8Array {
  if (length < tags.fixCount) return Uint8Array.of(tags.fix | length);
  if (length <= 0xffff) {
    return Uint8Array.of(tags.u16, length >>> 8, length & 0xff);
  }
  const bytes = new Uint8Array(5);
  bytes[0] = tags.u32;
  new DataView(bytes.buffer).setUint32(1, length);
  return bytes;
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const total = parts.reduce((sum, part) => sum + part.length, 0);
  const bytes = new Uint8Array(total);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Reads the few msgpack forms that occur, checking each length it meets. */
class PeersReader {
  readonly #bytes: Uint8Array;
  readonly #text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** An array's length; nil is an empty array. */
  arrayLength(): number {
    const at = this.#at;
    const tag = this.#number(1);
    if (tag === NIL) return 0;
    const length = this.#length(ARRAY, tag);
    // Every element takes a byte at least, so a false length can't cause a long
    // loop.
    if (length === undefined || length > this.#bytes.length) {
      throw corruptPeers(at, { expected: "an array of addresses" });
    }
    return length;
  }

  /** A string; nil is an empty one. */
  string(): string {
    const at = this.#at;
    const tag = this.#number(1);
    if (tag === NIL) return "";
    const length = this.#length(RAW, tag) ?? this.#modernLength(tag);
    if (length === undefined || this.#at + length > this.#bytes.length) {
      throw corruptPeers(at, { expected: "an address" });
    }
    const raw = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    try {
      return this.#text.decode(raw);
    } catch (cause) {
      throw corruptPeers(at, { expected: "an address in UTF-8", cause });
    }
  }

  #length(tags: LengthTags, tag: number): number | undefined {
    if (tag >= tags.fix && tag < tags.fix + tags.fixCount) {
      return tag - tags.fix;
    }
    if (tag === tags.u16) return this.#number(2);
    if (tag === tags.u32) return this.#number(4);
    return undefined;
  }

  /** str8, bin8, bin16, bin32: Go reads them, though it does not write them. */
  #modernLength(tag: number): number | undefined {
    if (tag === 0xd9 || tag === 0xc4) return this.#number(1);
    if (tag === 0xc5) return this.#number(2);
    if (tag === 0xc6) return this.#number(4);
    return undefined;
  }

  /** A big-endian number of so many bytes. */
  #number(width: number): number {
    let value = 0;
    for (let i = 0; i < width; i++) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined) {
        throw corruptPeers(this.#at, { expected: "more bytes" });
      }
      value = value * 256 + byte;
      this.#at++;
    }
    return value;
  }
}

function corruptPeers(
  at: number,
  details: { readonly expected: string; readonly cause?: unknown },
): SnapshotCorruptError {
  const actual = `other data at byte ${at} of the field`;
  return corruptMeta("the Peers field", { actual, ...details });
}
