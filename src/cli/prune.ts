/** `prune DIR --keep-last N ...`: removes old snapshots by a policy. */

import { type Command, InvalidArgumentError } from "commander";
import {
  applyRetentionPolicy,
  type ListEntry,
  type RetentionDecision,
  type RetentionPolicy,
  SnapshotError,
  type SnapshotMeta,
  type SnapshotStore,
} from "../../mod.ts";
import { findArchives } from "./archives/open.ts";
import { pruneArchives } from "./archives/prune.ts";
import { hostIdOption, parsePath } from "./arguments.ts";
import { CommandError } from "./failure.ts";
import { describeFinding, type Finding, stateOf } from "./finding.ts";
import { counted, formatSize } from "./format.ts";
import { withInterrupts } from "./interrupt.ts";
import { findNewestGood } from "./newest_good.ts";
import { takenTime } from "./order.ts";
import { print, printJson, warn } from "./output.ts";
import { findStore } from "./place.ts";
import { messageOf } from "./reason.ts";
import {
  addRetentionOptions,
  policyOf,
  type RetentionFlags,
} from "./retention_flags.ts";
import { describeDecisions, exitCodeOf } from "./retention_report.ts";
import {
  type LockingOptions,
  withStoreToMend,
  withStoreToRead,
} from "./stores.ts";

interface PruneOptions extends LockingOptions, RetentionFlags {
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** Adds the command. */
export function registerPrune(program: Command): void {
  const command = program.command("prune")
    .summary("remove old snapshots by a policy")
    .description(
      "Removes the snapshots that no --keep- option keeps. One option is " +
        "enough to keep a snapshot, as in restic's forget. Hours, days, weeks, " +
        "months and years are those of the calendar in the local time zone. " +
        "Before prune removes any, it reads the newest snapshots until one is " +
        "good: that one always stays. Snapshots that are bad or can't be read " +
        "stay too, and do not count.",
    )
    .argument("<DIR>", "the store's directory", parsePath);
  addRetentionOptions(command)
    .option("--dry-run", "only name the snapshots that would be removed")
    .addOption(hostIdOption())
    .option("--json", "print the decisions as an object")
    .action(prune);
}

async function prune(path: string, options: PruneOptions): Promise<void> {
  const policy = policyOf(options);
  if (policy === undefined) {
    throw new InvalidArgumentError(
      "Cannot prune without a policy: give at least one --keep- option",
    );
  }
  const { dryRun = false, hostId } = options;
  const archives = await findArchives(path, { hostId });
  if (archives !== undefined) {
    return await pruneArchives(archives, policy, options);
  }
  const { directory } = await findStore(path);
  await withInterrupts(async (signal) => {
    const run = async (store: SnapshotStore) => {
      const plan = await makePlan(store, policy, signal);
      if (!options.json) {
        await print(...describeDecisions(plan.decisions, show));
      }
      const failed = dryRun ? [] : await removeAll(store, plan, signal);
      await report(plan, failed, options);
    };
    await (dryRun
      ? withStoreToRead(directory, run)
      : withStoreToMend(directory, options, run));
  });
}

interface Plan {
  /** Newest first by time. */
  readonly decisions: readonly RetentionDecision<SnapshotMeta>[];
  /**
   * The snapshots that the policy does not count, because they are not usable.
   */
  readonly unusable: readonly Finding[];
}

async function makePlan(
  store: SnapshotStore,
  policy: RetentionPolicy,
  signal: AbortSignal,
): Promise<Plan> {
  const entries = await store.list({ unusable: true });
  const metas = entries.flatMap((entry) =>
    entry.state === "usable" ? [entry.meta] : []
  );
  const unusable = entries.flatMap(toFinding);
  const timeOf = takenTime;
  const first = applyRetentionPolicy(metas, policy, { timeOf });
  // A plan that removes nothing need not read a snapshot.
  if (first.every(({ keep }) => keep)) return { decisions: first, unusable };
  const ids = metas.map(({ id }) => id);
  const good = await findNewestGood(store, ids, signal);
  unusable.push(...good.passedOver);
  if (good.id === undefined) throw noGood(unusable);
  const passedOver = new Set(good.passedOver.map(({ id }) => id));
  const decisions = applyRetentionPolicy(
    metas.filter(({ id }) => !passedOver.has(id)),
    policy,
    {
      timeOf,
      protect: ({ id }) =>
        id === good.id ? "newest known to be good" : undefined,
    },
  );
  return { decisions, unusable };
}

function toFinding(entry: ListEntry): Finding[] {
  if (entry.state === "usable" || entry.state === "quarantined") return [];
  const { id, error } = entry;
  return [{ id, meta: undefined, errors: [error], report: undefined }];
}

function noGood(findings: readonly Finding[]): CommandError {
  const reason = findings[0]?.errors[0];
  return new CommandError(
    "Cannot prune: found no snapshot that is known to be good; nothing is " +
      "removed" + (reason === undefined ? "" : `; ${messageOf(reason)}`),
    { exitCode: exitCodeOf(findings), cause: reason },
  );
}

function show(meta: SnapshotMeta) {
  return { name: meta.id, size: meta.size, time: takenTime(meta) };
}

/**
 * Removes the snapshots that the plan does not keep; gives those that could not
 * be removed.
 */
async function removeAll(
  store: SnapshotStore,
  plan: Plan,
  signal: AbortSignal,
): Promise<string[]> {
  const failed: string[] = [];
  // The oldest first, so that an interruption leaves a valid history.
  for (const { id } of doomedBy(plan).reverse()) {
    signal.throwIfAborted();
    try {
      await store.delete(id);
    } catch (error) {
      // After a failure the others are still removed.
      if (!(error instanceof SnapshotError)) throw error;
      warn(messageOf(error));
      failed.push(id);
    }
  }
  return failed;
}

function doomedBy({ decisions }: Plan): SnapshotMeta[] {
  return decisions.filter(({ keep }) => !keep).map(({ item }) => item);
}

/** @throws {CommandError} when a removal has failed or a snapshot is not good. */
async function report(
  plan: Plan,
  failed: readonly string[],
  { dryRun = false, json = false }: PruneOptions,
): Promise<void> {
  const { decisions, unusable } = plan;
  const doomed = doomedBy(plan);
  const removed = doomed.filter(({ id }) => !failed.includes(id));
  if (json) {
    await printJson({
      dryRun,
      keep: decisions.filter(({ keep }) => keep)
        .map(({ item, reasons }) => ({ ...item.toJSON(), reasons })),
      remove: doomed,
      failed,
      unusable: unusable.map((finding) => ({
        id: finding.id,
        state: stateOf(finding),
        errors: finding.errors.map(messageOf),
      })),
    });
  } else await print(summarize(removed, dryRun));
  for (const finding of unusable) {
    for (const line of describeFinding(finding, 0)) warn(line);
  }
  if (failed.length > 0) {
    throw new CommandError(
      `Cannot remove ${failed.length} of ${doomed.length} snapshots`,
    );
  }
  if (unusable.length === 0) return;
  throw new CommandError(
    `Kept without being counted, because they are bad or could not be ` +
      `checked: ${counted(unusable.length, "snapshot")}`,
    { exitCode: exitCodeOf(unusable) },
  );
}

function summarize(removed: readonly SnapshotMeta[], dryRun: boolean): string {
  if (removed.length === 0) {
    return dryRun ? "nothing would be removed" : "nothing was removed";
  }
  const bytes = removed.reduce((sum, { size }) => sum + size, 0);
  const what = `${counted(removed.length, "snapshot")}, ${formatSize(bytes)}`;
  return dryRun ? `would remove ${what}` : `removed ${what}`;
}
