/**
 * The files of docs/guide.md, run as they stand there.
 */

import assert from "node:assert/strict";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import {
  encodeMeta,
  type LogLine,
  NoUsableSnapshotError,
  type SnapshotMeta,
  type StoreEvent,
} from "@raft/snapshots";
import { failOn } from "@raft/snapshots/testing";
import { runtime } from "../support/runtime.ts";
import { Log, StoreFixture } from "../support/store_fixture.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import {
  CONFIG_FLAG,
  type GuideFiles,
  writeGuideFiles,
} from "./guide_files.ts";
import {
  type GuideNode,
  type Leases,
  logOf,
  type Machine,
  type Position,
  TermLog,
} from "./guide_node.ts";

interface Guide {
  Machine: new () => Machine;
  Leases: new () => Leases;
  start(node: GuideNode, directory: string, options: object): Promise<void>;
  alignLog(log: TermLog, position: Position): Promise<void>;
  takeSnapshot(node: GuideNode): Promise<SnapshotMeta>;
  compact(node: GuideNode): Promise<void>;
  install(node: GuideNode, from: object): Promise<SnapshotMeta>;
  receive(
    node: GuideNode,
    meta: Uint8Array,
    chunks: Iterable<Uint8Array>,
  ): Promise<SnapshotMeta>;
  serve(node: GuideNode, token: string): (r: Request) => Promise<Response>;
  takeAndReceive(
    node: GuideNode,
    meta: Uint8Array,
    chunks: Iterable<Uint8Array>,
  ): Promise<PromiseSettledResult<SnapshotMeta>[]>;
  snapshotRound(node: GuideNode): Promise<string>;
  observe(
    log: (line: LogLine & { readonly event: StoreEvent }) => void,
    metrics: object,
  ): object;
  restartAfterPowerCut(
    makeNode: () => object,
    when: { readonly operation: number; readonly seed: number },
  ): Promise<
    { acknowledged: string | undefined; restored: string | undefined }
  >;
}

const files: GuideFiles = await writeGuideFiles(
  "docs/guide.md",
  await temporaryDirectory(),
);
const guide: Guide = Object.assign(
  {},
  ...await Promise.all(files.names.map((name) => files.load<object>(name))),
);

function makeNode(log = logOf(0)): GuideNode {
  return {
    store: undefined as unknown as GuideNode["store"],
    machine: new guide.Machine(),
    applied: {
      ...{ index: 0n, term: 1n, configuration: { servers: [] } },
      configurationIndex: 0n,
    },
    log,
    leases: new guide.Leases(),
    stopping: new AbortController(),
    trailing: 0n,
    maxSize: 1024 * 1024,
  };
}

/** A node on a disk of its own. */
async function startNode(
  fixture?: StoreFixture,
  log?: TermLog,
): Promise<GuideNode> {
  const node = makeNode(log);
  const { files, log: logger } = fixture ?? new StoreFixture();
  const options = { fileSystem: files, logger };
  await guide.start(node, "/data", options);
  return node;
}

/** Applies `x = value` as the entry of that index. */
function apply(node: GuideNode, index: number, value: string): void {
  node.machine.apply({ key: "x", value });
  node.applied = { ...node.applied, index: BigInt(index) };
}

/** The bytes of a state in which x has that value. */
function stateOf(value: string): Uint8Array[] {
  const machine = new guide.Machine();
  machine.apply({ key: "x", value });
  return Array.from(machine.freeze(), (chunk) => chunk.slice());
}

/** A node that is in the middle of a snapshot, until a signal comes. */
const MAIN = `
import process from "node:process";
import { start } from "./start.js";
import { stopOnSignals } from "./stop.js";

const node = { machine: { load() {} }, stopping: new AbortController() };
await start(node, process.argv[2]);
stopOnSignals(node);
await node.store.create({
  ...{ index: 1n, term: 1n, configuration: { servers: [] } },
  configurationIndex: 1n,
});
// Deno reports each child that it has sent a signal as ended by that.
process.on("exit", (code) => console.log("ends with " + code));
setInterval(() => {}, 1000);
console.log("writing");
`;

describe("the guide", () => {
  it("has no code that the tests do not run", () => {
    assert.equal(files.unnamed, 0);
    assert.deepEqual(files.names, [
      ...["machine.js", "codec.js", "start.js", "log.js", "take_snapshot.js"],
      ...["compact.js", "install.js", "receive.js", "serve.js"],
      ...["two_at_once.js", "snapshot_round.js", "stop.js", "observe.js"],
      "power_cut.js",
    ]);
  });

  it("takes a snapshot of one moment, and restores it", async () => {
    const fixture = new StoreFixture();
    const node = await startNode(fixture, logOf(5));
    const long = "ü€😀".repeat(100_000);
    node.machine.apply({ key: "long", value: long });
    node.machine.apply({ key: "", value: "" });
    apply(node, 3, "at 3");
    const taken = guide.takeSnapshot(node);
    apply(node, 4, "at 4");
    assert.equal((await taken).index, 3n);
    await node.store.close();
    const again = await startNode(fixture, logOf(5));
    assert.equal(again.machine.get("x"), "at 3");
    assert.equal(again.machine.get("long"), long);
    assert.equal(again.machine.get(""), "");
    assert.equal(again.applied.index, 3n);
    assert.deepEqual([again.log.firstIndex, again.log.lastIndex], [1n, 5n]);
  });

  it("refuses to start where the log does not follow the snapshot", async () => {
    const fixture = new StoreFixture();
    const node = await startNode(fixture);
    apply(node, 3, "at 3");
    await guide.takeSnapshot(node);
    await node.store.close();
    await assert.rejects(
      startNode(fixture, new TermLog(5n, [1n])),
      /The log begins at 6, and the snapshot ends at 3/,
    );
  });

  it("refuses to start empty where no snapshot can be used", async () => {
    const fixture = new StoreFixture();
    const [id = ""] = await fixture.prepare([3]);
    fixture.corrupt(id);
    await assert.rejects(startNode(fixture), NoUsableSnapshotError);
  });

  it("keeps the part of the log that has the history of the snapshot", async () => {
    const same = logOf(9);
    await guide.alignLog(same, { index: 4n, term: 1n });
    assert.deepEqual([same.firstIndex, same.lastIndex], [1n, 9n]);
    const trimmed = new TermLog(4n, [1n, 1n]);
    await guide.alignLog(trimmed, { index: 4n, term: 1n });
    assert.deepEqual([trimmed.firstIndex, trimmed.lastIndex], [5n, 5n]);
    for (const log of [logOf(3), new TermLog(0n, [1n, 1n, 1n, 1n, 7n, 7n])]) {
      await guide.alignLog(log, { index: 4n, term: 2n });
      assert.deepEqual([log.firstIndex, log.lastIndex], [5n, 4n]);
      assert.equal(log.termAt(4n), 2n);
    }
  });

  it("keeps the log that the oldest snapshot and the leases need", async () => {
    const node = await startNode(undefined, logOf(30));
    await guide.compact(node);
    assert.equal(node.log.firstIndex, 1n, "there is no snapshot yet");
    for (const index of [10, 20]) {
      apply(node, index, "x");
      await guide.takeSnapshot(node);
    }
    node.leases.renew("ended", 2n, -1);
    node.leases.renew("b", 8n);
    await guide.compact(node);
    assert.equal(node.log.firstIndex, 8n);
    node.leases.renew("b", 25n);
    await guide.compact(node);
    assert.equal(node.log.firstIndex, 11n);
    await guide.compact({ ...node, trailing: 29n });
    assert.equal(node.log.firstIndex, 11n);
  });

  it("installs a snapshot on a follower, and renews the lease", async () => {
    const leader = await startNode();
    apply(leader, 7, "of the leader");
    const { id } = await guide.takeSnapshot(leader);
    const handler = guide.serve(leader, "c2VjcmV0");
    const fetch = (url: string | URL | Request, init?: RequestInit) =>
      handler(new Request(url, init));
    const headers = { authorization: "Bearer c2VjcmV0", "x-follower": "b" };
    const from = { url: "http://leader/", id, headers, fetch };
    const follower = await startNode(undefined, logOf(3));
    const meta = await guide.install(follower, from);
    assert.equal(follower.machine.get("x"), "of the leader");
    assert.equal(follower.applied.index, 7n);
    assert.equal(follower.log.firstIndex, 8n);
    assert.equal(leader.leases.lowestIndex(), 8n);
    const again = await guide.install(follower, from);
    assert.equal(again.id, meta.id);
    await assert.rejects(
      guide.install(follower, { ...from, headers: {} }),
      { code: "ERR_STORE_ACCESS" },
    );
  });

  it("publishes the received bytes only when they are the ones that were sent", async () => {
    const node = await startNode();
    const state = stateOf("sent");
    const meta = await node.store.save(node.applied, state);
    const bytes = encodeMeta(meta);
    const other = await startNode();
    await assert.rejects(
      guide.receive(other, bytes, stateOf("sen")),
      { code: "ERR_SNAPSHOT_PUBLISH", published: false },
    );
    assert.deepEqual(await other.store.list(), []);
    assert.equal((await guide.receive(other, bytes, state)).crc, meta.crc);
  });

  it("takes a snapshot while it receives another one", async () => {
    const node = await startNode();
    const older = { ...node.applied, index: 4n };
    const meta = await node.store.save(older, stateOf("received"));
    const other = await startNode();
    apply(other, 9, "own");
    const results = await guide.takeAndReceive(
      ...[other, encodeMeta(meta), stateOf("received")] as const,
    );
    const statuses = results.map(({ status }) => status);
    assert.deepEqual(statuses, ["fulfilled", "fulfilled"]);
    const indexes = (await other.store.list()).map(({ index }) => index);
    assert.deepEqual(indexes, [9n, 4n]);
  });

  it("makes room on a full disk, and keeps the log", async () => {
    const fixture = new StoreFixture();
    const node = await startNode(fixture, logOf(9));
    for (const index of [1, 2]) {
      apply(node, index, "x");
      assert.equal(await guide.snapshotRound(node), "done");
    }
    assert.equal(node.log.firstIndex, 2n);
    apply(node, 9, "x");
    const full = failOn("write", "ENOSPC", { path: /state\.bin$/ });
    fixture.files.inject(full);
    assert.equal(await guide.snapshotRound(node), "full");
    const left = (await node.store.list()).map(({ index }) => index);
    assert.deepEqual(left, [2n]);
    assert.equal(await guide.snapshotRound(node), "full");
    assert.equal((await node.store.list()).length, 1);
    assert.equal(node.log.firstIndex, 2n);
    fixture.files.inject(failOn("write", "EIO", { path: /state\.bin$/ }));
    assert.equal(await guide.snapshotRound(node), "failed");
    fixture.files.inject(() => undefined);
    assert.equal(await guide.snapshotRound(node), "done");
  });

  it("tells when a snapshot may be gone after a power cut", async () => {
    const fixture = new StoreFixture();
    const node = await startNode(fixture, logOf(9));
    apply(node, 5, "x");
    const path = /snapshots$/;
    fixture.files.inject(failOn("syncDirectory", "EIO", { path }));
    assert.equal(await guide.snapshotRound(node), "uncertain");
    assert.equal(node.log.firstIndex, 1n);
  });

  it("hands on an error of the state machine, and tells a stop", async () => {
    const node = await startNode();
    apply(node, 1, "x");
    const failure = new Error("a bug");
    const machine = {
      get: () => undefined,
      apply() {},
      freeze(): Iterable<Uint8Array> {
        return {
          [Symbol.iterator]() {
            throw failure;
          },
        };
      },
    };
    await assert.rejects(guide.snapshotRound({ ...node, machine }), failure);
    node.stopping.abort();
    assert.equal(await guide.snapshotRound(node), "stopped");
  });

  it("turns events into lines and metrics", async () => {
    const fixture = new StoreFixture();
    const ids = await fixture.prepare([1, 2]);
    fixture.corrupt(ids[1] ?? "");
    const lines: string[] = [];
    const metrics = new Map<string, number>();
    const options = guide.observe(
      ({ level, message, event }) =>
        void lines.push(`${level} ${event.type}: ${message}`),
      {
        set: (name: string, value: number) => metrics.set(name, value),
        increment: (name: string) =>
          metrics.set(name, (metrics.get(name) ?? 0) + 1),
      },
    );
    const store = await fixture.open(options);
    await store.restore((source) => new Response(source).text());
    await store.save(makeNode().applied, new Uint8Array(3));
    await store.close();
    assert.equal(metrics.get("snapshots_passed_over"), 1);
    assert.equal(metrics.get("snapshots_published"), 1);
    assert.equal(metrics.get("snapshot_bytes"), 3);
    assert.equal(metrics.get("snapshot_index"), 0);
    assert.ok((metrics.get("snapshot_ms") ?? -1) >= 0);
    assert.ok(lines.some((it) => /^warn quarantined: Quarantined/.test(it)));
    assert.equal(fixture.log.matching("warn").length, 0);
  });

  it("restores the snapshot that was acknowledged before a power cut", async () => {
    const make = () => ({
      ...makeNode(logOf(3)),
      options: { logger: new Log() },
    });
    const outcomes = new Set<string | undefined>();
    for (let operation = 0; operation < 150; operation += 3) {
      const when = { operation, seed: operation };
      const { acknowledged, restored } = await guide.restartAfterPowerCut(
        ...[make, when] as const,
      );
      outcomes.add(acknowledged);
      assert.ok(
        Number(restored ?? 0) >= Number(acknowledged ?? 0),
        `operation ${operation}: ${acknowledged}, then ${restored}`,
      );
    }
    assert.ok(outcomes.size > 2, "the power is cut before and after snapshots");
  });

  it("stops on SIGTERM without a trace of the unfinished", async (t) => {
    const directory = await temporaryDirectory(t);
    const script = join(files.folder, "main.mjs");
    await writeFile(script, MAIN);
    const child = runtime.spawnScript(pathToFileURL(script), [directory], {
      stdio: ["ignore", "pipe", "inherit"],
      denoFlags: ["--allow-all", CONFIG_FLAG],
    });
    assert.ok(child.stdout);
    const lines: string[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      lines.push(line);
      child.kill("SIGTERM");
    }
    assert.deepEqual(lines, ["writing", "ends with 0"]);
    assert.deepEqual(await readdir(join(directory, "snapshots")), []);
  });
});
