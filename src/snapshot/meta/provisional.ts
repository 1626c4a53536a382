/**
 * What `meta.json` holds while a snapshot is being written.
 *
 * @module
 */

import { META_SIZE_MAX } from "./decode.ts";
import { encodeRecord } from "./encode.ts";
import type { SnapshotMetaFields } from "../types.ts";

/**
 * The metadata as Go writes it before the state is there.
 *
 * @throws {RangeError} when it is longer than any reader would take.
 */
export function encodeProvisionalMeta(meta: SnapshotMetaFields): Uint8Array {
  const bytes = encodeRecord({ ...meta, crc: null });
  // The final one has a few digits more. A longer one would not be read.
  if (bytes.length + 64 <= META_SIZE_MAX) return bytes;
  throw new RangeError(
    `Cannot create a snapshot: its meta.json has ${bytes.length} bytes, ` +
      `expected at most ${META_SIZE_MAX - 64}`,
  );
}
