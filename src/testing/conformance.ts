/**
 * The suite that every snapshot store must pass, for any test runner or none.
 *
 * @module
 */

import { requireKnown } from "../option_names.ts";
import type { SnapshotStore } from "../snapshot/stores.ts";
import { argumentChecks } from "./argument_checks.ts";
import type {
  Check,
  CheckContext,
  Damage,
  Keeps,
  StoreToCheck,
} from "./check.ts";
import { closingChecks } from "./closing_checks.ts";
import { corruptionChecks } from "./corruption_checks.ts";
import { deletionChecks } from "./deletion_checks.ts";
import { headerChecks } from "./header_checks.ts";
import { inspectingChecks } from "./inspecting_checks.ts";
import { listingChecks } from "./listing_checks.ts";
import { readingChecks } from "./reading_checks.ts";
import { restoringChecks } from "./restoring_checks.ts";
import { retentionChecks } from "./retention_checks.ts";
import { sealingChecks } from "./sealing_checks.ts";
import { verifyingChecks } from "./verifying_checks.ts";
import { writingChecks } from "./writing_checks.ts";

export type { Damage, Keeps, StoreToCheck };

/**
 * Makes a fresh, empty store, optionally with functions that damage its
 * snapshots.
 */
export type MakeStore = () =>
  | SnapshotStore
  | StoreToCheck
  | Promise<SnapshotStore | StoreToCheck>;

/** Options of {@linkcode snapshotStoreConformance}. */
export interface ConformanceOptions {
  /**
   * Which published snapshots the store keeps: `"all"` (at least the newest
   * three), `"newest"` (only the last one) or `"nothing"`.
   *
   * @default {"all"}
   */
  readonly keeps?: Keeps | undefined;
  /**
   * How many snapshots the store retains. Checks of retention are left out when
   * it is not known.
   *
   * @default {1 of a store that keeps the newest, else not known}
   */
  readonly retain?: number | undefined;
  /**
   * How `makeStore` lets snapshots be damaged. Checks that need another kind of
   * damage are left out.
   *
   * @default {[]}
   */
  readonly damages?: readonly (keyof Damage)[] | undefined;
}

/** One requirement of a store. */
export interface ConformanceCheck {
  /** The requirement, as a sentence. */
  readonly name: string;
  /**
   * Makes a store and checks it.
   *
   * @throws {Error} when the store does not behave as the name says.
   */
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
 * Checks with damaged snapshots run only when `makeStore` gives functions that
 * damage one, and `damages` names them.
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
 *
 * @example Check a store with corrupt snapshots, too
 * ```ts
 * import { openFileSnapshotStore } from "@raft/snapshots";
 * import {
 *   MemoryFileSystem,
 *   snapshotStoreConformance,
 * } from "@raft/snapshots/testing";
 *
 * const checks = snapshotStoreConformance(async () => {
 *   const fileSystem = new MemoryFileSystem();
 *   return {
 *     store: await openFileSnapshotStore("/data", { fileSystem, retain: 3 }),
 *     corrupt(id) {
 *       const path = `/data/snapshots/${id}/state.bin`;
 *       const state = fileSystem.readFile(path);
 *       fileSystem.writeFile(path, state.map((byte) => byte ^ 1));
 *     },
 *   };
 * }, { retain: 3, damages: ["corrupt"] });
 * for (const { run } of checks) await run();
 * ```
 */
export function snapshotStoreConformance(
  makeStore: MakeStore,
  options: ConformanceOptions = {},
): readonly ConformanceCheck[] {
  requireKnown(options, { keeps: true, retain: true, damages: true });
  const { keeps = "all", damages = [] } = options;
  const { retain = keeps === "newest" ? 1 : undefined } = options;
  const given: readonly string[] = retain === undefined
    ? damages
    : [...damages, "retain"];
  return CHECKS
    .filter(({ notFor }) => !notFor?.includes(keeps))
    .filter(({ needs = [] }) => needs.every((need) => given.includes(need)))
    .map((check) => ({
      name: check.name,
      run: () => runCheck(check, makeStore, retain ?? Infinity),
    }));
}

const CHECKS: readonly Check[] = [
  ...listingChecks,
  ...writingChecks,
  ...readingChecks,
  ...headerChecks,
  ...argumentChecks,
  ...restoringChecks,
  ...verifyingChecks,
  ...inspectingChecks,
  ...sealingChecks,
  ...deletionChecks,
  ...retentionChecks,
  ...corruptionChecks,
  ...closingChecks,
];

async function runCheck(
  check: Check,
  makeStore: MakeStore,
  retain: number,
): Promise<void> {
  const made = await makeStore();
  const { store, ...damage } = "store" in made ? made : { store: made };
  try {
    const context: CheckContext = { ...NO_DAMAGE, ...damage, retain };
    await check.run(store, context);
  } catch (error) {
    // The first error counts.
    await dispose(store).catch(() => {});
    throw error;
  }
  await dispose(store);
}

/** Stands in for damage that `makeStore` does not offer. */
const NO_DAMAGE: Damage = {
  corrupt: () => missing("corrupt"),
  unseal: () => missing("unseal"),
};

function missing(name: keyof Damage): never {
  throw new TypeError(
    `Cannot run the check: makeStore() gave no ${name}(), ` +
      "which the option damages names",
  );
}

async function dispose(store: SnapshotStore & Partial<AsyncDisposable>) {
  await store[Symbol.asyncDispose]?.();
}
