/** `clean DIR`: removes unfinished snapshots and deletions from a store. */

import { type Command, Option } from "commander";
import type { CleanReport, UnfinishedSnapshot } from "../../mod.ts";
import { hostIdOption, parseDuration, parsePath } from "./arguments.ts";
import { confirm } from "./confirm.ts";
import { CommandError } from "./failure.ts";
import { alignColumns, formatSize } from "./format.ts";
import { print, printJson, warn } from "./output.ts";
import { findStore } from "./place.ts";
import { type LockingOptions, withStoreToMend } from "./stores.ts";
import { findUnfinished, summarize } from "./unfinished.ts";

interface CleanOptions extends LockingOptions {
  readonly yes?: true;
  readonly olderThan?: number;
  readonly json?: true;
}

/** Adds the command. */
export function registerClean(program: Command): void {
  program.command("clean")
    .summary("remove unfinished snapshots and deletions")
    .description(
      "Removes the unfinished snapshots and deletions that a crash has left. " +
        "clean takes the lock of a directory, which proves that no program with " +
        "this library is writing them. Unfinished snapshots of another " +
        "program, such as a Go server, are removed only when nothing in them " +
        "has changed for an hour; in a bucket, for a day. Published snapshots " +
        "stay, and so do corrupt ones in quarantine.",
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
          "unchanged, such as 90s, 30m, 2h or 1d (default: 1h; in a bucket 1d)",
      ).argParser(parseDuration),
    )
    .addOption(hostIdOption())
    .option("--json", "print the outcomes as an object")
    .action(clean);
}

async function clean(path: string, options: CleanOptions): Promise<void> {
  const { directory } = await findStore(path);
  const { olderThan, hostId } = options;
  const foreignTmpAgeMs = olderThan;
  const found = await findUnfinished(directory, { foreignTmpAgeMs, hostId });
  const nothing = { removed: [], left: found, failed: [] };
  if (found.length === 0) warn(`found nothing unfinished in ${directory}`);
  const doomed = found.filter((snapshot) => !stays(snapshot));
  if (found.length > 0 && doomed.length === 0) {
    warn(`leaving ${summarize(found)}, which may be under way (--older-than)`);
  }
  if (doomed.length > 0 && !options.yes) {
    await showPlan(found, options);
    if (!await isConfirmed(doomed)) {
      warn("nothing was removed");
      return await report(nothing, options);
    }
  }
  // With nothing unfinished the lock is not needed.
  const outcome = found.length === 0 ? nothing : await withStoreToMend(
    directory,
    { hostId },
    (store) => store.clean({ olderThanMs: olderThan }),
  );
  await report(outcome, options);
}

/** Whether another program may be writing it. */
function stays({ isForeign, mayBeUnderWay }: UnfinishedSnapshot): boolean {
  return isForeign && mayBeUnderWay;
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
        stays(snapshot) ? "stays, because it may be under way" : "",
      ]),
    ],
    ["left", "right", "left", "left"],
  ));
}

function isConfirmed(doomed: readonly UnfinishedSnapshot[]): Promise<boolean> {
  const them = summarize(doomed);
  return confirm(`Remove ${them}?`, {
    what: `remove ${them}`,
    without: "nothing is removed",
  });
}

/**
 * Prints the outcomes. The logger has named each failure with its reason.
 *
 * @throws {CommandError} when a removal has failed.
 */
async function report(
  outcome: CleanReport,
  { json }: CleanOptions,
): Promise<void> {
  const { removed, failed } = outcome;
  if (json) await printJson(outcome);
  else if (removed.length > 0) await print(`removed ${summarize(removed)}`);
  if (failed.length === 0) return;
  throw new CommandError(
    `Cannot remove ${summarize(failed)}: see the warnings above`,
  );
}
