/**
 * What the parts of one open store share.
 *
 * @module
 */

import {
  SnapshotError,
  StoreAccessError,
  StoreClosedError,
  systemCode,
} from "../errors.ts";
import { describe } from "../text.ts";
import { Exclusive } from "./exclusive.ts";
import { FileLimit } from "./file_limit.ts";
import type { Mark } from "./marks.ts";
import type { ResolvedOptions } from "./options.ts";

/** More would fill the disk of a machine that keeps failing. */
export const CORRUPT_KEPT_MAX = 2;

/** Ends an open sink or source; resolves once its files are closed. */
export type Abort = (reason: unknown) => Promise<void>;

/** The shared state of an open store. */
export interface StoreContext extends ResolvedOptions {
  /** Go's *base*: the directory that `snapshots/` is in. */
  readonly base: string;
  /** The `snapshots/` directory. */
  readonly path: string;
  /** How to end each sink and source that is open. */
  readonly open: Set<Abort>;
  /**
   * Which snapshots this process knows to be good (`true`: it wrote or checked
   * them) or bad (`false`). Retention never counts on one that is bad.
   */
  readonly verdicts: Map<string, boolean>;
  /** Snapshots whose sink has not ended yet: never reaped. */
  readonly publishing: Set<string>;
  /** Snapshots with a missing file that were given time to disappear. */
  readonly incomplete: Set<string>;
  /** Bounds how many files are open to look into snapshots. */
  readonly looking: FileLimit;
  /** Names under `path` that could not be removed: the next reap tries again. */
  readonly leftovers: Set<string>;
  /** Those of them that have been reported: once will do. */
  readonly reportedLeftovers: Set<string>;
  /**
   * What the directories with a snapshot's name have been found to be. Only the
   * store that has the lock changes that, so it need not look again.
   */
  readonly marks: Map<string, Mark | "none">;
  /**
   * Whether a snapshot has got its name and could not be acknowledged, because
   * the directory could not be synced. Nothing is created until it can.
   */
  unacknowledged: boolean;
  /**
   * The newest snapshot that this process has published: Raft has deleted its
   * log on the strength of it, so it is never reaped.
   */
  newestAcknowledged: string | undefined;
  /** Milliseconds of the newest ID given out: the next one is higher. */
  lastUnixMs: number;
  /** Runs what removes or replaces names, one call after the other. */
  readonly exclusive: Exclusive;
  /** Whether `close()` has been called. */
  closed: boolean;
  /** Whether it has been reported that directories can't be synced. */
  reportedNoDirectorySync: boolean;
}

/** Makes the context of a store in `base`. */
export function makeContext(
  base: string,
  options: ResolvedOptions,
): StoreContext {
  return {
    ...options,
    base,
    path: `${base}/snapshots`,
    open: new Set(),
    verdicts: new Map(),
    publishing: new Set(),
    incomplete: new Set(),
    looking: new FileLimit(),
    leftovers: new Set(),
    reportedLeftovers: new Set(),
    marks: new Map(),
    unacknowledged: false,
    newestAcknowledged: undefined,
    lastUnixMs: -1,
    exclusive: new Exclusive(),
    closed: false,
    reportedNoDirectorySync: false,
  };
}

/** @throws {StoreClosedError} when the store has been closed. */
export function assertOpen(context: StoreContext): void {
  if (!context.closed) return;
  throw new StoreClosedError(`Cannot use the store ${context.base}: closed`);
}

/** @throws {StoreAccessError} when the store was opened to read only. */
export function assertWritable(context: StoreContext, what: string): void {
  assertOpen(context);
  if (!context.readOnly) return;
  throw new StoreAccessError(
    `Cannot ${what} in ${context.base}: the store was opened read-only`,
  );
}

/** The codes by which platforms say that they can't sync a directory. */
export const NO_DIRECTORY_SYNC: ReadonlySet<string> = new Set([
  "EINVAL",
  "ENOTSUP",
  "EPERM",
  "EISDIR",
]);

/**
 * Makes the names in a directory durable. Where the platform can't (Windows,
 * some network file systems) this is reported once and tolerated: the store
 * would otherwise be of no use there. Any other failure is one.
 */
export async function syncDirectory(
  context: StoreContext,
  path: string,
): Promise<void> {
  try {
    await context.fileSystem.syncDirectory(path);
  } catch (error) {
    if (!NO_DIRECTORY_SYNC.has(systemCode(error) ?? "")) throw error;
    if (context.reportedNoDirectorySync) return;
    context.reportedNoDirectorySync = true;
    context.logger.warn(
      `Cannot sync directories (${systemCode(error)}): after a power cut ` +
        `the newest snapshot in ${context.base} may be missing`,
    );
  }
}

/** Waits for all, also when one fails; then rejects with the first failure. */
export async function allSettled(
  promises: readonly Promise<unknown>[],
): Promise<void> {
  for (const result of await Promise.allSettled(promises)) {
    if (result.status === "rejected") throw result.reason;
  }
}

/** An error of ours as it is; any other as the cause of one of ours. */
export function toSnapshotError(
  doing: string,
  error: unknown,
): SnapshotError {
  if (error instanceof SnapshotError) return error;
  return new SnapshotError(`Cannot ${doing}: ${describe(error)}`, {
    cause: error,
  });
}
