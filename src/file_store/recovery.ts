/**
 * Start-up: finding the newest snapshot that can be restored, and moving those
 * that are corrupt out of the way (`restoreSnapshot` in Go's `api.go`).
 *
 * @module
 */

import {
  NoUsableSnapshotError,
  SnapshotError,
  SnapshotNotFoundError,
  SnapshotUnreadableError,
  StoreAccessError,
} from "../errors.ts";
import type { SnapshotMeta, SnapshotSource } from "../snapshot/types.ts";
import { describe } from "../text.ts";
import { isGood } from "./check.ts";
import {
  assertOpen,
  CORRUPT_KEPT_MAX,
  type StoreContext,
  syncDirectory,
} from "./context.ts";
import { concernsPlace } from "./error_scope.ts";
import { temporaryName } from "../snapshot/id.ts";
import { renameOrMark } from "./marks.ts";
import { pause } from "./missing.ts";
import { removeTemporary } from "./remove.ts";
import { readNames } from "./scan.ts";
import type { SourceOptions } from "./source.ts";

/** How the store opens a snapshot. */
export type Open = (
  id: string,
  options: SourceOptions,
) => Promise<SnapshotSource>;

/** Applies a snapshot's state; rejects when it can't. */
export type Restorer = (source: SnapshotSource) => Promise<unknown>;

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
  context: StoreContext,
  open: Open,
  restore: Restorer,
): Promise<Recovery> {
  // Once, not for each snapshot: it would look as if none could be restored.
  if (typeof restore !== "function") {
    throw new TypeError(
      `Cannot restore: found ${typeof restore}, expected a function`,
    );
  }
  const look = () => insist(context, () => readNames(context));
  let { ids, temporary } = await look();
  const tried = new Set<string>();
  const failed: string[] = [];
  const errors: unknown[] = [];
  for (;;) {
    const id = ids.find((each) => !tried.has(each));
    if (id === undefined) break;
    tried.add(id);
    assertOpen(context);
    try {
      const meta = await insist(context, () => restoreOne(open, id, restore));
      if (meta !== undefined) return { meta, failed };
      // The process that removed the snapshot had published a newer one before.
      ({ ids, temporary } = await look());
    } catch (error) {
      // What fails because the store was closed says nothing of the snapshot.
      assertOpen(context);
      if (concernsPlace(error)) throw toRestoreError(id, error);
      // What can't be read is not known to be corrupt: it stays where it is.
      if (!(error instanceof SnapshotUnreadableError)) failed.push(id);
      errors.push(error);
      context.logger.warn(`Cannot restore snapshot ${id}: ${describe(error)}`);
    }
  }
  const aside = temporary.filter(({ state }) => state === "corrupt");
  if (errors.length + ids.length + aside.length === 0) {
    return { meta: undefined, failed };
  }
  // An empty store and a broken one must never look alike.
  throw new NoUsableSnapshotError(
    `Cannot restore from ${context.path}: ${errors.length} snapshots failed` +
      `, ${aside.length} are set aside as corrupt, expected a good one` +
      (errors.length === 0 ? "" : `; the newest: ${describe(errors[0])}`),
    errors,
  );
}

/** Retries a call, a few times, when the process or the place is at fault. */
async function insist<T>(
  context: StoreContext,
  attempt: () => Promise<T>,
): Promise<T> {
  for (const pauseMs of RETRY_PAUSES_MS) {
    try {
      return await attempt();
    } catch (error) {
      assertOpen(context);
      if (!concernsPlace(error)) throw error;
      context.logger.warn(
        `Cannot restore from ${context.path}: ${describe(error)}; trying again`,
      );
      await pause(pauseMs);
      assertOpen(context);
    }
  }
  return await attempt();
}

/** Returns the store's own errors; wraps those of the caller's function. */
function toRestoreError(id: string, error: unknown): SnapshotError {
  if (error instanceof SnapshotError) return error;
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
    if (error instanceof SnapshotNotFoundError) return undefined;
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

/** Sets those aside that are corrupt; a failure to do so is only reported. */
export async function setCorruptAside(
  context: StoreContext,
  ids: readonly string[],
): Promise<void> {
  for (const id of ids) {
    try {
      if (!await isCorrupt(context, id)) continue;
      await context.exclusive.run(async () => {
        // Once the store is closed, its directory may be another's.
        if (!context.closed) await setAside(context, id);
      });
    } catch (error) {
      context.logger.warn(
        `Cannot set snapshot ${id} aside: ${describe(error)}`,
      );
    }
  }
}

/** A failed restore may be the caller's fault: the snapshot itself decides. */
async function isCorrupt(context: StoreContext, id: string): Promise<boolean> {
  try {
    return !(await isGood(context, id));
  } catch {
    return false;
  }
}

/** Takes a corrupt snapshot out of the list, and keeps it for the operator. */
async function setAside(context: StoreContext, id: string): Promise<void> {
  const name = temporaryName({ id, state: "corrupt" });
  await removeTemporary(context, name);
  // Not synced: after a power cut it is found, and set aside, once more.
  const isMoved = await renameOrMark(context, { id, state: "corrupt" });
  context.verdicts.delete(id);
  context.logger.warn(
    `Quarantined corrupt snapshot ${id} ` +
      (isMoved ? `as ${name}` : `with the file ${id}/corrupt`),
  );
  const { temporary } = await readNames(context);
  const aside = temporary.filter(({ state }) => state === "corrupt");
  const tooMany = aside.slice(CORRUPT_KEPT_MAX);
  if (tooMany.length === 0) return;
  // Survives: a power cut while their files go away. Without it one could be
  // back under its old name, with nothing in it and nobody to remove it.
  await syncDirectory(context, context.path);
  for (const oldest of tooMany) {
    await removeTemporary(context, temporaryName(oldest));
  }
}
