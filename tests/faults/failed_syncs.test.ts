import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SnapshotError } from "@raft/snapshots";
import type { Injector } from "@raft/snapshots/testing";
import { cuts } from "../crash/explore.ts";
import { checkDisk, digest } from "../crash/simulation.ts";
import { report, sample } from "../support/full_run.ts";
import { freshSeed, random } from "../support/random.ts";
import { Workload } from "./workload.ts";

const seed = freshSeed();

/** The paths whose syncs fail, by their kinds. */
const UNSYNCABLE: Readonly<Record<string, RegExp>> = {
  "the state": /\.tmp\/state\.bin$/,
  "meta.json": /\.tmp\/meta\.json$/,
  "archive.origin": /\.tmp\/archive\.origin$/,
  "the checksums": /\.tmp\/blocks\.crc64$/,
  "a snapshot's directory": /\/\d+-\d+-\d+(\.tmp)?$/,
  "the directory of all snapshots": /\/snapshots$/,
};

/** Fails those syncs once the store is open. */
function failSyncs(workload: Workload, path: RegExp): Injector {
  return (operation) =>
    /^sync/.test(operation.name) && path.test(operation.path) &&
      workload.task !== "open"
      ? { code: "EIO" }
      : undefined;
}

describe("a power cut after syncs that always fail", () => {
  for (const [i, [what, path]] of Object.entries(UNSYNCABLE).entries()) {
    it(`loses no acknowledged snapshot: ${what} can't be synced`, async () => {
      const workload = await Workload.create();
      workload.files.inject(failSyncs(workload, path));
      await workload.run();
      assert.ok(workload.failures.length > 0, "nothing has failed");
      for (const { task, error } of workload.failures) {
        assert.ok(error instanceof SnapshotError, `${task}: ${error}`);
      }
      assert.equal(workload.files.openHandles, 0);
      const seen = new Set<string>();
      const choices = cuts(random(seed + i), sample(10, 400));
      for (const choice of choices) {
        const disk = workload.disk.crashImage(choice);
        const key = digest(disk);
        if (seen.has(key)) continue;
        seen.add(key);
        const wrong = await checkDisk({
          disk,
          expectations: workload.expectations,
        });
        const how = `SEED=${seed}, ${JSON.stringify(choice)}`;
        assert.deepEqual(wrong, [], how);
      }
      report("power cuts after syncs that failed", choices.length);
    });
  }
});
