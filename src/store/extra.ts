/**
 * Reads the small files that a snapshot carries beside its state.
 *
 * @module
 */

import type { SnapshotCorruptError } from "../errors.ts";
import {
  checkCrc,
  EXTRA_SIZES_MAX,
  type ExtraName,
  ORIGIN,
} from "../snapshot/extras.ts";
import { isCorruption } from "./error_scope.ts";
import type { StoreParts } from "./parts.ts";

type Parts = Pick<StoreParts, "backend">;

/** Reads an extra file of the snapshot; only imported snapshots have one. */
export function readExtraFile(
  { backend }: Parts,
  id: string,
  name: ExtraName,
): Promise<Uint8Array | undefined> {
  return backend.readExtra(id, name, EXTRA_SIZES_MAX[name]);
}

/** The damage of the snapshot's extra file; its state may be good. */
export async function findBadExtra(
  parts: Parts,
  id: string,
): Promise<SnapshotCorruptError | undefined> {
  try {
    const bytes = await readExtraFile(parts, id, ORIGIN);
    if (bytes !== undefined) checkCrc(bytes, `${ORIGIN} of snapshot ${id}`);
    return undefined;
  } catch (error) {
    if (isCorruption(error)) return error;
    throw error;
  }
}
