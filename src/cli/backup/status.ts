/** The state of an agent's backups, for its health and its metrics. */

/** A backup that was read back from the destination, and is good. */
export interface VerifiedBackup {
  readonly name: string;
  readonly index: bigint;
  readonly term: bigint;
  /** The length of the archive in bytes. */
  readonly size: number;
  /** When it was begun. */
  readonly createdAt: Date;
}

/** The outcome of a run. */
export type RunOutcome = "saved" | "unchanged";

/** Whether the agent works, or waits until another one ends. */
export type Role = "active" | "standby";

/** The state of an agent. Times are in milliseconds since 1970. */
export class BackupStatus {
  role: Role = "standby";
  /** The newest backup that is known to be good. */
  newest: VerifiedBackup | undefined;
  /** The last time at which the cluster had nothing newer than that backup. */
  currentAt: number | undefined;
  /** When the last run has ended well. */
  succeededAt: number | undefined;
  /** How long that run took, in milliseconds. */
  durationMs: number | undefined;
  readonly runs = { saved: 0, unchanged: 0, failed: 0 };
  /** Failures since the last success. */
  failuresInARow = 0;
  /** Why the last run has failed; none after a success. */
  lastFailure: string | undefined;
  readonly #clock: () => number;

  constructor(clock: () => number = Date.now) {
    this.#clock = clock;
  }

  /** A backup was read back, and is good. */
  verified(backup: VerifiedBackup): void {
    this.newest = backup;
    this.currentAt = Math.max(
      backup.createdAt.getTime(),
      this.currentAt ?? -Infinity,
    );
  }

  /** A run that began at `startedAt` has ended well. */
  succeeded(outcome: RunOutcome, startedAt: number): void {
    this.runs[outcome]++;
    this.currentAt = startedAt;
    this.succeededAt = this.#clock();
    this.durationMs = this.succeededAt - startedAt;
    this.failuresInARow = 0;
    this.lastFailure = undefined;
  }

  /** Notes that a run has failed, which changes no other field. */
  failed(message: string): void {
    this.runs.failed++;
    this.failuresInARow++;
    this.lastFailure = message;
  }

  /** How old the newest good backup is, in milliseconds; none without one. */
  get ageMs(): number | undefined {
    const { newest, currentAt } = this;
    if (newest === undefined || currentAt === undefined) return undefined;
    return Math.max(this.#clock() - currentAt, 0);
  }
}
