/**
 * `deno task test:powercut`: cuts the power of real file systems (ext4, xfs,
 * btrfs) while a store works on them, and checks the store afterwards. See
 * `scripts/powercut/README.md`. Needs Linux and root; elsewhere it says so and
 * does nothing.
 *
 * Without options it is a sample. `--full` tries each power cut there is,
 * `--only=ext4,xfs` some of the file systems. With `--require` the run fails when
 * a part is left out because this machine lacks something. `SEED=1` repeats the random choices.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { freshSeed } from "../tests/support/random.ts";
import { explore, type Outcome, type Violation } from "./powercut/explore.ts";
import {
  fileSystems,
  type KernelFileSystem,
  prepare,
} from "./powercut/file_systems.ts";
import type { Syncs } from "./powercut/lazy_file_system.ts";
import {
  endWithParent,
  enterSandbox,
  isInSandbox,
  whyNot,
} from "./powercut/sandbox.ts";
import { temporaryFolder } from "./support/temporary_folder.ts";

/** Power cuts of one file system: in the sample, and in the full run. */
const CUTS = { sample: 100, full: Infinity } as const;
/** Random choices of kept writes at a flush. */
const SEEDS = { sample: 2, full: 10 } as const;
/** How often the workload works. */
const ROUNDS = { sample: 1, full: 2 } as const;
const VIOLATIONS_SHOWN = 10;
/** A sync that is left out has to be noticed by then. */
const CUTS_UNTIL_NOTICED = 300;

const { values } = parseArgs({
  options: {
    full: { type: "boolean", default: false },
    only: { type: "string" },
    require: { type: "boolean", default: false },
    folder: { type: "string", default: "" },
  },
});
const size = values.full ? "full" : "sample";
const seed = freshSeed();

/** Whether the violations include a harmed snapshot and a harmed archive. */
function isNoticed(violations: readonly Violation[]): boolean {
  const wrong = violations.flatMap((violation) => violation.wrong);
  return wrong.some((line) => /^\d+-\d+-\d+ /.test(line)) &&
    wrong.some((line) => line.includes(".snap is "));
}

/** Whether there are as many violations as are shown. */
function isTooMuch({ length }: readonly Violation[]): boolean {
  return length >= VIOLATIONS_SHOWN;
}

/** Prints the outcome; whether it is the expected one. */
function report(
  name: string,
  syncs: Syncs,
  { images, unflushed, violations }: Outcome,
): boolean {
  const isExpected = syncs === "all"
    ? violations.length === 0
    : isNoticed(violations);
  console.log(
    `${isExpected ? "ok    " : "FAILED"} ${name}, ${syncs} syncs: ${images} ` +
      `images (${unflushed} with unflushed writes), ` +
      `${violations.length} violations`,
  );
  if (isExpected) return true;
  for (const { cut, wrong } of violations.slice(0, VIOLATIONS_SHOWN)) {
    console.log([`  ${JSON.stringify(cut)}:`, ...wrong].join("\n    "));
  }
  return false;
}

/** Tries one file system; whether all is well. */
async function tryOne(
  fileSystem: KernelFileSystem,
  folder: string,
): Promise<boolean> {
  let ok = true;
  for (let round = 0; round < ROUNDS[size]; round++) {
    ok = await tryWith("all", round) && ok;
  }
  for (const syncs of ["no directory", "no file"] as const) {
    ok = await tryWith(syncs) && ok;
  }
  return ok;

  async function tryWith(syncs: Syncs, round = 0): Promise<boolean> {
    const isReal = syncs === "all";
    const outcome = await explore(fileSystem, {
      ...{ folder, syncs, seed: seed + round, seeds: SEEDS[size] },
      cutsMax: isReal ? CUTS[size] : CUTS_UNTIL_NOTICED,
      isEnough: isReal ? isTooMuch : isNoticed,
    });
    return report(fileSystem.name, syncs, outcome);
  }
}

/** Tries all that are asked for; whether all is well. */
async function tryAll(folder: string): Promise<boolean> {
  console.log(`SEED=${seed}`);
  const only = values.only?.split(",");
  let ok = true;
  let tried = 0;
  for (const fileSystem of fileSystems) {
    const { name } = fileSystem;
    if (only !== undefined && !only.includes(name)) continue;
    const reason = await prepare(fileSystem);
    if (reason === undefined) {
      ok = await tryOne(fileSystem, folder) && ok;
      tried++;
    } else {
      console.log(`skipped ${name}: ${reason}`);
      ok &&= !values.require;
    }
  }
  if (tried === 0) console.log("FAILED no file system could be tried");
  return ok && tried > 0;
}

async function main(): Promise<boolean> {
  if (isInSandbox()) {
    void endWithParent();
    return await tryAll(values.folder);
  }
  const reason = await whyNot();
  if (reason !== undefined) {
    console.log(`skipped: cannot cut the power here: ${reason}`);
    return !values.require;
  }
  await using folder = await temporaryFolder();
  return await enterSandbox([...Deno.args, `--folder=${folder.path}`]);
}

Deno.exit(await main() ? 0 : 1);
