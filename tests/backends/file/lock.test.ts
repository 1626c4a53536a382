/**
 * One store object at a time may write to a directory.
 */

import assert from "node:assert/strict";
import { once } from "node:events";
import { symlink } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import {
  openFileSnapshotStore,
  type StoreEvent,
  StoreLockedError,
} from "@raft/snapshots";
import { killOutright } from "../../support/kill.ts";
import { runtime, type ScriptOptions } from "../../support/runtime.ts";
import { temporaryDirectory } from "../../support/temporary_directory.ts";
import { listIds, Log, save } from "../../support/store_fixture.ts";

const logger = new Log();
const HOLDER = new URL("./lock_holder.ts", import.meta.url);

/** The output of the other process. */
interface Report {
  readonly pid: number;
  readonly published?: string;
  readonly ids?: readonly string[];
  readonly name?: string;
  readonly message?: string;
  readonly owner?: { readonly pid: number };
}

/** Opens the store in a process of its own, which is ended with the test. */
async function openElsewhere(directory: string, options: ScriptOptions = {}) {
  const child = runtime.spawnScript(HOLDER, [directory], {
    ...options,
    stdio: ["pipe", "pipe", "inherit"],
  });
  const { stdin, stdout } = child;
  assert.ok(stdin !== null && stdout !== null);
  const closed = once(child, "close");
  const lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  const report = JSON.parse((await lines.next()).value ?? "null") as Report;
  return {
    report,
    /** Lets it close the store and end. */
    async end() {
      stdin.end();
      await closed;
    },
    /** Ends it as a crash would. */
    async kill() {
      killOutright(child);
      await closed;
    },
  };
}

describe("the lock of a store", () => {
  it("refuses a second store of the same process, and names the holder", async (t) => {
    const directory = await temporaryDirectory(t);
    const store = await openFileSnapshotStore(directory, { logger });
    const before = Date.now();
    await assert.rejects(
      openFileSnapshotStore(directory, { logger }),
      (error) => {
        assert.ok(error instanceof StoreLockedError);
        assert.equal(error.owner?.pid, process.pid);
        assert.match(error.owner?.runtime ?? "", new RegExp(runtime.name));
        assert.ok((error.owner?.since ?? Infinity) <= before);
        assert.ok(error.message.includes(String(process.pid)));
        assert.ok(error.message.includes(directory));
        return true;
      },
    );
    const id = await save(store, "undisturbed");
    await store.close();
    const next = await openFileSnapshotStore(directory, { logger });
    assert.deepEqual(await listIds(next), [id]);
    await next.close();
  });

  it("knows the directory by any of its names", async (t) => {
    const root = await temporaryDirectory(t);
    const directory = join(root, "real");
    const store = await openFileSnapshotStore(directory, { logger });
    const names: (string | URL)[] = [
      `${directory}/`,
      join(directory, "..", "real"),
      pathToFileURL(directory),
    ];
    if (process.platform !== "win32") {
      await symlink(directory, join(root, "link"));
      names.push(join(root, "link"));
    }
    for (const name of names) {
      await assert.rejects(
        openFileSnapshotStore(name, { logger }),
        StoreLockedError,
        String(name),
      );
    }
    await store.close();
  });

  it("lets readers in", async (t) => {
    const directory = await temporaryDirectory(t);
    const store = await openFileSnapshotStore(directory, { logger });
    const id = await save(store, "state");
    const reader = await openFileSnapshotStore(directory, {
      logger,
      readOnly: true,
    });
    assert.deepEqual(await listIds(reader), [id]);
    await reader.close();
    await save(store, "still the owner");
    await store.close();
  });

  it("is given to only one of many that ask at the same time", async (t) => {
    const directory = await temporaryDirectory(t);
    for (let round = 0; round < 3; round++) {
      const outcomes = await Promise.allSettled(
        Array.from(
          { length: 4 },
          () => openFileSnapshotStore(directory, { logger }),
        ),
      );
      let held = 0;
      for (const outcome of outcomes) {
        if (outcome.status === "fulfilled") {
          held++;
          await outcome.value.close();
        } else assert.ok(outcome.reason instanceof StoreLockedError);
      }
      assert.equal(held, 1);
    }
  });

  it("refuses another process until this one releases it", async (t) => {
    const directory = await temporaryDirectory(t);
    const store = await openFileSnapshotStore(directory, { logger });
    const refused = await openElsewhere(directory);
    await refused.end();
    assert.equal(refused.report.name, "StoreLockedError");
    assert.equal(refused.report.owner?.pid, process.pid);
    await store.close();
    const other = await openElsewhere(directory);
    assert.notEqual(other.report.published, undefined);
    await assert.rejects(
      openFileSnapshotStore(directory, { logger }),
      (error) => {
        assert.ok(error instanceof StoreLockedError);
        assert.equal(error.owner?.pid, other.report.pid);
        return true;
      },
    );
    await other.end();
    await (await openFileSnapshotStore(directory, { logger })).close();
  });

  it("is taken over at once from a process that died", async (t) => {
    const directory = await temporaryDirectory(t);
    const other = await openElsewhere(directory);
    await other.kill();
    const log = new Log();
    const events: StoreEvent[] = [];
    const store = await openFileSnapshotStore(directory, {
      logger: log,
      onEvent: (event) => void events.push(event),
    });
    const [event] = events.filter(({ type }) => type === "lockTakenOver");
    assert.ok(event?.type === "lockTakenOver");
    assert.equal(event.owner.pid, other.report.pid);
    assert.match(event.owner.runtime, new RegExp(runtime.name));
    const process = `process ${other.report.pid}`;
    const told = log.matching("info", "Took over the lock");
    assert.equal(told.length, 1);
    assert.ok(told[0]?.includes(process), told[0]);
    assert.deepEqual(await listIds(store), [other.report.published]);
    await store.close();
  });

  it("is taken over from no process when it was given up", async (t) => {
    const directory = await temporaryDirectory(t);
    const events: StoreEvent[] = [];
    const onEvent = (event: StoreEvent) => void events.push(event);
    for (let start = 0; start < 2; start++) {
      await (await openFileSnapshotStore(directory, { logger, onEvent }))
        .close();
    }
    assert.deepEqual(events, []);
  });

  it("works on Deno with no more than the directory's permissions", {
    skip: runtime.name === "deno" ? false : "Deno's permissions",
  }, async (t) => {
    const directory = await temporaryDirectory(t);
    const denoFlags = [
      "--no-prompt",
      `--allow-read=${directory}`,
      `--allow-write=${directory}`,
    ];
    const other = await openElsewhere(directory, { denoFlags });
    assert.notEqual(other.report.published, undefined, other.report.message);
    await assert.rejects(
      openFileSnapshotStore(directory, { logger }),
      StoreLockedError,
    );
    const refused = await openElsewhere(directory, { denoFlags });
    assert.equal(refused.report.name, "StoreLockedError");
    await refused.end();
    await other.kill();
    const next = await openElsewhere(directory, { denoFlags });
    assert.equal(next.report.ids?.length, 2, next.report.message);
    await next.end();
  });
});
