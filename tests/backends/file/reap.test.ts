/**
 * reap(): which snapshots are kept and removed, and in which order.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SnapshotError } from "@raft/snapshots";
import { failOn, type Operation } from "@raft/snapshots/testing";
import {
  Gate,
  letOthersWork,
  listIds,
  SNAPSHOTS,
  StoreFixture,
  until,
} from "../../support/store_fixture.ts";

describe("reap()", () => {
  it("reads nothing when there is nothing to remove", async () => {
    const fixture = new StoreFixture();
    await fixture.prepare([1, 2]);
    const store = await fixture.open({ retain: 2 });
    const start = fixture.files.trace.length;
    await store.reap();
    const reads = fixture.trace(start).filter((it) => /read .*state/.test(it));
    assert.deepEqual(reads, []);
    await store.close();
  });

  it("removes the others when one can't be removed, and reports that one", async () => {
    const fixture = new StoreFixture();
    const ids = await fixture.prepare([1, 2, 3, 4]);
    const store = await fixture.open({ retain: 1 });
    const stuck = ids[1] ?? "";
    // As Windows answers while another process has a file of it open.
    for (const code of ["EPERM", "EBUSY", "EACCES"]) {
      const path = new RegExp(`/${stuck}$`);
      fixture.files.inject(failOn("rename", code, { path }));
      await assert.rejects(store.reap(), (error) => {
        assert.ok(error instanceof SnapshotError);
        assert.equal(error.systemCode, code);
        return true;
      });
      assert.deepEqual(await listIds(store), [ids[3], stuck]);
    }
    fixture.files.inject();
    await store.reap();
    assert.deepEqual(await listIds(store), [ids[3]]);
    await store.close();
  });

  it("renames and syncs before it removes the files", async () => {
    const fixture = new StoreFixture();
    const [old] = await fixture.prepare([1, 2]) as [string];
    const store = await fixture.open({ retain: 1 });
    const start = fixture.files.trace.length;
    await store.reap();
    const steps = fixture.trace(start).filter((it) =>
      /^(rename|syncDirectory|remove)/.test(it)
    );
    assert.equal(steps[0], `rename ${old} ${old}.deleted.tmp`);
    assert.equal(steps[1], `syncDirectory ${SNAPSHOTS}`);
    assert.match(steps[2] ?? "", /^removeFile .*\.deleted\.tmp\//);
    await store.close();
  });

  for (const look of ["succeeds", "fails"]) {
    it(`syncs a rename that had failed at first before it removes the files, when a look at it ${look}`, async () => {
      const fixture = new StoreFixture();
      const [late, early] = await fixture.prepare([1, 2, 3]) as [
        string,
        string,
      ];
      const store = await fixture.open({ retain: 1 });
      const gate = new Gate();
      const isRename = ({ name, path }: Operation) =>
        name === "rename" && path.endsWith(`/${late}`);
      let renames = 0;
      let hasLooked = look === "succeeds";
      fixture.files.inject((operation) => {
        const isLook = operation.name === "stat" &&
          operation.path.endsWith(`/${late}.deleted.tmp`);
        if (isLook && !hasLooked) {
          hasLooked = true;
          return { code: "EIO" };
        }
        if (isRename(operation) && renames++ === 0) return { code: "EIO" };
        const isRemoval = operation.name === "removeFile" &&
          operation.path.includes(early);
        return isRemoval ? { wait: gate.opened } : undefined;
      });
      await assert.rejects(store.reap(), { systemCode: "EIO" });
      // The removal of the other one is under way, and its sync is over.
      const start = fixture.files.trace.length;
      const deleting = store.delete(late);
      await until(() => renames === 2, "the second rename");
      await letOthersWork();
      gate.open();
      await deleting;
      const steps = fixture.trace(start);
      const synced = steps.indexOf(`syncDirectory ${SNAPSHOTS}`);
      const removed = steps.findIndex((step) =>
        step.startsWith(`removeFile ${late}.deleted.tmp/`)
      );
      const renamed = steps.indexOf(`rename ${late} ${late}.deleted.tmp`);
      assert.ok(renamed < synced && synced < removed, steps.join("\n"));
      assert.ok(renamed >= 0 && hasLooked);
      await store.close();
    });
  }

  it("removes no file while the new name is not durable", async () => {
    const fixture = new StoreFixture();
    const [old] = await fixture.prepare([1, 2]) as [string];
    const store = await fixture.open({ retain: 1 });
    fixture.files.inject(failOn("syncDirectory", "EIO"));
    await assert.rejects(store.reap());
    const start = fixture.files.trace.length;
    await assert.rejects(store.reap(), "still");
    assert.ok(!fixture.trace(start).some((it) => it.startsWith("remove")));
    const left = `${SNAPSHOTS}/${old}.deleted.tmp/state.bin`;
    assert.ok(fixture.disk.tree().includes(left));
    fixture.files.inject();
    await store.reap();
    assert.equal(fixture.names().length, 1);
    await store.close();
  });
});
