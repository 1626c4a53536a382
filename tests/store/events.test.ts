/**
 * The events of a store, for `onEvent` and its logger.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type BackendEvent,
  SnapshotCorruptError,
  StoreClosedError,
  type StoreEvent,
  type StoreOptions,
  toLogLine,
} from "@raft/snapshots";
import { openSnapshotStore } from "@raft/snapshots/backend";
import { MemoryBackend } from "../../src/backends/memory/memory_backend.ts";
import type { BackendHost } from "../../src/backend/backend.ts";
import {
  encode,
  INIT,
  letOthersWork,
  Log,
  save,
} from "../support/store_fixture.ts";
import { onEachPlace, type Place, prepare } from "./places.ts";

/** A store whose events are kept, and whose time is the test's. */
async function watch(place: Place, options: StoreOptions = {}) {
  const events: StoreEvent[] = [];
  const time = { nowMs: 0 };
  const store = await place.open({
    retain: 100,
    onEvent: (event) => void events.push(event),
    monotonicClock: () => time.nowMs,
    ...options,
  });
  const typesOf = () => events.map(({ type }) => type);
  return { store, events, time, typesOf };
}

/** The events of one type. */
function only<Type extends StoreEvent["type"]>(
  events: readonly StoreEvent[],
  type: Type,
): Extract<StoreEvent, { type: Type }>[] {
  return events.filter((event): event is Extract<StoreEvent, { type: Type }> =>
    event.type === type
  );
}

onEachPlace("the events of a store", (makePlace) => {
  it("may close the store, which removes the snapshot that was begun", async () => {
    for (const begin of ["create", "save"] as const) {
      const place = makePlace();
      let closing: Promise<void> | undefined;
      const { store } = await watch(place, {
        onEvent: ({ type }) => {
          if (type === "created") closing = store.close();
        },
      });
      const calls = {
        create: () => store.create(INIT),
        save: () => store.save(INIT, encode("state")),
      };
      await assert.rejects(calls[begin](), StoreClosedError);
      await closing;
      assert.deepEqual(await place.names(), []);
    }
  });

  it("report a snapshot that was created and published, and how long that took", async () => {
    const place = makePlace();
    const { store, events, time } = await watch(place);
    const sink = await store.create(INIT);
    const writer = sink.getWriter();
    await writer.write(encode("state"));
    time.nowMs += 40;
    await writer.close();
    const { id, meta } = sink;
    const [{ place: where }] = events as [StoreEvent];
    assert.deepEqual(events, [
      { type: "created", id, place: where },
      { type: "published", meta, durationMs: 40, place: where },
    ]);
    assert.deepEqual(place.log.lines, [
      `debug: Creating snapshot ${id}`,
      `info: Published snapshot ${id} (5 bytes in 40 ms)`,
    ]);
    await store.close();
  });

  it("are the same for save()", async () => {
    const place = makePlace();
    const { store, events, time } = await watch(place);
    const meta = await store.save(
      INIT,
      (function* () {
        yield encode("state");
        time.nowMs += 7.4;
      })(),
    );
    const [published] = only(events, "published");
    assert.deepEqual(published?.meta, meta);
    assert.equal(published?.durationMs, 7.4);
    assert.equal(
      place.log.matching("info")[0],
      `info: Published snapshot ${meta.id} (5 bytes in 7 ms)`,
    );
    await store.close();
  });

  it("do not report a publication that has failed", async () => {
    const { store, typesOf } = await watch(makePlace());
    await (await store.create(INIT)).cancel();
    const expected = { size: 4 };
    await assert.rejects(store.save(INIT, encode("state"), { expected }));
    assert.deepEqual(typesOf(), ["created", "created"]);
    await store.close();
  });

  it("report which snapshots were restored, passed over and quarantined", async () => {
    const place = makePlace();
    const [good = "", bad = ""] = await prepare(place, [1, 2]);
    await place.corrupt(bad);
    const { store, events, time } = await watch(place);
    place.log.lines.length = 0;
    const result = await store.restore(async (source) => {
      await new Response(source).text();
      time.nowMs += 30;
    });
    const [rejected, restored, quarantined] = events;
    assert.equal(events.length, 3);
    assert.ok(rejected?.type === "rejected");
    assert.equal(rejected.id, bad);
    assert.equal(rejected.operation, "restore");
    assert.ok(rejected.error instanceof SnapshotCorruptError);
    assert.ok(restored?.type === "restored");
    assert.equal(restored.meta, result?.meta);
    assert.deepEqual(restored.skipped, [{ id: bad, error: rejected.error }]);
    assert.equal(restored.durationMs, 30);
    assert.ok(quarantined?.type === "quarantined");
    assert.equal(quarantined.id, bad);
    assert.deepEqual(place.log.lines, [
      `warn: Cannot restore snapshot ${bad}: ${rejected.error.message}`,
      `info: Restored snapshot ${good} (7 bytes in 30 ms), having passed over 1`,
      `warn: Quarantined corrupt snapshot ${bad} as ${quarantined.name}`,
    ]);
    await store.close();
  });

  it("report nothing when restore() has restored nothing", async () => {
    const place = makePlace();
    await prepare(place, [1]);
    const { store, events } = await watch(place);
    await assert.rejects(store.restore(() => {}), TypeError);
    assert.deepEqual(events, []);
    await store.close();
  });

  it("report the names that list() leaves out", async () => {
    const place = makePlace();
    const [, bad = "", worse = ""] = await prepare(place, [1, 2, 3]);
    await place.corrupt(worse);
    const { store, events, typesOf } = await watch(place);
    await store.restore((source) => new Response(source).text());
    await place.remove(bad, "meta.json");
    const sink = await store.create(INIT);
    events.length = place.log.lines.length = 0;
    await store.list();
    assert.deepEqual(typesOf().sort(), ["ignored", "ignored", "rejected"]);
    const ignored = only(events, "ignored").map(({ name, state }) => [
      name,
      state,
    ]);
    assert.deepEqual(ignored, [[sink.id, "writing"], [worse, "quarantined"]]);
    const [rejected] = only(events, "rejected");
    assert.equal(rejected?.id, bad);
    assert.equal(rejected.operation, "list");
    assert.deepEqual(place.log.matching("debug"), [
      `debug: Skipping snapshot ${sink.id}: writing`,
      `debug: Skipping snapshot ${worse}: quarantined`,
    ]);
    assert.equal(
      place.log.matching("warn", `Skipping snapshot ${bad}`).length,
      1,
    );
    await store.close();
  });

  it("report damaged block checksums", async () => {
    const place = makePlace();
    const [id = ""] = await prepare(place, [1]);
    await place.corrupt(id, 10, "blocks.crc64");
    const { store, events } = await watch(place);
    await store.stat(id);
    const [event] = only(events, "checksumsIgnored");
    assert.equal(event?.id, id);
    assert.ok(event.error instanceof SnapshotCorruptError);
    assert.match(place.log.matching("warn", id)[0] ?? "", /; not using it$/);
    await store.close();
  });

  it("report which snapshots were reaped and deleted", async () => {
    const place = makePlace();
    const [old, kept = ""] = await prepare(place, [1, 2]);
    const { store, events } = await watch(place, { retain: 1 });
    const id = await save(store, "new", { index: 3 });
    await store.delete(id);
    const places = { place: events[0]?.place };
    assert.deepEqual(events.slice(2), [
      { type: "reaped", id: kept, ...places },
      { type: "reaped", id: old, ...places },
      { type: "deleted", id, ...places },
    ]);
    assert.ok(place.log.lines.includes(`info: Reaped snapshot ${old}`));
    assert.ok(place.log.lines.includes(`info: Deleted snapshot ${id}`));
    await store.close();
  });

  it("are the source of the log lines", async () => {
    const place = makePlace();
    const ids = await prepare(place, [1, 2, 3, 4]);
    for (const id of ids.slice(2)) await place.corrupt(id);
    place.log.lines.length = 0;
    const { store, events } = await watch(place);
    await store.restore((source) => new Response(source).text());
    await save(store, "new", { index: 9 });
    await store.list();
    await store.delete(ids[0] ?? "");
    await store.close();
    const lines = events.map(toLogLine)
      .map(({ level, message }) => `${level}: ${message}`);
    assert.ok(lines.length > 8, lines.join("\n"));
    assert.deepEqual(place.log.lines, lines);
  });

  it("can be converted to JSON", async () => {
    const place = makePlace();
    const [, bad = ""] = await prepare(place, [1, 2]);
    await place.remove(bad, "state.bin");
    const { store, events } = await watch(place);
    await store.list();
    const id = await save(store, "new", { index: 2n ** 64n - 1n });
    const [rejected, , published] = JSON.parse(JSON.stringify(events));
    assert.equal(rejected.id, bad);
    assert.equal(rejected.error.name, "SnapshotCorruptError");
    assert.equal(published.meta.id, id);
    assert.equal(published.meta.index, "18446744073709551615");
    await store.close();
  });

  it("change no outcome when their handler throws or rejects", async () => {
    const handlers = [
      () => {
        throw new Error("the handler's own");
      },
      () => Promise.reject(new Error("the handler's own")),
      () => ({ then: 5 }),
    ];
    for (const onEvent of handlers) {
      const place = makePlace();
      const [good, bad = ""] = await prepare(place, [1, 2]);
      await place.corrupt(bad);
      const { store } = await watch(place, { onEvent, retain: 1 });
      const restored = await store.restore((it) => new Response(it).text());
      assert.equal(restored?.meta.id, good);
      const id = await save(store, "new", { index: 3 });
      assert.deepEqual((await store.list()).map((each) => each.id), [id]);
      await store.close();
    }
    await letOthersWork();
  });

  for (const option of ["onEvent", "monotonicClock"] as const) {
    it(`need the option ${option} to be a function`, async () => {
      for (const wrong of [5, "log", {}]) {
        const place = makePlace();
        const opening = async () =>
          await place.open({ [option]: wrong as never });
        await assert.rejects(opening, {
          name: "TypeError",
          message: `Cannot use the option ${option}: found ${typeof wrong}, ` +
            "expected a function",
        });
        assert.deepEqual(await place.names(), [], "nothing was touched");
      }
    });
  }
});

/** A backend that reports the events of a test. */
class ReportingBackend extends MemoryBackend {
  host: BackendHost | undefined;

  connect(host: BackendHost): Promise<void> {
    this.host = host;
    return Promise.resolve();
  }
}

describe("the events of a backend", () => {
  async function connect() {
    const events: StoreEvent[] = [];
    const log = new Log();
    const backend = new ReportingBackend();
    const store = await openSnapshotStore(backend, {
      logger: log,
      onEvent: (event) => void events.push(event),
    });
    const { report } = backend.host ?? {};
    assert.ok(report !== undefined);
    return { store, events, log, report };
  }

  it("are passed on with the place of the store, and logged", async () => {
    const { store, events, log, report } = await connect();
    const error = new Error("status 503");
    report({ type: "retrying", operation: "list", error });
    const hidden = new TypeError("fetch failed", { cause: error });
    report({ type: "retrying", operation: "list", error: hidden });
    report({ type: "failed", operation: "remove", id: "1-1-1", error });
    report({ type: "failed", operation: "renew", error });
    const denied = { id: "2-2-2", error, isExpected: true };
    report({ type: "failed", operation: "sweep", ...denied });
    const place = "memory";
    assert.deepEqual(events, [
      { type: "retrying", operation: "list", error, place },
      { type: "retrying", operation: "list", error: hidden, place },
      { type: "failed", operation: "remove", id: "1-1-1", error, place },
      { type: "failed", operation: "renew", error, place },
      { type: "failed", operation: "sweep", ...denied, place },
    ]);
    assert.deepEqual(log.lines, [
      "warn: Cannot list in memory: status 503; trying again",
      "warn: Cannot list in memory: fetch failed: status 503; trying again",
      "warn: Cannot remove snapshot 1-1-1: status 503; later reaps and openings " +
      "try again",
      "warn: Cannot renew in memory: status 503",
      "debug: Cannot remove snapshot 2-2-2: status 503; the next opening tries " +
      "again",
    ]);
    await store.close();
  });

  it("are dropped when they are not a backend's, and never throw", async () => {
    const { store, events, log, report } = await connect();
    const wrong: unknown[] = [
      { type: "published", meta: {}, durationMs: 1 },
      { type: "toString" },
      { type: 5 },
      {},
      undefined,
    ];
    for (const event of wrong) report(event as BackendEvent);
    assert.deepEqual([events, log.lines], [[], []]);
    // Of the right type, and with nothing in it.
    report({ type: "lockTakenOver" } as BackendEvent);
    assert.deepEqual(log.lines, []);
    await store.close();
  });

  it("reach a terminal without control characters", async () => {
    const { store, events, log, report } = await connect();
    const name = "\u001b[2J";
    report({ type: "cleanedUp", id: "1-1-1", name, state: "writing" });
    const { level, message } = toLogLine(events[0] as StoreEvent);
    assert.ok(message.startsWith("Removed \\u001b[2J: "), message);
    assert.deepEqual(log.lines, [`${level}: ${message}`]);
    await store.close();
  });
});
