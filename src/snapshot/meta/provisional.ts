/**
 * The content of `meta.json` while a snapshot is being written.
 *
 * @module
 */

import { META_SIZE_MAX } from "./decode.ts";
import { encodeRecord } from "./encode.ts";
import type { SnapshotMetaFields } from "../types.ts";

/**
 * The metadata as Go writes it before the state is there.
 *
 * @throws {RangeError} when the file would be longer than readers accept.
 */
export function encodeProvisionalMeta(meta: SnapshotMetaFields): Uint8Array {
  const bytes = encodeRecord({ ...meta, crc: null });
  // The final file has a few digits more. Readers reject a longer file.
  if (bytes.length + 64 <= META_SIZE_MAX) return bytes;
  throw new RangeError(
    `Cannot create a snapshot: its meta.json has ${bytes.length} bytes, ` +
      `expected at most ${META_SIZE_MAX - 64}`,
  );
}
