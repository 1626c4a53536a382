/**
 * The source as a ReadableStream, and the file behind it.
 */

import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import {
  openFileSnapshotStore,
  type Progress,
  SnapshotCorruptError,
  SnapshotError,
  SnapshotNotFoundError,
  type SnapshotSource,
} from "@raft/snapshots";
import { failOn } from "@raft/snapshots/testing";
import { openDescriptors } from "../support/open_descriptors.ts";
import { bytes } from "../support/random.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import {
  Gate,
  letOthersWork,
  listIds,
  load,
  Log,
  save,
  StoreFixture,
  until,
} from "../support/store_fixture.ts";

const BLOCK = 512;
const STATE = bytes(20 * BLOCK + 1, 1);

/** Each way to be done with a source. */
const USES: Readonly<
  Record<string, (source: SnapshotSource) => Promise<unknown>>
> = {
  "new Response(source)": (source) => new Response(source).arrayBuffer(),
  "for await": async (source) => {
    for await (const chunk of source) assert.ok(chunk.length > 0);
  },
  "for await that breaks off": async (source) => {
    for await (const chunk of source) {
      if (chunk.length > 0) break;
    }
  },
  "pipeTo()": (source) => source.pipeTo(new WritableStream()),
  "pipeTo() that fails": async (source) => {
    const sink = new WritableStream({
      write() {
        throw new Error("the consumer broke");
      },
    });
    await assert.rejects(source.pipeTo(sink), /the consumer broke/);
  },
  "tee()": async (source) => {
    const halves = source.tee().map((half) => new Response(half).arrayBuffer());
    for (const half of await Promise.all(halves)) {
      assert.deepEqual(new Uint8Array(half), STATE);
    }
  },
  "getReader() and cancel()": async (source) => {
    const reader = source.getReader();
    await reader.read();
    await reader.cancel();
  },
  "cancel() at once": (source) => source.cancel(),
};

describe("a source", () => {
  for (const [name, use] of Object.entries(USES)) {
    it(`leaves no file open after ${name}`, async (t) => {
      const directory = await temporaryDirectory(t);
      const store = await openFileSnapshotStore(directory, {
        logger: new Log(),
        blockSize: BLOCK,
      });
      const id = await save(store, STATE);
      const snapshot = join(directory, "snapshots", id);
      for (const verify of ["auto", "before", "stream"] as const) {
        const source = await store.open(id, { verify });
        await use(source);
        // The stream's own rules let cancel() come back a moment earlier.
        await until(
          () => (openDescriptors(snapshot) ?? []).length === 0,
          "the file is closed",
        );
      }
      await store.close();
    });

    it(`holds no state in memory after ${name}`, async () => {
      const fixture = new StoreFixture();
      const store = await fixture.open({ blockSize: BLOCK });
      const id = await save(store, STATE);
      const source = await store.open(id);
      assert.equal(fixture.openHandles, 1);
      await use(source);
      await until(() => fixture.openHandles === 0, "the file is closed");
      await store.close();
    });
  }

  it("holds a few blocks at a time, however slow its reader", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open({ blockSize: BLOCK });
    const id = await save(store, STATE);
    const start = fixture.files.trace.length;
    const source = await store.open(id);
    await until(() => fixture.trace(start).length > 3, "something is read");
    for (let i = 0; i < 50; i++) await Promise.resolve();
    const reads = fixture.trace(start).filter((line) =>
      line === `read ${id}/state.bin`
    );
    assert.ok(reads.length <= 2, `${reads.length} of 11 reads`);
    await source.cancel();
    await store.close();
  });

  it("does not close its file under a read", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open({ blockSize: BLOCK });
    const id = await save(store, STATE);
    for (const how of ["cancel", "signal", "close"] as const) {
      const gate = new Gate();
      const controller = new AbortController();
      const source = await store.open(id, { signal: controller.signal });
      const reader = source.getReader();
      await reader.read();
      fixture.files.inject(({ name }) =>
        name === "read" ? { wait: gate.opened } : undefined
      );
      const start = fixture.files.trace.length;
      const reading = reader.read();
      const rest = reader.read().catch(() => {}); // waits for the disk
      const state = `${id}/state.bin`;
      await until(
        () => fixture.trace(start).includes(`read ${state}`),
        "it waits for the disk",
      );
      if (how === "cancel") void reader.cancel().catch(() => {});
      if (how === "signal") controller.abort();
      const closed = how === "close" ? store.close() : undefined;
      await letOthersWork();
      assert.ok(!fixture.trace(start).includes(`close ${state}`), how);
      gate.open();
      await Promise.allSettled([reading, rest, closed]);
      await until(() => fixture.openHandles === 0, "the file is closed");
      fixture.files.inject();
    }
  });

  it("starts no read after it was cancelled during one", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open({ blockSize: BLOCK });
    const id = await save(store, STATE);
    const gate = new Gate();
    fixture.files.inject(({ name, path }) =>
      name === "read" && path.endsWith("state.bin")
        ? { wait: gate.opened }
        : undefined
    );
    const start = fixture.files.trace.length;
    const source = await store.open(id);
    const reading = source.getReader().read().catch(() => {});
    const state = `${id}/state.bin`;
    const reads = () =>
      fixture.trace(start).filter((step) => step === `read ${state}`).length;
    await until(() => reads() === 1, "it waits for the disk");
    const closed = store.close();
    await letOthersWork();
    gate.open();
    await Promise.all([reading, closed]);
    assert.equal(reads(), 1);
    assert.equal(fixture.trace(start).at(-1)?.startsWith("read"), false);
    assert.equal(fixture.openHandles, 0);
  });

  it("reports a failed read only when the reader reaches it", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open({ blockSize: BLOCK });
    const id = await save(store, STATE);
    let reads = 0;
    fixture.files.inject(({ name, path }) =>
      name === "read" && path.endsWith("state.bin") && ++reads === 2
        ? { code: "EIO" }
        : undefined
    );
    const unhandled: unknown[] = [];
    const onUnhandled = (reason: unknown) => void unhandled.push(reason);
    process.on("unhandledRejection", onUnhandled);
    try {
      const source = await store.open(id);
      await until(() => reads === 2, "it has read ahead");
      await new Promise((resolve) => setTimeout(resolve, 20));
      assert.deepEqual(unhandled, []);
      await assert.rejects(new Response(source).text(), SnapshotError);
      await store.close();
    } finally {
      process.off("unhandledRejection", onUnhandled);
    }
  });

  it("closes its file when reading it fails", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open({ blockSize: BLOCK });
    const id = await save(store, STATE);
    for (const verify of ["auto", "before", "stream"] as const) {
      fixture.files.inject(failOn("read", "EIO", { path: /state\.bin/ }));
      const reading = load(store, id, { verify });
      await assert.rejects(reading, (error) => {
        assert.ok(error instanceof SnapshotError);
        assert.ok(!(error instanceof SnapshotCorruptError));
        assert.equal(error.systemCode, "EIO");
        return true;
      });
      fixture.files.inject();
      await until(() => fixture.openHandles === 0, "the file is closed");
      assert.equal((await load(store, id, { verify })).length > 0, true);
    }
    await store.close();
  });

  it("closes its file when a part of opening fails", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open({ blockSize: BLOCK });
    const id = await save(store, STATE);
    for (const name of ["open", "statHandle", "read", "stat"] as const) {
      for (const part of ["meta.json", "state.bin"]) {
        fixture.files.inject(failOn(name, "EIO", { path: new RegExp(part) }));
        await load(store, id).catch((error) => {
          assert.ok(error instanceof SnapshotError, String(error));
          assert.equal(error.systemCode, "EIO");
        });
        fixture.files.inject();
        await until(() => fixture.openHandles === 0, "it is closed");
      }
    }
    await store.close();
  });

  it("can be read to its end even when its file can't be closed", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open();
    const id = await save(store, "state");
    fixture.files.inject(failOn("close", "EIO", { path: /state\.bin/ }));
    assert.equal(await load(store, id), "state");
    assert.equal(fixture.log.matching("warn", "Cannot close").length, 1);
    await store.close();
  });

  it("closes its file when onProgress throws, and passes that on", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open({ blockSize: BLOCK });
    const mine = new Error("mine");
    for (const size of [1, 10 * BLOCK]) {
      const id = await save(store, new Uint8Array(size));
      const source = await store.open(id, {
        onProgress() {
          throw mine;
        },
      });
      await assert.rejects(new Response(source).text(), mine);
      await until(() => fixture.openHandles === 0, "the file is closed");
    }
    await store.close();
  });

  it("reports its progress in bytes", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open({ blockSize: BLOCK });
    const id = await save(store, STATE);
    for (const verify of ["auto", "before", "stream"] as const) {
      const reports: Progress[] = [];
      const onProgress = (progress: Progress) => void reports.push(progress);
      await load(store, id, { verify, onProgress });
      assert.equal(reports.length, 11); // two blocks at a time
      assert.deepEqual(reports[0], { done: 2 * BLOCK, total: STATE.length });
      assert.deepEqual(
        reports.at(-1),
        { done: STATE.length, total: STATE.length },
      );
    }
    // For a range, the bytes that are handed out, not its whole blocks.
    const dones: number[] = [];
    const part = { start: BLOCK / 2, end: 3 * BLOCK + 1 };
    await load(store, id, {
      ...part,
      onProgress: ({ done, total }) => {
        assert.equal(total, part.end - part.start);
        dones.push(done);
      },
    });
    assert.deepEqual(dones, [1.5 * BLOCK, 2.5 * BLOCK + 1]);
    await store.close();
  });
});

describe("the signal of open()", () => {
  it("errors the source at once, however far it has been read ahead", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open({ blockSize: BLOCK });
    for (const size of [0, 1, BLOCK, 20 * BLOCK]) {
      const id = await save(store, new Uint8Array(size));
      const controller = new AbortController();
      const source = await store.open(id, { signal: controller.signal });
      const reason = new Error("enough");
      controller.abort(reason);
      if (size === 0) await source.cancel().catch(() => {});
      else await assert.rejects(new Response(source).text(), reason);
      await until(() => fixture.openHandles === 0, "the file is closed");
    }
    await store.close();
  });

  it("stops the check before the read", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open({ blockSize: BLOCK });
    const id = await save(store, STATE);
    const controller = new AbortController();
    const { signal } = controller;
    const reason = new Error("enough");
    let reads = 0;
    fixture.files.inject(({ name, path }) => {
      if (name === "read" && path.endsWith("state.bin") && ++reads === 3) {
        controller.abort(reason);
      }
      return undefined;
    });
    await assert.rejects(store.open(id, { verify: "before", signal }), reason);
    assert.ok(reads < 8, `${reads} of 21 blocks were read`);
    await until(() => fixture.openHandles === 0, "the file is closed");
    await store.close();
  });

  it("has no listener left when the source has ended", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open();
    const id = await save(store, "state");
    const { signal } = new AbortController();
    let listeners = 0;
    const counted = new Proxy(signal, {
      get(target, key) {
        const value = Reflect.get(target, key, target);
        if (typeof value !== "function") return value;
        return (...args: unknown[]) => {
          if (key === "addEventListener") listeners++;
          if (key === "removeEventListener") listeners--;
          return value.apply(target, args);
        };
      },
    });
    await load(store, id, { signal: counted });
    await until(() => listeners === 0, "the listener is removed");
    const sink = await store.create({
      index: 1,
      term: 1,
      configuration: { servers: [] },
      configurationIndex: 1,
    }, { signal: counted });
    assert.equal(listeners, 1);
    await sink.close();
    assert.equal(listeners, 0);
    await store.close();
  });
});

describe("removal of a snapshot that is being read", () => {
  const skip = process.platform === "win32" ? "needs POSIX" : false;

  it("does not disturb the reader, be it deleted or reaped", {
    skip,
  }, async (t) => {
    const directory = await temporaryDirectory(t);
    const store = await openFileSnapshotStore(directory, {
      logger: new Log(),
      blockSize: BLOCK,
      retain: 1,
    });
    for (const how of ["delete", "reap"] as const) {
      const id = await save(store, STATE);
      const reader = (await store.open(id)).getReader();
      const chunks = [(await reader.read()).value];
      if (how === "delete") await store.delete(id);
      else {
        await save(store, "newer", { index: 11n });
        await store.reap(); // which waits for the one in the background
      }
      await assert.rejects(store.open(id), SnapshotNotFoundError);
      const left = await readdir(join(directory, "snapshots"));
      assert.ok(!left.some((name) => name.startsWith(id)), left.join());
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        chunks.push(value);
      }
      const state = new Uint8Array(
        await new Blob(chunks as BlobPart[]).arrayBuffer(),
      );
      assert.deepEqual(state, STATE);
    }
    await store.close();
  });

  it("is not taken for corruption while the snapshot is being opened", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open();
    const id = await save(store, "state");
    for (const part of ["meta.json", "state.bin"]) {
      const copy = new StoreFixture(
        fixture.disk.crashImage({
          seed: 1,
          keptPercent: 100,
          renames: "atomic",
        }),
      );
      const reader = await copy.open({ readOnly: true });
      const remover = await new StoreFixture(copy.disk).open();
      copy.files.inject(({ name, path }) =>
        name === "open" && path.endsWith(part)
          ? { wait: remover.delete(id) }
          : undefined
      );
      await assert.rejects(reader.open(id), SnapshotNotFoundError);
      copy.files.inject();
      assert.deepEqual(await listIds(reader), []);
      await remover.close();
    }
    await store.close();
  });
});
