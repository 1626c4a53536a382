/**
 * The suite that every snapshot store must pass, for any test runner or none.
 *
 * @module
 */

import type { SnapshotStore } from "../snapshot/types.ts";
import { argumentChecks } from "./argument_checks.ts";
import type { Check, Keeps } from "./check.ts";
import { listingChecks } from "./listing_checks.ts";
import { readingChecks } from "./reading_checks.ts";
import { writingChecks } from "./writing_checks.ts";

export type { Keeps };

/** Makes a fresh, empty store. */
export type MakeStore = () => SnapshotStore | Promise<SnapshotStore>;

/** Options of {@linkcode snapshotStoreConformance}. */
export interface ConformanceOptions {
  /**
   * What the store keeps of the snapshots that were published: `"all"` (at
   * least the newest three), `"newest"` (the one published last) or
   * `"nothing"`.
   *
   * @default {"all"}
   */
  readonly keeps?: Keeps;
}

/** One thing that a store must do. */
export interface ConformanceCheck {
  /** What it is, as a sentence. */
  readonly name: string;
  /** Makes a store and checks it. @throws {Error} when it does not do so. */
  run(): Promise<void>;
}

/**
 * The checks that every {@linkcode SnapshotStore} must pass. They depend on no
 * test runner: hand each to yours, or just run them.
 *
 * Every check calls `makeStore` once, for a store that is empty and shares
 * nothing with the others. A store that has a `[Symbol.asyncDispose]()` is
 * disposed of when its check is over.
 *
 * @example Check a store of your own
 * ```ts
 * import { MemorySnapshotStore } from "@raft/snapshots";
 * import { snapshotStoreConformance } from "@raft/snapshots/testing";
 *
 * const makeStore = () => new MemorySnapshotStore();
 * const checks = snapshotStoreConformance(makeStore, { keeps: "newest" });
 * for (const { run } of checks) await run(); // or: it(name, run)
 * ```
 */
export function snapshotStoreConformance(
  makeStore: MakeStore,
  options: ConformanceOptions = {},
): readonly ConformanceCheck[] {
  const { keeps = "all" } = options;
  const checks = [
    ...listingChecks,
    ...writingChecks,
    ...readingChecks,
    ...argumentChecks,
  ];
  return checks.filter(({ notFor }) => !notFor?.includes(keeps))
    .map((check) => ({
      name: check.name,
      run: () => runCheck(check, makeStore),
    }));
}

async function runCheck(check: Check, makeStore: MakeStore): Promise<void> {
  const store = await makeStore();
  try {
    await check.run(store);
  } catch (error) {
    // What went wrong first is what matters.
    await dispose(store).catch(() => {});
    throw error;
  }
  await dispose(store);
}

async function dispose(store: SnapshotStore & Partial<AsyncDisposable>) {
  await store[Symbol.asyncDispose]?.();
}
