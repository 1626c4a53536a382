import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SnapshotError } from "@raft/snapshots";
import type { Injector } from "@raft/snapshots/testing";
import { cuts } from "../crash/explore.ts";
import { digest, judge } from "../crash/simulation.ts";
import { amount, report } from "../support/full_run.ts";
import { freshSeed, random } from "../support/random.ts";
import { Workday } from "./workload.ts";

const seed = freshSeed();

/** What can't be synced. */
const UNSYNCABLE: Readonly<Record<string, RegExp>> = {
  "the state": /\.tmp\/state\.bin$/,
  "meta.json": /\.tmp\/meta\.json$/,
  "what an import keeps": /\.tmp\/archive\.origin$/,
  "the checksums": /\.tmp\/blocks\.crc64$/,
  "a snapshot's directory": /\/\d+-\d+-\d+(\.tmp)?$/,
  "the directory of all snapshots": /\/snapshots$/,
};

/** Fails those syncs from the moment on that the store is open. */
function failSyncs(day: Workday, path: RegExp): Injector {
  return (operation) =>
    /^sync/.test(operation.name) && path.test(operation.path) &&
      day.task !== "open"
      ? { code: "EIO" }
      : undefined;
}

describe("a sync that always fails", () => {
  for (const [i, [what, path]] of Object.entries(UNSYNCABLE).entries()) {
    it(`leaves nothing that a power cut makes worse: of ${what}`, async () => {
      const day = await Workday.begin();
      day.files.inject(failSyncs(day, path));
      await day.work();
      assert.ok(day.refusals.length > 0, "nothing has failed");
      for (const { task, error } of day.refusals) {
        assert.ok(error instanceof SnapshotError, `${task}: ${error}`);
      }
      assert.equal(day.files.openHandles, 0);
      const seen = new Set<string>();
      const choices = cuts(random(seed + i), amount(10, 400));
      for (const choice of choices) {
        const disk = day.disk.crashImage(choice);
        const key = digest(disk);
        if (seen.has(key)) continue;
        seen.add(key);
        const wrong = await judge({ disk, ledger: day.ledger });
        const how = `SEED=${seed}, ${JSON.stringify(choice)}`;
        assert.deepEqual(wrong, [], how);
      }
      report("power cuts after syncs that failed", choices.length);
    });
  }
});
