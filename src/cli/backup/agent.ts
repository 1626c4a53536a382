/** Backups again and again, by one of the agents that share a destination. */

import type { ArchiveLease } from "../../archive/mod.ts";
import { isSnapshotError } from "../../../mod.ts";
import { pause } from "../../backends/mod.ts";
import { formatDuration, formatSize } from "../format.ts";
import { print, warn } from "../output.ts";
import { messageOf } from "../reason.ts";
import {
  type BackupResult,
  type BackupTask,
  findNewestBackup,
  makeBackup,
  prune,
} from "./run.ts";
import type { BackupStatus } from "./status.ts";

/** With a lease of 30 seconds, a killed agent is replaced within a minute. */
const LOOK_MS = 5_000;

/** After a failure the next run comes that soon, then later and later. */
const RETRY_MS = 60_000;

/** The longest pause that fits into a timer. */
const PAUSE_MS_MAX = 2 ** 31 - 1;

/** Runs until the signal aborts. */
export async function runAgent(
  task: BackupTask,
  { everyMs, status, signal }: {
    readonly everyMs: number;
    readonly status: BackupStatus;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const agent = new Agent(task, everyMs, status);
  while (!signal.aborted) {
    try {
      const lease = await waitForLease(task, signal, {
        onWait: () => agent.standBy(signal),
      });
      await agent.work(lease, signal);
    } catch (error) {
      if (signal.aborted) return;
      warn(messageOf(error));
      await pause(LOOK_MS, signal).catch(() => {});
    }
  }
}

/**
 * Waits until no other agent has the lease.
 *
 * @throws {StoreLockedError} when one still has it after `waitMsMax`.
 */
export async function waitForLease(
  { store }: BackupTask,
  signal: AbortSignal,
  { onWait = () => Promise.resolve(), waitMsMax = Infinity }: {
    readonly onWait?: () => Promise<void>;
    readonly waitMsMax?: number;
  } = {},
): Promise<ArchiveLease> {
  const endsAt = performance.now() + waitMsMax;
  for (let isFirst = true;; isFirst = false) {
    try {
      return await store.lease();
    } catch (error) {
      if (!isSnapshotError(error, "ERR_STORE_LOCKED")) throw error;
      if (performance.now() + LOOK_MS > endsAt) throw error;
      if (isFirst) warn(`waiting: ${messageOf(error)}`);
    }
    await onWait();
    await pause(LOOK_MS, signal);
  }
}

class Agent {
  readonly #task: BackupTask;
  readonly #everyMs: number;
  readonly #status: BackupStatus;

  constructor(task: BackupTask, everyMs: number, status: BackupStatus) {
    this.#task = task;
    this.#everyMs = everyMs;
    this.#status = status;
  }

  /**
   * While another agent works, checks whether that agent's backups are good.
   */
  async standBy(signal: AbortSignal): Promise<void> {
    this.#status.role = "standby";
    const [newest] = await this.#task.store.list();
    if (newest === undefined) return;
    if (newest.name === this.#status.newest?.name) return;
    await this.#lookBack(signal);
  }

  /** Works until the signal aborts, or the lease is lost. */
  async work(lease: ArchiveLease, ending: AbortSignal): Promise<void> {
    const signal = AbortSignal.any([ending, lease.signal]);
    try {
      this.#status.role = "active";
      await this.#lookBack(signal);
      let dueAt = this.#firstDue();
      for (;;) {
        await pauseUntil(dueAt, signal);
        const startedAt = Date.now();
        const isGood = await this.#run(startedAt, signal);
        dueAt = isGood ? startedAt + this.#everyMs : Date.now() + this.#retryMs;
      }
    } finally {
      this.#status.role = "standby";
      await lease.release();
    }
  }

  async #lookBack(signal: AbortSignal): Promise<void> {
    const newest = await findNewestBackup(this.#task.store, signal);
    if (newest !== undefined) this.#status.verified(newest);
  }

  /** A restart, or another agent, causes no extra backup. */
  #firstDue(): number {
    const last = this.#status.newest?.createdAt.getTime() ?? -Infinity;
    const now = Date.now();
    return last > now ? now : Math.max(last + this.#everyMs, now);
  }

  get #retryMs(): number {
    const doubled = RETRY_MS * 2 ** (this.#status.failuresInARow - 1);
    return Math.min(doubled, this.#everyMs);
  }

  /** Whether it went well. */
  async #run(startedAt: number, signal: AbortSignal): Promise<boolean> {
    const status = this.#status;
    try {
      const { newest } = status;
      const result = await makeBackup(this.#task, { newest, signal });
      status.verified(result.backup);
      status.succeeded(result.outcome, startedAt);
      await print(describeResult(result, Date.now() - startedAt));
      await cleanUp(this.#task, result, signal);
      return true;
    } catch (error) {
      signal.throwIfAborted();
      status.failed(messageOf(error));
      warn(`no backup: ${messageOf(error)}`);
      return false;
    }
  }
}

/** Cleans up after a backup. A failure here does not fail the backup. */
export async function cleanUp(
  task: BackupTask,
  { backup }: BackupResult,
  signal: AbortSignal,
): Promise<void> {
  try {
    const removed = await prune(task, backup, signal);
    if (removed.length > 0) await print(`removed ${removed.join(", ")}`);
    await task.store.sweep();
  } catch (error) {
    signal.throwIfAborted();
    warn(messageOf(error));
  }
}

/** A line on a backup. */
export function describeResult(
  { outcome, backup: { name, index, size } }: BackupResult,
  durationMs: number,
): string {
  return outcome === "saved"
    ? `saved ${name} (${formatSize(size)}) in ${formatDuration(durationMs)}`
    : `nothing new since ${name} (index ${index})`;
}

async function pauseUntil(time: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  for (let ms; (ms = time - Date.now()) > 0;) {
    await pause(Math.min(ms, PAUSE_MS_MAX), signal);
  }
}
