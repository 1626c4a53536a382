/**
 * Removing published snapshots.
 *
 * @module
 */

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
