/**
 * The error of a `meta.json` that is damaged.
 *
 * @module
 */

import {
  type SnapshotCorruptDetails,
  SnapshotCorruptError,
} from "../../errors.ts";

/** Makes the error; `what` names the part of the file. */
export function corruptMeta(
  what: string,
  details: Omit<SnapshotCorruptDetails, "reason">,
): SnapshotCorruptError {
  return new SnapshotCorruptError(what, { reason: "meta", ...details });
}
