/**
 * Power cuts on one file system of the kernel, one after the other.
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
import { judge } from "./check_store.ts";
import type { Syncs } from "./lazy_file_system.ts";
import type { Cut, Entry } from "./log.ts";
import { isMark, ledgerOf } from "./marks.ts";

const WORKLOAD = fileURLToPath(new URL("workload.ts", import.meta.url));

/** How much is tried. */
export interface Effort {
  /** Where the folders for all that is made are made. */
  readonly folder: string;
  readonly syncs: Syncs;
  readonly seed: number;
  /** How many random choices there are of what is kept at a flush. */
  readonly seeds: number;
  /** How many power cuts are tried at most. */
  readonly cutsMax: number;
  /** Whether the violations so far are all that was looked for. */
  readonly isEnough: (violations: readonly Violation[]) => boolean;
}

/** A power cut that the store has not survived. */
export interface Violation {
  readonly cut: Cut;
  readonly wrong: readonly string[];
}

/** What came of it. */
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
  if (position < 0) throw new Error(`The workload has not come to its ${what}`);
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

/** Lets the workload work, and cuts the power again and again. */
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
  // In any order, something is noticed sooner; in time's order, it is faster.
  if (syncs !== "all") shuffle(chosen, chance);
  const violations: Violation[] = [];
  let images = 0;
  let unflushed = 0;
  for (const cut of chosen) {
    const ledger = await ledgerOf(marksBefore(entries, cut));
    const wrong = await disk.useAfter(cut, () => judge(ledger))
      .catch((error) => [`the disk cannot be used: ${error}`]);
    images++;
    if (cut.kept.length > 0) unflushed++;
    if (wrong.length === 0) continue;
    violations.push({ cut, wrong });
    if (isEnough(violations)) break;
  }
  return { images, unflushed, violations };
}
