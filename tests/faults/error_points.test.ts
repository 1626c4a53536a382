import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { NoUsableSnapshotError, SnapshotError } from "@raft/snapshots";
import type { Fault, Injector, OperationName } from "@raft/snapshots/testing";
import { violations } from "../crash/invariants.ts";
import { recover } from "../crash/recovery.ts";
import { amount, isFullRun, report } from "../support/full_run.ts";
import { freshSeed, random } from "../support/random.ts";
import { Workday } from "./workload.ts";

const seed = freshSeed();

/** How many days have several faults. */
const DAYS = amount(25, 3000);

/** How much of what was not synced a power cut leaves after such a day. */
const KEPT_PERCENT = isFullRun ? [0, 50, 100] : [0];

/** Whether an error is ours, and tells which error of the system it was. */
function isNamed(error: unknown, codes: readonly string[]): boolean {
  if (!(error instanceof SnapshotError)) return false;
  if (error instanceof NoUsableSnapshotError) {
    return error.errors.some((each) => isNamed(each, codes));
  }
  const code = (error.cause as { code?: string } | undefined)?.code;
  return code !== undefined && code === error.code && codes.includes(code);
}

/** What went wrong on a day, and how much of it the faults may explain. */
interface Expectation {
  /** The codes of the faults. */
  readonly codes: readonly string[];
  /** How many tasks may fail. */
  readonly refusalsMax: number;
}

/** Works for a day with faults; tells what is wrong, and whether any came. */
async function workThrough(
  makeInjector: (day: Workday) => Injector,
  { codes, refusalsMax }: Expectation,
) {
  const day = await Workday.begin();
  const injector = makeInjector(day);
  const hit: string[] = [];
  day.files.inject((operation) => {
    const fault = injector(operation);
    const { name, path } = operation;
    if (fault !== undefined) hit.push(`${day.task}: ${name} ${path}`);
    return fault;
  });
  await day.work();
  day.files.inject();
  const { refusals } = day;
  const wrong = refusals.filter(({ error }) => !isNamed(error, codes))
    .map(({ task, error }) => `${task}: ${error}`);
  if (refusals.length > refusalsMax) {
    const tasks = refusals.map(({ task }) => task).join();
    wrong.push(`more has failed than should: ${tasks}`);
  }
  await day.close().catch((error) => wrong.push(`still not closed: ${error}`));
  const open = day.files.openHandles;
  if (open > 0) wrong.push(`${open} files are still open`);
  wrong.push(...await afterPowerCut(day));
  return { hit, wrong };
}

/** What was acknowledged is there, and nothing has leaked. */
async function afterPowerCut({ disk, ledger }: Workday): Promise<string[]> {
  const found: string[] = [];
  for (const keptPercent of KEPT_PERCENT) {
    const image = disk.crash({ seed, keptPercent, renames: "split" });
    found.push(...violations(await recover(image), image.tree(), ledger));
  }
  return found;
}

/**
 * Works for a day for each operation that there is, or for some of them, with a
 * fault at that operation.
 */
async function atEveryOperation(
  makeInjector: (index: number, day: Workday) => Injector,
  expectation: Expectation,
): Promise<void> {
  const stride = amount(16, 1);
  let days = 0;
  for (let index = random(seed).integer(stride);; index += stride) {
    const { hit, wrong } = await workThrough(
      (day) => makeInjector(index, day),
      expectation,
    );
    if (hit.length === 0) break;
    days++;
    const where = `SEED=${seed}, operation ${index}\n${hit.join("\n")}`;
    assert.deepEqual(wrong, [], where);
  }
  report("days with a fault", days);
}

/**
 * Whether a lock is being given up. When that fails after a failed opening,
 * nobody has a store to close once more: the lock stays until the process ends.
 */
function isRelease(name: OperationName): boolean {
  return name === "release";
}

/** Faults that happen once. */
const ONCE: readonly Fault[] = [
  { code: "EIO" },
  { code: "EIO", when: "after" },
  { code: "ENOSPC" },
  { code: "EACCES" },
  { code: "EMFILE" },
];

describe("an error of the system", () => {
  for (const fault of ONCE) {
    const { code = "", when = "before" } = fault;
    it(`does no harm, whatever it happens to: ${code}, ${when} the act`, () =>
      atEveryOperation(
        (at) => ({ index }) => index === at ? fault : undefined,
        { codes: [code], refusalsMax: 1 },
      ));
  }

  it("does no harm when it only makes a read or write shorter", () =>
    atEveryOperation(
      (at) => ({ index }) => index >= at ? { length: 777 } : undefined,
      { codes: [], refusalsMax: 0 },
    ));

  for (const code of ["EIO", "ENOSPC"]) {
    it(`does no harm when it lasts for a while: ${code}`, () =>
      atEveryOperation(
        (at, day) => {
          let task: string | undefined;
          return ({ index, name }) => {
            if (index === at) task = day.task;
            const isHit = day.task === task &&
              (index === at || !isRelease(name));
            return isHit ? { code } : undefined;
          };
        },
        { codes: [code], refusalsMax: 1 },
      ));
  }

  it("does no harm when another comes in its way", async () => {
    for (let i = 0; i < DAYS; i++) {
      const { integer, pick } = random(seed + i);
      const at = [integer(300), integer(300)];
      at.push((at[0] ?? 0) + 1 + integer(4));
      const faults = new Map(at.map((index) => [index, pick(ONCE)]));
      const codes = [...faults.values()].map(({ code = "" }) => code);
      const { hit, wrong } = await workThrough(
        () => ({ index, name }) =>
          isRelease(name) ? undefined : faults.get(index),
        { codes, refusalsMax: 3 },
      );
      assert.deepEqual(wrong, [], `SEED=${seed}, day ${i}\n${hit.join("\n")}`);
    }
    report("days with a fault", DAYS);
  });
});
