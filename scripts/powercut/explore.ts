/**
 * Tries power cuts on one file system of the kernel, one after the other.
 *
 * @module
 */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { random } from "../../tests/support/random.ts";
import { mustRun } from "../support/command.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import { cutsOf, sample, shuffle } from "./cuts.ts";
import { Disk } from "./disk.ts";
import type { KernelFileSystem } from "./file_systems.ts";
import { checkStore } from "./check_store.ts";
import type { Syncs } from "./lazy_file_system.ts";
import type { Cut, Entry } from "./log.ts";
import { expectationsOf, isMark } from "./marks.ts";

const WORKLOAD = fileURLToPath(new URL("workload.ts", import.meta.url));

/** How many power cuts are tried, and with which syncs. */
export interface Effort {
  /** Where temporary folders are made. */
  readonly folder: string;
  readonly syncs: Syncs;
  readonly seed: number;
  /** How many random choices of kept writes there are at a flush. */
  readonly seeds: number;
  /** How many power cuts are tried at most. */
  readonly cutsMax: number;
  /** Whether these violations are enough to stop. */
  readonly isEnough: (violations: readonly Violation[]) => boolean;
}

/** A power cut that the store has not survived. */
export interface Violation {
  readonly cut: Cut;
  readonly wrong: readonly string[];
}

/** The power cuts that were tried, and those that did harm. */
export interface Outcome {
  /** How many disks were mounted and checked. */
  readonly images: number;
  /** On how many of them something was kept that had not been flushed. */
  readonly unflushed: number;
  readonly violations: readonly Violation[];
}

function positionOf(entries: readonly Entry[], what: "begin" | "end"): number {
  const position = entries.findIndex((entry) =>
    entry.kind === "mark" && isMark(entry.mark, what)
  );
  if (position < 0) {
    throw new Error(`The log has no mark of the work's ${what}`);
  }
  return position;
}

function marksBefore(
  entries: readonly Entry[],
  { position }: Cut,
): readonly string[] {
  return entries.slice(0, position).flatMap((entry) =>
    entry.kind === "mark" ? [entry.mark] : []
  );
}

async function work(disk: Disk, contents: string, syncs: Syncs): Promise<void> {
  const args = [
    ...["run", "--allow-all", "--quiet", WORKLOAD],
    ...[disk.control, contents, syncs],
  ];
  await disk.use(() => mustRun(Deno.execPath(), args));
}

/** Runs the workload, and checks the disk after each of the power cuts. */
export async function explore(
  fileSystem: KernelFileSystem,
  { folder: parent, syncs, seed, seeds, cutsMax, isEnough }: Effort,
): Promise<Outcome> {
  await using folder = await temporaryFolder(parent);
  await using disk = await Disk.make(fileSystem, folder.path);
  const contents = join(folder.path, "contents");
  await Deno.mkdir(contents);
  await work(disk, contents, syncs);
  const entries = await disk.entries();
  const chance = random(seed);
  const all = [...cutsOf(entries, {
    begin: positionOf(entries, "begin"),
    end: positionOf(entries, "end"),
    random: chance,
    seeds,
    whole: fileSystem.superblocks,
  })];
  const chosen = sample(all, cutsMax, chance);
  // The log's order is faster; a random order finds a violation sooner.
  if (syncs !== "all") shuffle(chosen, chance);
  const violations: Violation[] = [];
  let images = 0;
  let unflushed = 0;
  for (const cut of chosen) {
    const expectations = await expectationsOf(marksBefore(entries, cut));
    const wrong = await disk.useAfter(cut, () => checkStore(expectations))
      .catch((error) => [`the disk cannot be used: ${error}`]);
    images++;
    if (cut.kept.length > 0) unflushed++;
    if (wrong.length === 0) continue;
    violations.push({ cut, wrong });
    if (isEnough(violations)) break;
  }
  return { images, unflushed, violations };
}
