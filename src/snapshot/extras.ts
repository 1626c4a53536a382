/**
 * Small files that a snapshot carries beside its state, for the parts of this
 * library that know them. The writer of a snapshot adds them to its sink
 * before it closes the sink; code that copies a snapshot must read them from the
 * old store and add them to the new sink. Not every store keeps them.
 *
 * @module
 */

import { crc64 } from "../crc64/mod.ts";
import { SnapshotCorruptError } from "../errors.ts";

/** Describes the archive of an imported snapshot; see `archive/origin.ts`. */
export const ORIGIN: ExtraName = "archive.origin";

/** All names. */
export type ExtraName = "archive.origin";

/** The longest file of each name in bytes: a longer one is not read. */
export const EXTRA_SIZES_MAX: Readonly<Record<ExtraName, number>> = {
  [ORIGIN]: 2 * 1024 * 1024,
};

/** A file that a snapshot carries; its last 8 bytes are a CRC-64. */
export interface Extra {
  /** Its name, beside `state.bin`. */
  readonly name: ExtraName;
  /** Its exact bytes. */
  readonly bytes: Uint8Array;
}

/** Makes the file at publication, when the source has been read to its end. */
export type MakeExtra = () => Extra | undefined;

/**
 * Resolves to the file's exact bytes, or to `undefined` when the file is
 * missing.
 */
export type ReadExtra = (
  id: string,
  name: ExtraName,
) => Promise<Uint8Array | undefined>;

// Not members of the public classes, because users do not need them.
const sinks = new WeakMap<object, (make: MakeExtra) => void>();
const stores = new WeakMap<object, ReadExtra>();

/** Declares that the snapshots of this sink can carry a file. */
export function acceptExtra(
  sink: object,
  add: (make: MakeExtra) => void,
): void {
  sinks.set(sink, add);
}

/** Gives the snapshot of an open sink a file; `false` when it can't carry one. */
export function addExtra(sink: object, make: MakeExtra): boolean {
  const add = sinks.get(sink);
  add?.(make);
  return add !== undefined;
}

/** Registers how to read the files that this store's snapshots carry. */
export function offerExtras(store: object, read: ReadExtra): void {
  stores.set(store, read);
}

/** Reads a file of a snapshot; `undefined` when the store has no such file. */
export async function readExtra(
  store: object,
  id: string,
  name: ExtraName,
): Promise<Uint8Array | undefined> {
  return await stores.get(store)?.(id, name);
}

/** Appends the CRC-64 of the bytes to them. */
export function withCrc(content: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(content.length + 8);
  bytes.set(content);
  new DataView(bytes.buffer).setBigUint64(content.length, crc64(content));
  return bytes;
}

/**
 * Checks a file against the CRC-64 at its end; returns the bytes before that.
 *
 * @throws {SnapshotCorruptError} with the reason `"archive"`.
 */
export function checkCrc(bytes: Uint8Array, what: string): Uint8Array {
  const content = bytes.subarray(0, Math.max(bytes.length - 8, 0));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const reason = "archive";
  if (bytes.length < 8) {
    const [actual, expected] = [`${bytes.length} bytes`, "at least 8"];
    throw new SnapshotCorruptError(what, { reason, actual, expected });
  }
  const [actual, expected] = [
    crc64(content),
    view.getBigUint64(content.length),
  ];
  if (actual === expected) return content;
  throw new SnapshotCorruptError(what, { reason, actual, expected });
}
