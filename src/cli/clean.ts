/** `clean DIR`: removes unfinished snapshots and deletions from a store. */

import process from "node:process";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { UnfinishedSnapshot } from "../../mod.ts";
import { FileBackend } from "../backends/file/file_backend.ts";
import { FOREIGN_TMP_AGE_MS_DEFAULT } from "../backends/file/options.ts";
import type { SweepOutcome } from "../backends/file/sweep.ts";
import { hostIdOption, parseDuration, parsePath } from "./arguments.ts";
import { CommandError } from "./failure.ts";
import { alignColumns, formatSize } from "./format.ts";
import { print, printJson, warn } from "./output.ts";
import {
  type LockingOptions,
  type ReadingOptions,
  withBackendToMend,
} from "./stores.ts";
import { findUnfinished, summarize } from "./unfinished.ts";

interface CleanOptions extends LockingOptions {
  readonly yes?: true;
  readonly olderThan: number;
  readonly json?: true;
}

/** Adds the command. */
export function registerClean(program: Command): void {
  program.command("clean")
    .summary("remove unfinished snapshots and deletions")
    .description(
      "Removes the unfinished snapshots and deletions that a crash has left. " +
        "clean takes the store's lock, which proves that no program with this " +
        "library is writing them. Unfinished snapshots of another program, " +
        "such as a Go server, are removed only when nothing in them has " +
        "changed for an hour. Published snapshots stay, and so do corrupt ones " +
        "in quarantine.",
    )
    .argument("<DIR>", "the store's directory", parsePath)
    .option(
      "--yes",
      "remove without asking; needed when stdin is not a terminal",
    )
    .addOption(
      new Option(
        "--older-than <DURATION>",
        "how long another program must have left its unfinished snapshot " +
          "unchanged, such as 90s, 30m, 2h or 1d",
      ).argParser(parseDuration).default(FOREIGN_TMP_AGE_MS_DEFAULT, "1h"),
    )
    .addOption(hostIdOption())
    .option("--json", "print the outcomes as an object")
    .action(clean);
}

async function clean(directory: string, options: CleanOptions): Promise<void> {
  const { olderThan: foreignTmpAgeMs, hostId } = options;
  const found = await findUnfinished(directory, { foreignTmpAgeMs, hostId });
  const doomed = found.filter((snapshot) => !stays(snapshot));
  if (doomed.length > 0 && !options.yes) {
    await showPlan(found, options);
    if (!await isConfirmed(doomed)) {
      warn("nothing was removed");
      return await report(found, new Map(), options);
    }
  }
  // With nothing unfinished the lock is not needed.
  const outcomes = found.length === 0
    ? new Map<string, SweepOutcome>()
    : await sweep(directory, { foreignTmpAgeMs, hostId });
  if (found.length === 0) warn(`found nothing unfinished in ${directory}`);
  await report(found, outcomes, options);
}

/** Whether another program may be writing it. */
function stays({ isForeign, mayBeUnderWay }: UnfinishedSnapshot): boolean {
  return isForeign && mayBeUnderWay;
}

function sweep(directory: string, options: ReadingOptions) {
  const backend = new FileBackend(directory, { ...options, sweep: false });
  return withBackendToMend(backend, () => backend.sweep());
}

/** Lists the snapshots before the question whether to remove them. */
async function showPlan(
  found: readonly UnfinishedSnapshot[],
  { json }: CleanOptions,
): Promise<void> {
  // --json prints one document only, at the end: the outcomes.
  if (json) return;
  await print(...alignColumns(
    [
      ["NAME", "SIZE", "CHANGED", ""],
      ...found.map((snapshot) => [
        snapshot.name,
        snapshot.size === undefined ? "unknown" : formatSize(snapshot.size),
        snapshot.changedAt?.toISOString() ?? "unknown",
        stays(snapshot) ? "may be under way: stays" : "",
      ]),
    ],
    ["left", "right", "left", "left"],
  ));
}

/** @throws {InvalidArgumentError} when there is no terminal to ask on. */
async function isConfirmed(
  doomed: readonly UnfinishedSnapshot[],
): Promise<boolean> {
  if (!process.stdin.isTTY) {
    throw new InvalidArgumentError(
      "Cannot ask whether to remove " +
        `${summarize(doomed)}: stdin is not a terminal; ` +
        "nothing is removed without --yes",
    );
  }
  process.stderr.write(`Remove ${summarize(doomed)}? [y/N] `);
  for await (const line of process.stdin) {
    return /^\s*y(es)?\s*$/i.test(String(line));
  }
  return false;
}

/**
 * Prints the outcomes. The logger has named each failure with its reason.
 *
 * @throws {CommandError} when a removal has failed.
 */
async function report(
  found: readonly UnfinishedSnapshot[],
  outcomes: ReadonlyMap<string, SweepOutcome>,
  { json }: CleanOptions,
): Promise<void> {
  const of = (outcome: SweepOutcome) =>
    found.filter(({ name }) => outcomes.get(name) === outcome);
  const [removed, failed] = [of("removed"), of("failed")];
  if (json) {
    // Another program has finished or removed those that are gone.
    const left = found.filter(({ name }) =>
      !["removed", "gone"].includes(outcomes.get(name) ?? "left")
    );
    await printJson({
      removed,
      left,
    });
  } else if (removed.length > 0) await print(`removed ${summarize(removed)}`);
  if (failed.length === 0) return;
  throw new CommandError(
    `Cannot remove ${summarize(failed)}: see the warnings above`,
  );
}
