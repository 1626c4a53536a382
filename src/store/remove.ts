/**
 * Removing published snapshots.
 *
 * @module
 */

import { toSnapshotError } from "../backend/errors.ts";
import type { StoreParts } from "./parts.ts";

/**
 * Removes published snapshots; readers that have them open are not disturbed.
 * Resolves to the errors of those that are still there.
 */
export async function removeSnapshots(
  { backend, health }: Pick<StoreParts, "backend" | "health">,
  ids: readonly string[],
): Promise<ReadonlyMap<string, unknown>> {
  let failures: ReadonlyMap<string, unknown> = new Map();
  if (ids.length === 0) return failures;
  try {
    failures = await backend.remove(ids, "published");
    return failures;
  } finally {
    for (const id of ids) if (!failures.has(id)) health.forget(id);
  }
}

/** Removes one published snapshot. */
export async function deleteSnapshot(
  parts: StoreParts,
  id: string,
): Promise<void> {
  const remove = () => removeSnapshots(parts, [id]);
  try {
    const failures = await parts.exclusive.run(remove);
    for (const error of failures.values()) throw error;
  } catch (error) {
    throw toSnapshotError(`delete snapshot ${id}`, error);
  }
}
