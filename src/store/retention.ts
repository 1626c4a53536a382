/**
 * Which snapshots are kept, and the removal of the others (`ReapSnapshots` in
 * Go's `file_snapshot.go`).
 *
 * @module
 */

import { toSnapshotError } from "../backend/errors.ts";
import { NoUsableSnapshotError, type SnapshotError } from "../errors.ts";
import { isSnapshotError } from "../is_snapshot_error.ts";
import type { BackendNames } from "../backend/backend.ts";
import { stateMatchesChecksums } from "./check_state.ts";
import { readNames, scan } from "./list.ts";
import type { StoreParts } from "./parts.ts";

/** More would fill the disk of a machine that keeps failing. */
export const CORRUPT_KEPT_MAX = 2;

/**
 * Removes snapshots that are older than the newest `retain`. Three kinds are
 * never removed, whatever their term: a snapshot that is just being published,
 * one that the backend protects, and the only one known to be good. Go counts
 * snapshots that it never read, and so removes the good one behind a corrupt
 * one; and it removes the one that it has just published, when old snapshots of
 * a higher term sort before it.
 *
 * After a failure the others are still removed: each is tried, each failure is
 * reported, and the first is returned at the end.
 *
 * Resolves once the snapshots are invisible. Their bytes are gone once
 * `finished` has resolved, which need not be awaited.
 */
export async function reapSnapshots(
  parts: StoreParts,
  published?: string,
): Promise<Reaped> {
  const { exclusive, report, retain } = parts;
  // Returns before it reads the place, because that costs requests where the
  // place is remote.
  if (retain === Infinity) return NOTHING;
  if (published !== undefined) {
    const reaped = await exclusive.run(() => reapKnown(parts, published));
    if (reaped !== undefined) return reaped;
  }
  for (let trusted = published;; trusted = undefined) {
    // Snapshots that are published while this reap reads are newer to the
    // caller, whatever their term, because they are acknowledged after the
    // call.
    const publishing = [...parts.publishing];
    // Reads outside of `exclusive`, because a long read must not delay the
    // close of another sink.
    const usable = await readUsable(parts, trusted);
    if (usable.length <= retain) return NOTHING;
    const good = trusted ?? await findGood(parts, usable);
    if (good === undefined) {
      const why = "not one snapshot is good; all are kept";
      const error = new NoUsableSnapshotError(why, []);
      report({ type: "failed", operation: "reap", error });
      return NOTHING;
    }
    const reap = { good, usable, publishing };
    const reaped = await exclusive.run(async () =>
      reapAround(parts, await readNames(parts), reap)
    );
    if (reaped !== undefined) return reaped;
  }
}

/** The result of a reap. */
export interface Reaped {
  /** Resolves once the bytes of the removed snapshots are gone. */
  readonly finished: Promise<void>;
  /** The first failure, which has been reported. */
  readonly failure?: SnapshotError;
}

/** The result of a reap that removes nothing. */
const NOTHING: Reaped = { finished: Promise.resolve() };

/** Reaps when all snapshots are known, without reading any. */
async function reapKnown(
  parts: StoreParts,
  published: string,
): Promise<Reaped | undefined> {
  const publishing = [...parts.publishing];
  const names = await readNames(parts);
  const usable = names.published;
  if (usable.length <= parts.retain) return NOTHING;
  if (!usable.every((id) => parts.health.isUsable(id))) return undefined;
  return await reapAround(parts, names, {
    good: published,
    usable,
    publishing,
  });
}

/** The snapshots that a reap has read before its turn in `exclusive`. */
interface Reap {
  /** A good snapshot, which stays. */
  readonly good: string;
  /** The usable snapshots, newest first. */
  readonly usable: readonly string[];
  /** The snapshots whose sinks had not ended. */
  readonly publishing: readonly string[];
}

/**
 * Removes the snapshots of `usable` that are older than the newest `retain`, as
 * long as `good` is still there and still good; otherwise it does nothing and
 * resolves to `undefined`.
 */
async function reapAround(
  parts: StoreParts,
  names: BackendNames,
  { good, usable, publishing }: Reap,
): Promise<Reaped | undefined> {
  const { health, retain } = parts;
  const isCorrupt = (id: string) => health.isCorrupt(id);
  const present = new Set(names.published);
  if (!present.has(good) || isCorrupt(good)) return undefined;
  const left = usable.filter((id) => present.has(id));
  if (left.length <= retain) return NOTHING;
  const candidates = left.filter((id) => !isCorrupt(id));
  const kept = new Set([
    ...candidates.slice(0, retain),
    ...names.protected ?? [],
    ...publishing,
    ...parts.publishing,
    health.newestAcknowledged,
    good,
  ]);
  const doomed = [
    ...candidates,
    // A few corrupt ones are kept for the operator, as restore() does. A disk
    // that damages one after the other must not be filled with them.
    ...left.filter(isCorrupt).slice(CORRUPT_KEPT_MAX),
  ];
  return await removeAll(parts, doomed.filter((id) => !kept.has(id)));
}

/**
 * The IDs of the snapshots that `list()` gives. With a new snapshot that is
 * certainly good, snapshots that were written or read before are not read
 * again.
 */
async function readUsable(
  parts: StoreParts,
  published: string | undefined,
): Promise<readonly string[]> {
  const ids = (await readNames(parts)).published;
  // No snapshot can be beyond `retain`.
  if (ids.length <= parts.retain) return ids;
  const isKnown = (id: string) =>
    published !== undefined && parts.health.isUsable(id);
  const found = await scan(parts, ids.filter((id) => !isKnown(id)));
  const unusable = new Set<string>();
  for (const result of found) {
    if ("error" in result) unusable.add(result.id);
    else parts.health.markUsable(result.id);
  }
  return ids.filter((id) => !unusable.has(id));
}

/** The newest snapshot known to be good; reads them until it finds one. */
async function findGood(
  parts: StoreParts,
  usable: readonly string[],
): Promise<string | undefined> {
  const { health } = parts;
  for (const id of usable) {
    if (health.isGood(id)) return id;
    if (health.isCorrupt(id)) continue;
    if (await stateMatchesChecksums(parts, id)) return id;
  }
  return undefined;
}

/** Removes snapshots that the place has just listed. */
async function removeAll(
  parts: StoreParts,
  doomed: readonly string[],
): Promise<Reaped> {
  const { remover, report } = parts;
  const { failures: errors, finished } = await remover.remove(doomed, true);
  for (const id of doomed) {
    if (!errors.has(id)) report({ type: "reaped", id });
  }
  // The next reap finds the retained snapshots again; the backend reports them
  // once.
  const failures = new Map(
    [...errors].filter(([, error]) =>
      !isSnapshotError(error, "ERR_SNAPSHOT_RETAINED")
    ),
  );
  for (const [id, error] of failures) {
    report({ type: "failed", operation: "reap", id, error });
  }
  // The thrown value may be anything, also `undefined`.
  for (const first of failures.values()) {
    const what = `reap ${failures.size} of ${doomed.length} snapshots`;
    return { finished, failure: toSnapshotError(what, first) };
  }
  return { finished };
}
