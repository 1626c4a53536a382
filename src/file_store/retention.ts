/**
 * Which snapshots are kept, and the removal of the others (`ReapSnapshots` in
 * Go's `file_snapshot.go`).
 *
 * @module
 */

import type { SnapshotMeta } from "../snapshot.ts";
import { isGood } from "./check.ts";
import {
  describe,
  type StoreContext,
  syncDirectory,
  toSnapshotError,
} from "./context.ts";
import { removeSnapshot, removeTemporary } from "./remove.ts";
import { readNames, scan } from "./scan.ts";

/**
 * Removes what is beyond `retain`. Two kinds are never removed, whatever their
 * term: a snapshot that is just being published, and the only one known to be
 * good. Go counts what it never looked into, and so removes the good one behind
 * a corrupt one; and it removes the one that it has just published, when
 * leftovers of a higher term sort before it.
 *
 * One that can't be removed does not save the others: each is tried, and the
 * first failure is thrown at the end.
 */
export async function reapSnapshots(
  context: StoreContext,
  published?: string,
): Promise<void> {
  await removeLeftovers(context);
  const usable = await readUsable(context);
  if (usable.length <= context.retain) return;
  const good = published ?? await findGood(context, usable);
  if (good === undefined) {
    context.logger.error(
      `Cannot reap in ${context.path}: not one snapshot is good; all are kept`,
    );
    return;
  }
  const kept = new Set(
    usable.filter(({ id }) => context.verdicts.get(id) !== false)
      .slice(0, context.retain).map(({ id }) => id),
  );
  kept.add(good);
  if (context.newestAcknowledged !== undefined) {
    kept.add(context.newestAcknowledged);
  }
  // A bad one is left to restore(), which sets it aside for the operator.
  const doomed = usable.filter(({ id }) =>
    !kept.has(id) && !context.publishing.has(id) &&
    context.verdicts.get(id) !== false
  );
  await removeAll(context, doomed);
}

/** Goes on with removals that failed half-way. */
async function removeLeftovers(context: StoreContext): Promise<void> {
  if (context.leftovers.size === 0) return;
  // Survives: a power cut while the files below go away. The sync after the
  // renaming may be what has failed.
  await syncDirectory(context, context.path);
  for (const name of [...context.leftovers]) {
    await removeTemporary(context, name);
  }
}

/** What `list()` gives, without its warnings. */
async function readUsable(context: StoreContext): Promise<SnapshotMeta[]> {
  const { ids } = await readNames(context);
  const found = await scan(context, ids);
  return found.flatMap((result) => "meta" in result ? [result.meta] : []);
}

/** The newest snapshot known to be good; reads them until it finds one. */
async function findGood(
  context: StoreContext,
  usable: readonly SnapshotMeta[],
): Promise<string | undefined> {
  for (const { id } of usable) {
    const known = context.verdicts.get(id);
    if (known === true) return id;
    if (known === undefined && await isGood(context, id)) return id;
  }
  return undefined;
}

async function removeAll(
  context: StoreContext,
  doomed: readonly SnapshotMeta[],
): Promise<void> {
  const failures: unknown[] = [];
  for (const { id } of doomed) {
    try {
      await removeSnapshot(context, id);
      context.logger.info(`Reaped snapshot ${id}`);
    } catch (error) {
      failures.push(error);
      context.logger.warn(`Cannot reap snapshot ${id}: ${describe(error)}`);
    }
  }
  if (failures.length > 0) {
    throw toSnapshotError(
      `reap ${failures.length} of ${doomed.length} snapshots`,
      failures[0],
    );
  }
}
