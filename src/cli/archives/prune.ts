/** `prune DIR --keep-...` where DIR has archives. */

import type { ArchiveStore, StoredArchive } from "../../archive/mod.ts";
import { applyRetentionPolicy, type RetentionPolicy } from "../../../mod.ts";
import { CommandError } from "../failure.ts";
import { describeFinding, type Finding, stateOf } from "../finding.ts";
import { counted } from "../format.ts";
import { withInterrupts } from "../interrupt.ts";
import { print, printJson, warn } from "../output.ts";
import { messageOf } from "../reason.ts";
import { describeDecisions, exitCodeOf } from "../retention_report.ts";
import { findNewestGoodArchive } from "./check.ts";
import { archiveJson } from "./list.ts";
import { reading } from "./open.ts";
import { removeArchives } from "./remove.ts";

interface PruneFlags {
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** Removes the archives that the policy does not keep. */
export async function pruneArchives(
  store: ArchiveStore,
  policy: RetentionPolicy,
  flags: PruneFlags,
): Promise<void> {
  await withInterrupts(async (signal) => {
    // A backup that is being made must not meet this.
    const lease = flags.dryRun === true ? undefined : await store.lease();
    try {
      await prune(store, policy, { ...flags, signal });
    } finally {
      await lease?.release();
    }
  });
}

async function prune(
  store: ArchiveStore,
  policy: RetentionPolicy,
  { dryRun = false, json = false, signal }: PruneFlags & {
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const good = await findNewestGoodArchive(store, signal);
  const unusable = good.passedOver;
  if (good.name === undefined) throw noGood(store, unusable);
  const isCounted = ({ name }: StoredArchive) =>
    !unusable.some(({ id }) => id === name);
  const archives = (await reading(() => store.list())).filter(isCounted);
  const decisions = applyRetentionPolicy(archives, policy, {
    timeOf: ({ createdAt }) => createdAt,
    protect: ({ name }) =>
      name === good.name ? "newest known to be good" : undefined,
  });
  if (!json) await print(...describeDecisions(decisions, show));
  const doomed = decisions.filter(({ keep }) => !keep).map(({ item }) => item);
  const { failed } = dryRun
    ? { failed: [] }
    : await removeArchives(store, decisions, signal);
  if (json) {
    await printJson({
      dryRun,
      keep: decisions.filter(({ keep }) => keep)
        .map(({ item, reasons }) => ({ ...archiveJson(item), reasons })),
      remove: doomed.map(archiveJson),
      failed: failed.map(archiveJson),
      unusable: unusable.map((finding) => ({
        name: finding.id,
        state: stateOf(finding),
        errors: finding.errors.map(messageOf),
      })),
    });
  } else await print(summarize(doomed.length - failed.length, dryRun));
  for (const finding of unusable) {
    for (const line of describeFinding(finding, 0)) warn(line);
  }
  if (failed.length > 0) {
    throw new CommandError(
      `Cannot remove ${failed.length} of ${doomed.length} archives`,
    );
  }
  if (unusable.length === 0) return;
  throw new CommandError(
    `Kept without being counted, because they are bad or could not be ` +
      `checked: ${counted(unusable.length, "archive")}`,
    { exitCode: exitCodeOf(unusable) },
  );
}

function noGood(
  { place }: ArchiveStore,
  findings: readonly Finding[],
): CommandError {
  const reason = findings[0]?.errors[0];
  return new CommandError(
    `Cannot prune ${place}: found no archive that is good; nothing is removed` +
      (reason === undefined ? "" : `; ${messageOf(reason)}`),
    { exitCode: exitCodeOf(findings), cause: reason },
  );
}

function show({ name, size, createdAt }: StoredArchive) {
  return { name, size, time: createdAt };
}

function summarize(count: number, dryRun: boolean): string {
  const verb = dryRun ? "would remove" : "removed";
  return `${verb} ${counted(count, "archive")}`;
}
