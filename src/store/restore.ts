/**
 * `restore()`: finding the newest snapshot that can be restored, and moving
 * those that are corrupt out of the way (`restoreSnapshot` in Go's `api.go`).
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
  SnapshotMeta,
  SnapshotSource,
} from "../snapshot/types.ts";
import { describe } from "../text.ts";
import { pause } from "../backend/pause.ts";
import { stateMatchesChecksums } from "./check_state.ts";
import { concernsPlace } from "./error_scope.ts";
import { readNames } from "./list.ts";
import type { OpenSourceOptions } from "./open.ts";
import type { StoreParts } from "./parts.ts";
import { CORRUPT_KEPT_MAX } from "./retention.ts";

/** How the store opens a snapshot. */
export type Open = (
  id: string,
  options: OpenSourceOptions,
) => Promise<SnapshotSource>;

/** What came of a start-up. */
export interface Recovery {
  /** The snapshot that was restored; none when there is no snapshot at all. */
  readonly meta: SnapshotMeta | undefined;
  /** The newer ones that failed, and could be read: they may be corrupt. */
  readonly failed: readonly string[];
}

/**
 * How long to wait before each retry after an error of the process or the
 * place: other work may end meanwhile and give its descriptors back.
 */
const RETRY_PAUSES_MS: readonly number[] = [5, 20, 80];

/**
 * Tries the snapshots newest first until one has been restored.
 *
 * @throws {NoUsableSnapshotError} when there are some, and none could be.
 * @throws {StoreAccessError} when the process or the place is at fault, also
 * after further tries: an older snapshot would not be the answer.
 * @throws {TypeError} when `restore` is not a function.
 */
export async function restoreNewest(
  parts: StoreParts,
  open: Open,
  restore: Restorer,
): Promise<Recovery> {
  // Once, not for each snapshot: it would look as if none could be restored.
  if (typeof restore !== "function") {
    throw new TypeError(
      `Cannot restore: found ${typeof restore}, expected a function`,
    );
  }
  const { backend, logger } = parts;
  const listNames = () => insist(parts, () => readNames(parts));
  let names = await listNames();
  const tried = new Set<string>();
  const failed: string[] = [];
  const errors: unknown[] = [];
  for (;;) {
    const id = names.published.find((each) => !tried.has(each));
    if (id === undefined) break;
    tried.add(id);
    backend.assertOpen();
    try {
      const meta = await insist(parts, () => restoreOne(open, id, restore));
      if (meta !== undefined) return { meta, failed };
      // The process that removed the snapshot had published a newer one before.
      names = await listNames();
    } catch (error) {
      // What fails because the store was closed says nothing of the snapshot.
      backend.assertOpen();
      if (concernsPlace(error)) throw toRestoreError(id, error);
      // A snapshot that can't be read is not known to be corrupt, so it stays.
      if (!isSnapshotError(error, "ERR_SNAPSHOT_UNREADABLE")) failed.push(id);
      errors.push(error);
      logger.warn(`Cannot restore snapshot ${id}: ${describe(error)}`);
    }
  }
  const { published, quarantined } = names;
  if (errors.length + published.length + quarantined.length === 0) {
    return { meta: undefined, failed };
  }
  // An empty store and a broken one must never look alike.
  throw new NoUsableSnapshotError(
    `Cannot restore from ${backend.place}: ${errors.length} snapshots failed` +
      `, ${quarantined.length} are in quarantine as corrupt, expected a good one` +
      (errors.length === 0 ? "" : `; the newest: ${describe(errors[0])}`),
    errors,
  );
}

/** Retries a call, a few times, when the process or the place is at fault. */
async function insist<T>(
  { backend, closing, logger }: StoreParts,
  attempt: () => Promise<T>,
): Promise<T> {
  for (const pauseMs of RETRY_PAUSES_MS) {
    try {
      return await attempt();
    } catch (error) {
      backend.assertOpen();
      if (!concernsPlace(error)) throw error;
      logger.warn(
        `Cannot restore from ${backend.place}: ${
          describe(error)
        }; trying again`,
      );
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
      "tried, because the process or the disk is short of something: mend " +
      "that and try again",
    { cause: error },
  );
}

/** Resolves to nothing when there is no such snapshot any more. */
async function restoreOne(
  open: Open,
  id: string,
  restore: Restorer,
): Promise<SnapshotMeta | undefined> {
  const controller = new AbortController();
  const { signal } = controller;
  let readFailure: unknown;
  const onReadFailure = (error: unknown) => readFailure = error;
  const source = await open(id, { signal, onReadFailure }).catch((error) => {
    if (isSnapshotError(error, "ERR_SNAPSHOT_NOT_FOUND")) return undefined;
    throw error;
  });
  if (source === undefined) return undefined;
  try {
    await restore(source);
    return source.meta;
  } catch (error) {
    throw readFailure ?? error;
  } finally {
    // Closes the file when the source was not read to its end.
    controller.abort();
  }
}

/** Quarantines those that are corrupt; a failure to do so is only reported. */
export async function quarantineCorrupt(
  parts: StoreParts,
  ids: readonly string[],
): Promise<void> {
  const { backend, exclusive, logger } = parts;
  if (!backend.canQuarantine) return;
  for (const id of ids) {
    try {
      if (!await isCorrupt(parts, id)) continue;
      await exclusive.run(() => quarantine(parts, id));
    } catch (error) {
      if (backend.isShut) return;
      logger.warn(`Cannot quarantine snapshot ${id}: ${describe(error)}`);
    }
  }
}

/** A failed restore may be the caller's fault: the snapshot itself decides. */
async function isCorrupt(parts: StoreParts, id: string): Promise<boolean> {
  try {
    return !(await stateMatchesChecksums(parts, id));
  } catch {
    return false;
  }
}

/** Takes a corrupt snapshot out of the list, and keeps it for the operator. */
async function quarantine(parts: StoreParts, id: string): Promise<void> {
  const { backend, health, logger } = parts;
  const name = await backend.quarantine(id);
  health.forget(id);
  logger.warn(`Quarantined corrupt snapshot ${id} as ${name}`);
  const { quarantined } = await readNames(parts);
  const tooMany = quarantined.slice(CORRUPT_KEPT_MAX);
  if (tooMany.length === 0) return;
  for (const error of (await backend.remove(tooMany, "quarantined")).values()) {
    throw error;
  }
}
