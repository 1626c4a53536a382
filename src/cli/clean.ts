/** `clean DIR`: removes what was left unfinished in a store. */

import process from "node:process";
import { type Command, InvalidArgumentError, Option } from "commander";
import { type SweepOutcome, sweepUnfinished } from "../file_store/sweep.ts";
import { parseDuration } from "./arguments.ts";
import { CommandError } from "./failure.ts";
import { alignColumns, formatSize } from "./format.ts";
import { print, printJson, warn } from "./output.ts";
import { requireStore, withStoreToMend } from "./stores.ts";
import {
  contextOf,
  findLeftovers,
  formatTime,
  type Leftover,
  leftoverJson,
  summarize,
} from "./unfinished.ts";

interface CleanOptions {
  readonly yes?: true;
  readonly olderThan?: number;
  readonly json?: true;
}

/** Adds the command. */
export function registerClean(program: Command): void {
  program.command("clean")
    .summary("remove what was left unfinished")
    .description(
      "Removes snapshots that were never finished, and the rest of deletions, " +
        "as a crash leaves them. It takes the store's lock, so that what it " +
        "removes is not the work of a live program that uses this library. " +
        "What another program was writing, such as a Go server, it removes " +
        "only when nothing in it has changed for an hour. Snapshots, and " +
        "those that were set aside as corrupt, stay.",
    )
    .argument("<DIR>", "the store's directory")
    .option("--yes", "do not ask; without a terminal nothing is removed else")
    .addOption(
      new Option(
        "--older-than <DURATION>",
        "the age from which another program's is removed, such as 90s, 30m, " +
          "2h or 1d (default: 1h)",
      ).argParser(parseDuration),
    )
    .option("--json", "print what was removed and what was left as an object")
    .action(clean);
}

async function clean(directory: string, options: CleanOptions): Promise<void> {
  await requireStore(directory);
  const context = contextOf(directory, options.olderThan);
  const found = await findLeftovers(context);
  const doomed = found.filter((leftover) => !leftover.isForeignAndYoung);
  if (doomed.length > 0 && !options.yes) {
    await showPlan(found, options);
    if (!await isConfirmed(doomed)) return warn("nothing was removed");
  }
  // With nothing unfinished there is no need to take the lock.
  const outcomes = found.length === 0
    ? new Map<string, SweepOutcome>()
    : await withStoreToMend(directory, () => sweepUnfinished(context));
  if (found.length === 0) warn(`nothing is unfinished in ${directory}`);
  await report(found, outcomes, options);
}

/** What is there, before the question whether to remove it. */
async function showPlan(
  found: readonly Leftover[],
  { json }: CleanOptions,
): Promise<void> {
  // Of JSON there is one document: what has been done.
  if (json) return;
  await print(...alignColumns(
    [
      ["NAME", "SIZE", "CHANGED", ""],
      ...found.map((leftover) => [
        leftover.name,
        formatSize(leftover.bytes),
        formatTime(leftover.changedMs) ?? "unknown",
        leftover.isForeignAndYoung ? "may be under way: stays" : "",
      ]),
    ],
    ["left", "right", "left", "left"],
  ));
}

/** @throws {InvalidArgumentError} when there is no terminal to ask on. */
async function isConfirmed(doomed: readonly Leftover[]): Promise<boolean> {
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

/** Each has been named, with the reason. @throws {CommandError} when one stays. */
async function report(
  found: readonly Leftover[],
  outcomes: ReadonlyMap<string, SweepOutcome>,
  { json }: CleanOptions,
): Promise<void> {
  const of = (outcome: SweepOutcome) =>
    found.filter(({ name }) => outcomes.get(name) === outcome);
  const [removed, failed] = [of("removed"), of("failed")];
  if (json) {
    const left = [...failed, ...of("left")];
    await printJson({
      removed: removed.map(leftoverJson),
      left: left.map(leftoverJson),
    });
  } else if (removed.length > 0) await print(`removed ${summarize(removed)}`);
  if (failed.length === 0) return;
  throw new CommandError(`${summarize(failed)}: could not be removed`);
}
