/**
 * The order in which a snapshot is made durable, and the result when a step
 * fails.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type Server,
  SnapshotError,
  type SnapshotMeta,
  SnapshotPublishError,
} from "@raft/snapshots";
import { failAt, failOn, type FailOnOptions } from "@raft/snapshots/testing";
import { FileBackend } from "../../../src/backends/file/file_backend.ts";
import { bytes } from "../../support/random.ts";
import {
  BASE,
  encode,
  Gate,
  INIT,
  letOthersWork,
  listIds,
  load,
  save,
  SNAPSHOTS,
  StoreFixture,
  until,
} from "../../support/store_fixture.ts";

/** A step of publishing, and how to make it fail. */
interface Step {
  readonly what: string;
  readonly name: Parameters<typeof failOn>[0];
  readonly path: RegExp;
}

const STEPS: readonly Step[] = [
  { what: "write of the state", name: "write", path: /state\.bin$/ },
  { what: "sync of the state", name: "sync", path: /state\.bin$/ },
  { what: "close of the state", name: "close", path: /state\.bin$/ },
  { what: "write of meta.json", name: "write", path: /meta\.json$/ },
  { what: "sync of meta.json", name: "sync", path: /meta\.json$/ },
  { what: "close of meta.json", name: "close", path: /meta\.json$/ },
  { what: "write of blocks.crc64", name: "write", path: /blocks\.crc64$/ },
  { what: "sync of blocks.crc64", name: "sync", path: /blocks\.crc64$/ },
  { what: "close of blocks.crc64", name: "close", path: /blocks\.crc64$/ },
  { what: "sync of its directory", name: "syncDirectory", path: /\.tmp$/ },
  { what: "rename", name: "rename", path: /\.tmp$/ },
];

describe("close() of a sink", () => {
  it("syncs the files and their names before it renames, and the new name after", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open({ retain: 1 });
    await save(store, "older", { index: 9n });
    const sink = await store.create(INIT);
    const writer = sink.getWriter();
    await writer.write(encode("state"));
    const start = fixture.files.trace.length;
    await writer.close();
    // The reap follows in the background; this waits for its end.
    await store.close();
    const steps = fixture.trace(start);
    const tmp = `${sink.id}.tmp`;
    const at = (step: string) => {
      const place = steps.indexOf(step);
      assert.ok(place >= 0, `${step} is missing in\n${steps.join("\n")}`);
      return place;
    };
    const rename = at(`rename ${tmp} ${sink.id}`);
    assert.ok(at(`syncDirectory ${tmp}`) < rename);
    for (const part of ["state.bin", "meta.json", "blocks.crc64"]) {
      assert.ok(at(`write ${tmp}/${part}`) < at(`sync ${tmp}/${part}`));
      assert.ok(at(`sync ${tmp}/${part}`) < at(`close ${tmp}/${part}`));
      assert.ok(at(`close ${tmp}/${part}`) < rename);
    }
    // The look tells whether the directory is still the one that is held.
    assert.deepEqual(steps.slice(rename + 1, rename + 3).sort(), [
      `stat ${SNAPSHOTS}`,
      `syncDirectory ${SNAPSHOTS}`,
    ]);
    // Only then may anything older go.
    const reap = steps.findIndex((step) => step.includes(".deleted.tmp"));
    assert.ok(reap > rename + 2);
    assert.ok(
      steps.slice(reap + 1, reap + 3).includes(`syncDirectory ${SNAPSHOTS}`),
    );
  });

  for (const what of ["state.bin", "meta.json", "blocks.crc64", "ID.tmp"]) {
    it(`does not rename before the sync of ${what} has resolved`, async () => {
      const fixture = new StoreFixture();
      const store = await fixture.open();
      const sink = await store.create(INIT);
      const gate = new Gate();
      const path = what === "ID.tmp" ? /\.tmp$/ : new RegExp(`/${what}$`);
      const steps: string[] = [];
      fixture.files.inject((call) => {
        steps.push(call.name);
        const isSync = call.name.startsWith("sync") && path.test(call.path);
        return isSync ? { wait: gate.opened } : undefined;
      });
      const closing = sink.close();
      await until(() => steps.includes("sync"), "it syncs");
      await letOthersWork();
      assert.ok(!steps.includes("rename"));
      gate.open();
      await closing;
      assert.ok(steps.includes("rename"));
      await store.close();
    });
  }

  it("closes no file while it is synced when another sync has failed", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open();
    const sink = await store.create(INIT);
    const gate = new Gate();
    const steps: string[] = [];
    fixture.files.inject(({ name, path }) => {
      steps.push(name);
      if (name !== "sync") return undefined;
      return path.endsWith("meta.json")
        ? { code: "EIO" }
        : { wait: gate.opened };
    });
    const closing = assert.rejects(sink.close(), SnapshotPublishError);
    await until(() => steps.includes("sync"), "it syncs");
    await letOthersWork();
    assert.ok(!steps.includes("close"));
    gate.open();
    await closing;
    assert.equal(fixture.openHandles, 0);
    await store.close();
  });

  it("does not resolve before the last sync has resolved", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open();
    const sink = await store.create(INIT);
    let closed = false;
    let checked = false;
    fixture.files.inject(({ name, path }) => {
      if (name !== "syncDirectory" || path !== SNAPSHOTS) return undefined;
      checked = true;
      const wait = (async () => {
        await letOthersWork();
        assert.equal(closed, false);
      })();
      return { wait };
    });
    await sink.close().then(() => closed = true);
    assert.equal(checked, true);
    await store.close();
  });

  for (const { what, name, path } of STEPS) {
    it(`rejects and removes every trace when the ${what} fails`, async () => {
      const fixture = new StoreFixture();
      const store = await fixture.open();
      const good = await save(store, "good", { index: 9n });
      const sink = await store.create(INIT);
      fixture.files.inject(failOn(name, "EIO", { path, times: 1 }));
      const writer = sink.getWriter();
      const outcome = (async () => {
        await writer.write(encode("state"));
        await writer.close();
      })();
      await assert.rejects(outcome, (error) => {
        assert.ok(error instanceof SnapshotPublishError);
        assert.equal(error.published, false);
        assert.equal(error.systemCode, "EIO");
        assert.ok(error.cause instanceof Error);
        assert.ok(error.message.includes(sink.id));
        return true;
      });
      // Go forgets the failure: there the next Close returns nil.
      await assert.rejects(sink.close(), SnapshotPublishError);
      assert.deepEqual(fixture.names(), [good]);
      assert.equal(fixture.openHandles, 0);
      fixture.files.inject();
      const next = await save(store, "next");
      assert.deepEqual(await listIds(store), [next, good]);
      await store.close();
    });
  }

  const unnamed: FailOnOptions = { path: /\/snapshots$/, times: 1 };
  it("reports that the snapshot is published when only its name could not be synced", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open();
    fixture.files.inject(failOn("syncDirectory", "EIO", unnamed));
    const sink = await store.create(INIT);
    await assert.rejects(sink.close(), (error) => {
      assert.ok(error instanceof SnapshotPublishError);
      assert.equal(error.published, true);
      assert.equal(error.systemCode, "EIO");
      return true;
    });
    assert.deepEqual(await listIds(store), [sink.id]);
    assert.equal((await store.verify(sink.id)).ok, true);
    assert.equal(fixture.openHandles, 0);
    await store.close();
  });

  it("reports that the snapshot is published when the rename was done and then failed", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open();
    fixture.files.inject(failOn("rename", "EIO", { when: "after", times: 1 }));
    const sink = await store.create(INIT);
    await assert.rejects(sink.close(), (error) => {
      assert.ok(error instanceof SnapshotPublishError);
      assert.equal(error.published, true);
      return true;
    });
    assert.deepEqual(await listIds(store), [sink.id]);
    assert.equal(fixture.openHandles, 0);
    await store.close();
  });

  for (const when of ["before", "after"] as const) {
    it(`reports that the snapshot may be published when the rename fails ${when} it was done, and the directory can't be read`, async () => {
      const fixture = new StoreFixture();
      const store = await fixture.open();
      const sink = await store.create(INIT);
      let renamed = false;
      fixture.files.inject(({ name }) => {
        if (name === "stat" && renamed) return { code: "EIO" };
        if (name !== "rename") return undefined;
        renamed = true;
        return { code: "EIO", when };
      });
      await assert.rejects(sink.close(), (error) => {
        assert.ok(error instanceof SnapshotPublishError);
        assert.equal(error.published, true);
        return true;
      });
      fixture.files.inject();
      assert.equal(fixture.openHandles, 0);
      await store.reap();
      const found = when === "after" ? [sink.id] : [];
      assert.deepEqual(fixture.names(), found);
      assert.deepEqual(await listIds(store), found);
      await store.close();
    });
  }

  it("writes the metadata that create() was given, even when sink.meta is changed", async () => {
    const changes: ((meta: SnapshotMeta) => void)[] = [
      ({ configuration }) => void (configuration.servers as Server[]).pop(),
      ({ peers }) => {
        structuredClone(peers, { transfer: [peers.buffer as ArrayBuffer] });
      },
      (meta) => Object.assign(meta, { id: "1-1-1", index: 1n }),
    ];
    for (const each of changes) {
      const fixture = new StoreFixture();
      const store = await fixture.open();
      const sink = await store.create(INIT);
      const { id } = sink;
      each(sink.meta);
      await sink.close();
      assert.deepEqual(fixture.names(), [id]);
      const [meta] = await store.list();
      assert.deepEqual(meta?.configuration, INIT.configuration);
      assert.equal(meta.index, BigInt(INIT.index));
      await store.close();
    }
  });

  it("replaces nothing that has its name, not even an empty directory", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open();
    const sink = await store.create(INIT);
    await fixture.disk.makeDirectory(`${SNAPSHOTS}/${sink.id}`);
    await assert.rejects(sink.close(), (error) => {
      assert.ok(error instanceof SnapshotPublishError);
      assert.equal(error.published, false);
      return true;
    });
    assert.deepEqual(fixture.names(), [sink.id]);
    assert.deepEqual(
      fixture.disk.tree().filter((path) => path.includes(`${sink.id}/`)),
      [`${SNAPSHOTS}/${sink.id}/`],
    );
    await store.close();
  });
});

describe("a disk that keeps failing", () => {
  it("is not filled by snapshots whose names could not be synced", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open({ retain: 2 });
    const good = [
      await save(store, "good", { index: 8n }),
      await save(store, "good", { index: 9n }),
    ];
    fixture.files.inject(
      failOn("syncDirectory", "EIO", { path: /snapshots$/ }),
    );
    const sink = await store.create({ ...INIT, index: 10 });
    await assert.rejects(sink.close(), { published: true });
    // It can't be removed either: a power cut could bring its name back.
    for (let i = 0; i < 10; i++) {
      await assert.rejects(store.create({ ...INIT, index: 11 + i }), {
        name: "SnapshotError",
        systemCode: "EIO",
      });
      assert.deepEqual(fixture.names().sort(), [...good, sink.id].sort());
    }
    fixture.files.inject();
    await save(store, "at last", { index: 30n });
    await store.close();
    assert.equal(fixture.names().length, 2);
  });

  it("is not filled by failed renames, writes or syncs", async () => {
    for (const { name, path } of STEPS) {
      const fixture = new StoreFixture();
      const store = await fixture.open();
      const good = await save(store, "good");
      fixture.files.inject(failOn(name, "ENOSPC", { path }));
      for (let i = 0; i < 5; i++) await assert.rejects(save(store, "state"));
      assert.deepEqual(fixture.names(), [good]);
      assert.equal(fixture.openHandles, 0);
      fixture.files.inject();
      await store.close();
    }
  });

  it("is cleaned by the next reap when a file could not be removed", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open();
    fixture.files.inject(failOn("removeFile", "EBUSY"));
    const sink = await store.create(INIT);
    await sink.cancel(); // which never fails for that
    assert.deepEqual(fixture.names(), [`${sink.id}.deleted.tmp`]);
    assert.equal(fixture.log.matching("warn", "Cannot remove").length, 1);
    fixture.files.inject();
    await store.reap();
    assert.deepEqual(fixture.names(), []);
    await store.close();
  });

  it("leaves no file open when it is opened after another one has failed", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open();
    const [opening, removal] = [new Gate(), new Gate()];
    fixture.files.inject(({ name, path }) => {
      if (name === "stat") return { wait: removal.opened };
      if (name !== "open") return undefined;
      return path.endsWith("meta.json")
        ? { code: "EMFILE" }
        : { wait: opening.opened };
    });
    const refused = assert.rejects(store.create(INIT), {
      systemCode: "EMFILE",
    });
    await letOthersWork();
    opening.open();
    await letOthersWork();
    removal.open();
    await refused;
    assert.equal(fixture.openHandles, 0);
    assert.deepEqual(fixture.names(), []);
    await store.close();
  });

  it("holds nothing of a snapshot when a step of create() has failed", async () => {
    const steps: readonly Omit<Step, "what">[] = [
      { name: "readDirectory", path: /^/ },
      { name: "makeDirectory", path: /^/ },
      { name: "open", path: /meta\.json$/ },
      { name: "open", path: /state\.bin$/ },
      { name: "open", path: /blocks\.crc64$/ },
      { name: "write", path: /meta\.json$/ },
    ];
    for (const { name, path } of steps) {
      for (const when of ["before", "after"] as const) {
        const fixture = new StoreFixture();
        const store = await fixture.open();
        fixture.files.inject(failOn(name, "ENOSPC", { path, when, times: 1 }));
        await assert.rejects(store.create(INIT), (error) => {
          assert.ok(error instanceof SnapshotError);
          assert.equal(error.systemCode, "ENOSPC");
          return true;
        });
        fixture.files.inject();
        await store.reap();
        assert.deepEqual(fixture.names(), [], `${name} ${path} ${when}`);
        assert.equal(fixture.openHandles, 0);
        await store.close();
      }
    }
  });
});

describe("a platform that can't sync directories", () => {
  for (const code of ["EINVAL", "ENOTSUP", "EPERM", "EISDIR"]) {
    it(`is reported once, and the store works: ${code}`, async () => {
      const fixture = new StoreFixture();
      fixture.files.inject(failOn("syncDirectory", code));
      const store = await fixture.open({ retain: 1 });
      for (const index of [1n, 2n, 3n]) await save(store, "state", { index });
      assert.equal((await store.list()).length, 1);
      const told = fixture.log.matching("warn", "sync");
      assert.equal(told.length, 1);
      assert.ok(told[0]?.includes(code));
      await store.close();
    });
  }

  it("is told apart from other failures of a sync", async () => {
    for (const code of ["EIO", "ENOSPC", "EACCES", "EBADF", "ENOENT"]) {
      const fixture = new StoreFixture();
      const store = await fixture.open();
      fixture.files.inject(failOn("syncDirectory", code));
      await assert.rejects(save(store, "state"), { systemCode: code });
      fixture.files.inject();
      await store.close();
    }
  });
});

describe("whichever operation fails,", () => {
  it("close() reports whether the snapshot is published, and the next snapshot succeeds", async () => {
    const state = bytes(3000, 1);
    for (const when of ["before", "after"] as const) {
      for (let failing = 0;; failing++) {
        const fixture = new StoreFixture();
        const store = await fixture.open({ retain: 1, blockSize: 512 });
        const old = await save(store, "old", { index: 9n });
        const start = fixture.files.trace.length;
        const inject = failAt(start + failing, "EIO");
        fixture.files.inject((operation) => {
          const fault = inject(operation);
          return fault && { ...fault, when };
        });
        const what = () => `${when} ${fixture.trace()[start + failing]}`;
        const id = await save(store, state).catch((error) => {
          assert.ok(error instanceof SnapshotError, what());
          return error;
        });
        fixture.files.inject();
        const done = fixture.files.trace.length <= start + failing;
        const ids = await listIds(store);
        if (typeof id === "string") {
          assert.equal(ids[0], id, what());
          assert.deepEqual(fixture.read(id, "state.bin"), state, what());
        } else {
          const published = id instanceof SnapshotPublishError && id.published;
          assert.ok(ids.includes(old), what());
          assert.equal(ids.length, published ? 2 : 1, what());
        }
        const next = await save(store, "next", { index: 11n });
        assert.equal(await load(store, next), "next");
        assert.equal(fixture.openHandles, 0, what());
        await store.close();
        const left = fixture.names().filter((name) => name.endsWith(".tmp"));
        assert.deepEqual(left, [], what());
        if (done) break;
      }
    }
  });
});

describe("the IDs that are taken", () => {
  it("are those of published snapshots, not those of cancelled ones", async () => {
    const fixture = new StoreFixture();
    const backend = new FileBackend(BASE, { fileSystem: fixture.files });
    await backend.connect({
      report: () => {},
      readOnly: false,
      clock: Date.now,
      closing: new AbortController().signal,
    });
    assert.deepEqual(await backend.takenIds(), []);
    const [discarded, kept] = [
      await backend.begin("3-10-1", encode("{}")),
      await backend.begin("3-10-2", encode("{}")),
    ];
    assert.ok(discarded !== "taken" && kept !== "taken");
    await discarded.discard();
    await kept.publish({
      meta: encode("{}"),
      blocks: undefined,
      extra: undefined,
    });
    assert.deepEqual(await backend.takenIds(), ["3-10-2"]);
    await backend.close();
  });
});
