/**
 * `restore()`: finds the newest snapshot that can be restored, and quarantines
 * the corrupt ones (`restoreSnapshot` in Go's `api.go`).
 *
 * @module
 */

import {
  NoUsableSnapshotError,
  type SnapshotError,
  StoreAccessError,
} from "../errors.ts";
import { isSnapshotError } from "../is_snapshot_error.ts";
import type {
  Restorer,
  RestoreResult,
  SkippedSnapshot,
} from "../snapshot/types.ts";
import { describe } from "../text.ts";
import { pause } from "../backend/pause.ts";
import { type Attempt, attempt, type Open } from "./attempt.ts";
import { stateMatchesChecksums } from "./check_state.ts";
import { endsRestore, hasRunOut } from "./error_scope.ts";
import { readNames } from "./list.ts";
import type { StoreParts } from "./parts.ts";
import { CORRUPT_KEPT_MAX } from "./retention.ts";

/**
 * How long to wait before each retry after an error of the process or the
 * place: other work may end meanwhile and give its descriptors back.
 */
const RETRY_PAUSES_MS: readonly number[] = [5, 20, 80];

/**
 * Tries the snapshots newest first until one has been restored; resolves to
 * nothing when there is no snapshot at all.
 *
 * @throws {NoUsableSnapshotError} when there are snapshots, but none could be
 * restored.
 * @throws {StoreAccessError} when the process or the place is at fault, also
 * after further tries: an older snapshot would not help.
 * @throws {SnapshotTooLargeError} when one is larger than the place's `maxSize`;
 * older ones are not tried.
 * @throws {TypeError} when `restore` is not a function, or has settled without
 * having read the snapshot: an older one would not help either.
 */
export async function restoreNewest(
  parts: StoreParts,
  open: Open,
  restore: Restorer,
): Promise<RestoreResult | undefined> {
  // Checked once, not for each snapshot, because it would look as if no
  // snapshot could be restored.
  if (typeof restore !== "function") {
    throw new TypeError(
      `Cannot restore: found ${typeof restore}, expected a function`,
    );
  }
  const { backend, report, timer } = parts;
  const startMs = timer();
  const listNames = () => insist(parts, () => readNames(parts));
  let names = await listNames();
  const tried = new Set<string>();
  const skipped: SkippedSnapshot[] = [];
  for (;;) {
    const id = names.published.find((each) => !tried.has(each));
    if (id === undefined) break;
    tried.add(id);
    backend.assertOpen();
    let attempted: Attempt | undefined;
    try {
      attempted = await insist(parts, () => attempt(open, id, restore));
    } catch (error) {
      // A failure because the store was closed says nothing about the snapshot.
      backend.assertOpen();
      if (endsRestore(error)) throw toRestoreError(id, error);
      skipped.push({ id, error });
      report({ type: "rejected", operation: "restore", id, error });
      continue;
    }
    if (attempted !== undefined) {
      const result = resultOf(parts, attempted, skipped);
      report({ type: "restored", ...result, durationMs: timer() - startMs });
      return result;
    }
    // The process that removed the snapshot had published a newer one before.
    names = await listNames();
  }
  const { published, quarantined } = names;
  if (skipped.length + published.length + quarantined.length === 0) {
    return undefined;
  }
  const errors = skipped.map(({ error }) => error);
  // An empty store and a broken one must never look alike.
  throw new NoUsableSnapshotError(
    `Cannot restore from ${backend.place}: found no good snapshot (failed: ` +
      `${errors.length}, in quarantine as corrupt: ${quarantined.length})` +
      (errors.length === 0 ? "" : `; the newest: ${reasonOf(errors[0])}`),
    errors,
  );
}

/** Tells the caller's own error from one of the snapshot. */
function reasonOf(error: unknown): string {
  return isSnapshotError(error)
    ? describe(error)
    : `the function given to restore() failed: ${describe(error)}`;
}

function resultOf(
  { backend }: StoreParts,
  { meta, unread }: Attempt,
  skipped: readonly SkippedSnapshot[],
): RestoreResult {
  if (unread === undefined) return { meta, skipped };
  // A store that was closed meanwhile is the better explanation.
  backend.assertOpen();
  throw unread;
}

/**
 * Retries a call, a few times, when the process or machine has run out of
 * something. A place that can't be reached is not tried again, because its
 * backend has retried already.
 */
async function insist<T>(
  { backend, closing, report }: StoreParts,
  attempt: () => Promise<T>,
): Promise<T> {
  for (const pauseMs of RETRY_PAUSES_MS) {
    try {
      return await attempt();
    } catch (error) {
      backend.assertOpen();
      if (!hasRunOut(error)) throw error;
      report({ type: "retrying", operation: "restore", error });
      await pause(pauseMs, closing);
    }
  }
  return await attempt();
}

/** Returns the store's own errors; wraps those of the caller's function. */
function toRestoreError(id: string, error: unknown): SnapshotError {
  if (isSnapshotError(error)) return error;
  return new StoreAccessError(
    `Cannot restore snapshot ${id}: ${describe(error)}; older ones were not ` +
      "tried, because the process or the disk has run out of something: " +
      "free some of it and try again",
    { cause: error },
  );
}

/** Quarantines those that are corrupt; a failure to do so is only reported. */
export async function quarantineCorrupt(
  parts: StoreParts,
  skipped: readonly SkippedSnapshot[],
): Promise<void> {
  const { backend, exclusive, report } = parts;
  if (!backend.canQuarantine) return;
  for (const { id, error: reason } of skipped) {
    // A snapshot that can't be read is not known to be corrupt, so it stays.
    if (isSnapshotError(reason, "ERR_SNAPSHOT_UNREADABLE")) continue;
    try {
      if (!await isCorrupt(parts, id)) continue;
      await exclusive.run(() => quarantine(parts, id));
    } catch (error) {
      if (backend.isShut) return;
      report({ type: "failed", operation: "quarantine", id, error });
    }
  }
}

/** Reads the snapshot, because a failed restore may be the caller's fault. */
async function isCorrupt(parts: StoreParts, id: string): Promise<boolean> {
  try {
    return !(await stateMatchesChecksums(parts, id));
  } catch {
    return false;
  }
}

/**
 * Quarantines a corrupt snapshot: it leaves the list, and stays for the
 * operator.
 */
async function quarantine(parts: StoreParts, id: string): Promise<void> {
  const { backend, health, report } = parts;
  const name = await backend.quarantine(id);
  health.forget(id);
  report({ type: "quarantined", id, name });
  const { quarantined } = await readNames(parts);
  const tooMany = quarantined.slice(CORRUPT_KEPT_MAX);
  if (tooMany.length === 0) return;
  for (const error of (await backend.remove(tooMany, "quarantined")).values()) {
    throw error;
  }
}
