import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { NoUsableSnapshotError, SnapshotError } from "@raft/snapshots";
import type { Fault, Injector, OperationName } from "@raft/snapshots/testing";
import { violations } from "../crash/invariants.ts";
import { recover } from "../crash/recovery.ts";
import { amount, isFullRun, report, sample } from "../support/full_run.ts";
import { freshSeed, random } from "../support/random.ts";
import { Workload } from "./workload.ts";

const seed = freshSeed();

/** How many runs of the workload have several faults. */
const RUNS = sample(25, 3000);

/** How many of the unsynced operations a power cut after such a run keeps. */
const KEPT_PERCENT = isFullRun ? [0, 50, 100] : [0];

/** Whether an error is one of this library's, and names one of those codes. */
function isNamed(error: unknown, codes: readonly string[]): boolean {
  if (!(error instanceof SnapshotError)) return false;
  if (error instanceof NoUsableSnapshotError) {
    return error.errors.some((each) => isNamed(each, codes));
  }
  return codes.includes(error.systemCode ?? "");
}

/** The limits of the effects of a run's faults. */
interface FaultLimits {
  /** The codes of the faults. */
  readonly codes: readonly string[];
  /** How many tasks may fail. */
  readonly failuresMax: number;
}

/**
 * Runs the workload with faults; gives the faults that happened, and the
 * violations.
 */
async function runWorkload(
  makeInjector: (workload: Workload) => Injector,
  { codes, failuresMax }: FaultLimits,
) {
  const workload = await Workload.create();
  const injector = makeInjector(workload);
  const hit: string[] = [];
  workload.files.inject((operation) => {
    const fault = injector(operation);
    const { name, path } = operation;
    if (fault !== undefined) hit.push(`${workload.task}: ${name} ${path}`);
    return fault;
  });
  await workload.run();
  workload.files.inject();
  const { failures } = workload;
  const wrong = failures.filter(({ error }) => !isNamed(error, codes))
    .map(({ task, error }) => `${task}: ${error}`);
  if (failures.length > failuresMax) {
    const tasks = failures.map(({ task }) => task).join();
    wrong.push(`more tasks failed than ${failuresMax}: ${tasks}`);
  }
  await workload.close().catch((error) =>
    wrong.push(`still not closed: ${error}`)
  );
  const open = workload.files.openHandles;
  if (open > 0) wrong.push(`${open} files are still open`);
  wrong.push(...await afterPowerCut(workload));
  return { hit, wrong };
}

/** The violations of the store after a power cut; none when all is well. */
async function afterPowerCut(
  { disk, expectations }: Workload,
): Promise<string[]> {
  const found: string[] = [];
  for (const keptPercent of KEPT_PERCENT) {
    const image = disk.crash({ seed, keptPercent, renames: "split" });
    found.push(...violations(await recover(image), image.tree(), expectations));
  }
  return found;
}

/**
 * Runs the workload once for each of its operations, or for a sample of them,
 * with a fault at that operation.
 */
async function atEveryOperation(
  makeInjector: (index: number, workload: Workload) => Injector,
  limits: FaultLimits,
): Promise<void> {
  const stride = amount(16, 1);
  let runs = 0;
  for (let index = random(seed).integer(stride);; index += stride) {
    const { hit, wrong } = await runWorkload(
      (workload) => makeInjector(index, workload),
      limits,
    );
    if (hit.length === 0) break;
    runs++;
    const where = `SEED=${seed}, operation ${index}\n${hit.join("\n")}`;
    assert.deepEqual(wrong, [], where);
  }
  report("runs with a fault", runs);
}

/**
 * Whether a lock is being released. When that fails after a failed open, the
 * caller has no store to close again, so the lock stays until the process ends.
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
    it(`is reported and loses no snapshot at any operation: ${code}, ${when} the operation`, () =>
      atEveryOperation(
        (at) => ({ index }) => index === at ? fault : undefined,
        { codes: [code], failuresMax: 1 },
      ));
  }

  it("makes no task fail when it only makes a read or write shorter", () =>
    atEveryOperation(
      (at) => ({ index }) => index >= at ? { length: 777 } : undefined,
      { codes: [], failuresMax: 0 },
    ));

  for (const code of ["EIO", "ENOSPC"]) {
    it(`is reported and loses no snapshot when it lasts for a whole task: ${code}`, () =>
      atEveryOperation(
        (at, workload) => {
          let task: string | undefined;
          return ({ index, name }) => {
            if (index === at) task = workload.task;
            const isHit = workload.task === task &&
              (index === at || !isRelease(name));
            return isHit ? { code } : undefined;
          };
        },
        { codes: [code], failuresMax: 1 },
      ));
  }

  it("is reported and loses no snapshot when others follow", async () => {
    for (let i = 0; i < RUNS; i++) {
      const { integer, pick } = random(seed + i);
      const at = [integer(300), integer(300)];
      at.push((at[0] ?? 0) + 1 + integer(4));
      const faults = new Map(at.map((index) => [index, pick(ONCE)]));
      const codes = [...faults.values()].map(({ code = "" }) => code);
      const { hit, wrong } = await runWorkload(
        () => ({ index, name }) =>
          isRelease(name) ? undefined : faults.get(index),
        { codes, failuresMax: 3 },
      );
      assert.deepEqual(wrong, [], `SEED=${seed}, run ${i}\n${hit.join("\n")}`);
    }
    report("runs with a fault", RUNS);
  });
});
