/**
 * Which snapshots are kept, and the removal of the others (`ReapSnapshots` in
 * Go's `file_snapshot.go`).
 *
 * @module
 */

import { describe } from "../text.ts";
import { isGood } from "./check.ts";
import {
  CORRUPT_KEPT_MAX,
  type StoreContext,
  syncDirectory,
  toSnapshotError,
} from "./context.ts";
import { removeSnapshots, removeTemporary } from "./remove.ts";
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
  const { exclusive } = context;
  await exclusive.run(() => removeLeftovers(context));
  for (let trusted = published;; trusted = undefined) {
    // Those that end while this one reads are acknowledged after it was asked
    // for: to the caller they are newer, whatever their term.
    const publishing = [...context.publishing];
    // Reading may take long, and must not hold up the close of another sink.
    const usable = await readUsable(context, trusted);
    if (usable.length <= context.retain) return;
    const good = trusted ?? await findGood(context, usable);
    if (good === undefined) {
      context.logger.error(
        `Cannot reap in ${context.path}: not one snapshot is good; all are kept`,
      );
      return;
    }
    const reap = { good, usable, publishing };
    if (await exclusive.run(() => reapAround(context, reap))) return;
  }
}

/** What a reap found out before its turn. */
interface Reap {
  /** One that is good, and stays. */
  readonly good: string;
  /** Those that can be used, newest first. */
  readonly usable: readonly string[];
  /** Those whose sinks had not ended. */
  readonly publishing: readonly string[];
}

/**
 * Removes what is beyond `retain` of `usable`, as long as `good` is still there
 * and still good; otherwise it does nothing and resolves to `false`.
 */
async function reapAround(
  context: StoreContext,
  { good, usable, publishing }: Reap,
): Promise<boolean> {
  const isBad = (id: string) => context.verdicts.get(id) === false;
  const present = new Set((await readNames(context)).ids);
  if (!present.has(good) || isBad(good)) return false;
  const left = usable.filter((id) => present.has(id));
  if (left.length <= context.retain) return true;
  const candidates = left.filter((id) => !isBad(id));
  const kept = new Set([
    ...candidates.slice(0, context.retain),
    ...publishing,
    ...context.publishing,
    context.newestAcknowledged,
    good,
  ]);
  await removeAll(context, [
    ...candidates.filter((id) => !kept.has(id)),
    // Bad ones are kept for the operator, as restore() does, but no more: a
    // disk that spoils one after the other must not be filled with them.
    ...left.filter(isBad).slice(CORRUPT_KEPT_MAX),
  ]);
  return true;
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

/**
 * The IDs of what `list()` gives. With a new snapshot that is certainly good,
 * those that were good when they were written are not looked at again.
 */
async function readUsable(
  context: StoreContext,
  published: string | undefined,
): Promise<string[]> {
  const { ids } = await readNames(context);
  // None can be beyond `retain`.
  if (ids.length <= context.retain) return [...ids];
  const isKnown = (id: string) =>
    published !== undefined && context.verdicts.get(id) === true;
  const found = await scan(context, ids.filter((id) => !isKnown(id)));
  const unusable = new Set(
    found.flatMap((result) => "error" in result ? [result.id] : []),
  );
  return ids.filter((id) => !unusable.has(id));
}

/** The newest snapshot known to be good; reads them until it finds one. */
async function findGood(
  context: StoreContext,
  usable: readonly string[],
): Promise<string | undefined> {
  for (const id of usable) {
    const known = context.verdicts.get(id);
    if (known === true) return id;
    if (known === undefined && await isGood(context, id)) return id;
  }
  return undefined;
}

async function removeAll(
  context: StoreContext,
  doomed: readonly string[],
): Promise<void> {
  const failures = await removeSnapshots(context, doomed);
  for (const id of doomed) {
    if (!failures.has(id)) context.logger.info(`Reaped snapshot ${id}`);
  }
  for (const [id, error] of failures) {
    context.logger.warn(`Cannot reap snapshot ${id}: ${describe(error)}`);
  }
  const [first] = failures.values();
  if (first === undefined) return;
  throw toSnapshotError(
    `reap ${failures.size} of ${doomed.length} snapshots`,
    first,
  );
}
