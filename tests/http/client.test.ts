/**
 * openHttpSnapshotStore() over a line that works.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inspect } from "node:util";
import {
  copySnapshot,
  isSnapshotError,
  MemorySnapshotStore,
  SnapshotCorruptError,
  SnapshotNotFoundError,
  SnapshotTooLargeError,
  StoreAccessError,
} from "@raft/snapshots";
import {
  type HttpSnapshotStoreOptions,
  openHttpSnapshotStore,
} from "@raft/snapshots/http";
import { INIT, until } from "../support/store_fixture.ts";
import { answerWith, stallAfter } from "./faulty_line.ts";
import { connect, install } from "./remote.ts";
import { BLOCK, SERVER, STATE } from "./served.ts";

const MiB = 1024 * 1024;

describe("a store of a server's snapshots", () => {
  it("lists, stats, opens, restores and verifies them", async () => {
    const { served, remote, id } = await connect();
    const second = await served.store.save({ ...INIT, index: 11n }, STATE);
    assert.deepEqual(await remote.list(), await served.store.list());
    assert.deepEqual(await remote.stat(id), await served.store.stat(id));
    assert.deepEqual(await remote.header(id), await served.store.header(id));
    const source = await remote.open(id, { start: 600, end: 1700 });
    const part = new Uint8Array(await new Response(source).arrayBuffer());
    assert.deepEqual(part, STATE.slice(600, 1700));
    const restored = await remote.restore(async (state) => {
      const got = new Uint8Array(await new Response(state).arrayBuffer());
      assert.deepEqual(got, STATE);
    });
    assert.equal(restored?.meta.id, second.id);
    const { ok, sealed, blockSize } = await remote.verify(id);
    assert.deepEqual([ok, sealed, blockSize], [true, true, BLOCK]);
    await remote.close();
    assert.equal(served.fixture.openHandles, 0);
  });

  it("is read by one request for the state, of whole blocks", async () => {
    const { line, remote, id } = await connect();
    await install({ remote, id });
    assert.deepEqual(line.ranges, [`bytes=0-${STATE.length - 1}`]);
    assert.equal(line.headers.get("accept-encoding"), "identity");
    assert.match(line.headers.get("if-match") ?? "", new RegExp(`^"${id}-`));
    const source = await remote.open(id, { start: 600, end: 601 });
    await new Response(source).arrayBuffer();
    assert.equal(line.ranges[1], "bytes=512-1023");
  });

  it("sends the caller's headers with each request", async () => {
    const authorize = (request: Request) =>
      request.headers.get("authorization") === "Bearer secret";
    const headers = { authorization: "Bearer secret" };
    const { remote, id } = await connect({ headers }, { authorize });
    assert.deepEqual(await install({ remote, id }), STATE);
  });

  it("reads an empty state without a request for it", async () => {
    const state = new Uint8Array();
    const { line, remote, id } = await connect({}, {}, state);
    assert.equal((await install({ remote, id })).length, 0);
    assert.deepEqual(line.ranges, []);
  });

  it("copies nothing that the target has", async () => {
    const { line, remote, id } = await connect();
    const local = new MemorySnapshotStore();
    const first = await copySnapshot(remote, id, local);
    const again = await copySnapshot(remote, id, local, { ifMissing: true });
    assert.deepEqual(again, first);
    assert.equal(line.ranges.length, 1);
  });

  it("refuses a state that is larger than allowed, before it asks for it", async () => {
    const { line, remote, id } = await connect({ maxSize: STATE.length - 1 });
    await assert.rejects(install({ remote, id }), SnapshotTooLargeError);
    assert.deepEqual(line.ranges, []);
    assert.equal((await remote.list()).length, 1);
  });

  it("restores nothing older than a state that is larger than allowed", async () => {
    const { served, remote } = await connect({ maxSize: STATE.length });
    const larger = new Uint8Array(STATE.length + 1);
    await served.store.save({ ...INIT, index: 11n }, larger);
    let calls = 0;
    const restoring = remote.restore(async (source) => {
      calls++;
      await new Response(source).arrayBuffer();
    });
    await assert.rejects(restoring, SnapshotTooLargeError);
    assert.equal(calls, 0);
  });

  it("has errors about the snapshot that are those of the server", async () => {
    const { served, remote, id } = await connect();
    await assert.rejects(remote.open("9-9-9"), SnapshotNotFoundError);
    served.fixture.corrupt(id, 3, "meta.json");
    await assert.rejects(remote.stat(id), SnapshotCorruptError);
  });

  it("says at once which block is corrupt on the server", async () => {
    for (const block of [0, 5, 9]) {
      const { served, line, remote, id } = await connect();
      served.fixture.corrupt(id, block * BLOCK + 1);
      await assert.rejects(install({ remote, id }), (error) => {
        assert.ok(isSnapshotError(error, "ERR_SNAPSHOT_CORRUPT"));
        const { reason, offset } = error;
        assert.deepEqual([reason, offset], ["block", block * BLOCK]);
        return true;
      });
      assert.ok(line.ranges.length <= 2, `${line.ranges}`);
      assert.equal(served.fixture.openHandles, 0);
    }
  });

  it("restores an older one when the newest is corrupt on the server", async () => {
    const { served, remote, id } = await connect();
    const { id: second } = await served.store.save(
      { ...INIT, index: 11n },
      STATE,
    );
    served.fixture.corrupt(second, 3000);
    const restored = await remote.restore(async (state) => {
      await new Response(state).arrayBuffer();
    });
    assert.equal(restored?.meta.id, id);
  });

  it("is not asked again when an answer is longer than any can be", async () => {
    const { line, remote, id } = await connect();
    const long = answerWith("x".repeat(17 * MiB));
    line.faults.push(long);
    await assert.rejects(remote.list(), (error) => {
      assert.ok(error instanceof StoreAccessError);
      assert.match(error.message, /list .* longer than 16777216 bytes; reduce/);
      return true;
    });
    line.faults.push(long);
    await assert.rejects(remote.stat(id), (error) => {
      assert.ok(error instanceof StoreAccessError);
      assert.match(
        error.message,
        /meta\.json .* longer than 1048576 bytes; look/,
      );
      return true;
    });
    line.faults.push((meta) => meta, answerWith("x".repeat(65 * MiB)));
    await assert.rejects(remote.header(id), (error) => {
      assert.ok(error instanceof StoreAccessError);
      assert.match(
        error.message,
        /blocks\.crc64 .* longer than 67108864 bytes/,
      );
      return true;
    });
    assert.equal(line.requests.length, 4);
  });

  it("is not asked again when an answer is compressed", async () => {
    const headers = { "content-encoding": "gzip" };
    for (const path of ["list", "stat", "open"] as const) {
      const { line, remote, id } = await connect();
      const asked = () =>
        path === "list"
          ? remote.list()
          : path === "stat"
          ? remote.stat(id)
          : install({ remote, id });
      const compressed = (response: Response) =>
        new Response(response.body, {
          status: response.status,
          headers: { ...Object.fromEntries(response.headers), ...headers },
        });
      if (path === "open") line.onState = compressed;
      else line.faults.push(compressed);
      await assert.rejects(asked(), {
        code: "ERR_STORE_ACCESS",
        message: /the answer is compressed \(gzip\)/,
      });
      assert.ok(line.ranges.length <= 1);
    }
  });

  it("needs no checksums when a proxy hides that there are none", async () => {
    const { served, line, remote, id } = await connect();
    await served.fixture.unseal(id);
    line.faults.push(
      (response) => response,
      answerWith("gone", { status: 404 }),
    );
    assert.equal((await remote.stat(id)).id, id);
    assert.equal(line.faults.length, 0);
    assert.match(line.requests.at(-1) ?? "", /blocks/);
  });

  it("is not read for longer than a stall when it refuses byte by byte", async () => {
    const { line, remote } = await connect({
      stallTimeoutMs: 50,
      retry: { budgetMs: 100, pauseMs: 1 },
    });
    let isCancelled = false;
    const drips = () => {
      const body = new ReadableStream<Uint8Array>({
        async pull(controller) {
          await new Promise((resolve) => setTimeout(resolve, 10));
          if (!isCancelled) controller.enqueue(new Uint8Array([32]));
        },
        cancel() {
          isCancelled = true;
        },
      });
      const headers = { "content-type": "application/problem+json" };
      return new Response(body, { status: 503, headers });
    };
    line.faults.push(...Array.from({ length: 200 }, () => drips));
    await assert.rejects(
      remote.list(),
      /the last attempt: .* has sent nothing for \d+ ms/,
    );
    assert.ok(isCancelled);
  });

  it("is not asked again when it refuses with a problem of its own kind", async () => {
    const { line, remote } = await connect();
    const problems = [
      `{"code":"${"x".repeat(9000)}"}`,
      "null",
      "[]",
      "not JSON",
      '{"code":"constructor"}',
      '{"code":"__proto__"}',
      '{"code":{}}',
      '{"code":{"toString":1}}',
      '{"code":["snapshot-corrupt"]}',
    ];
    for (const problem of problems) {
      line.faults.push(answerWith(problem, {
        status: 403,
        headers: { "content-type": "application/problem+json" },
      }));
      await assert.rejects(remote.list(), /status 403; pass valid credentials/);
    }
    assert.equal(line.requests.length, problems.length);
  });

  it("is not waited for when it asks for a longer pause than there is time", async () => {
    const { line, remote } = await connect();
    const headers = { "retry-after": "3600" };
    line.faults.push(answerWith("later", { status: 503, headers }));
    await assert.rejects(
      remote.list(),
      /: the server asks for a pause of 3600 s; the last attempt: .*503/,
    );
    assert.equal(line.requests.length, 1);
  });

  it("is not there, with a hint, when the server refuses", async () => {
    const { remote } = await connect({}, { authorize: () => false });
    await assert.rejects(remote.list(), (error) => {
      assert.ok(error instanceof StoreAccessError);
      assert.match(error.message, /401.*headers/);
      return true;
    });
    const { line, remote: other } = await connect();
    line.faults.push(answerWith("not here", { status: 404 }));
    await assert.rejects(other.list(), /404.*address/);
    const charset = "application/problem+json; charset=utf-8";
    line.faults.push(answerWith('{"code":"unauthorized"}', {
      status: 503,
      headers: { "content-type": charset },
    }));
    await assert.rejects(other.list(), /401/);
    const headers = { location: "http://evil.test/" };
    line.faults.push(answerWith(null, { status: 307, headers }));
    await assert.rejects(other.list(), /307/);
  });
});

describe("the address of a server", () => {
  it("may have a path, with or without a slash at its end", async () => {
    const { line } = await connect();
    for (const url of [SERVER, `${SERVER}/`, new URL(SERVER)]) {
      const remote = await openHttpSnapshotStore(url, { fetch: line.fetch });
      assert.equal((await remote.list()).length, 1);
    }
  });

  it("must be one of HTTP, without a password or a query", async () => {
    const urls = ["", "leader", "ftp://leader/", "http://a:b@leader/"];
    urls.push(
      "http://leader/?token=a:b",
      "http://leader/#a:b",
      "http://a:b@:0x",
      "http://[/?token=a:b",
      "http://[/?token=a:b@c",
      "http://a:b?c@[",
    );
    for (const url of urls) {
      await assert.rejects(openHttpSnapshotStore(url), (error) => {
        assert.ok(error instanceof TypeError);
        assert.doesNotMatch(inspect(error), /a:b/);
        return true;
      });
    }
  });

  it("is shown when it is not an address", async () => {
    await assert.rejects(openHttpSnapshotStore("leader:8300/x"), {
      name: "TypeError",
      message: /found leader:, expected http: or https:$/,
    });
    await assert.rejects(openHttpSnapshotStore("leader"), {
      name: "TypeError",
      message: "Cannot use the address of the server: " +
        'found "leader", expected a URL such as http://10.0.0.1:8300',
    });
  });

  it("comes with headers that no error shows", async () => {
    const headers = { authorization: "Bearer secret\nsecret" };
    await assert.rejects(
      openHttpSnapshotStore(SERVER, { headers }),
      (error) => {
        assert.ok(error instanceof TypeError);
        assert.match(error.message, /option headers/);
        assert.doesNotMatch(inspect(error), /secret/);
        return true;
      },
    );
  });

  it("comes with options that are checked", async () => {
    const open = (options: HttpSnapshotStoreOptions) =>
      openHttpSnapshotStore(SERVER, options);
    await assert.rejects(open({ stallTimeoutMs: 0 }), RangeError);
    await assert.rejects(open({ stallTimeoutMs: 2 ** 31 }), RangeError);
    await assert.rejects(open({ maxSize: -1 }), RangeError);
    await assert.rejects(open({ retry: { pauseMs: 0 } }), RangeError);
    const fetch = "fetch" as unknown as typeof globalThis.fetch;
    await assert.rejects(open({ fetch }), TypeError);
  });
});

describe("closing a store of a server's snapshots", () => {
  it("ends pending calls", async () => {
    const { served, line, remote, id } = await connect({
      stallTimeoutMs: 600_000,
    });
    line.onState = stallAfter(1000);
    const source = await remote.open(id);
    const reading = assert.rejects(new Response(source).arrayBuffer());
    line.faults.push(() => new Promise(() => {}));
    const listing = assert.rejects(remote.list());
    await remote.close();
    await Promise.all([reading, listing]);
    await until(() => served.fixture.openHandles === 0, "the file is closed");
  });

  it("is not needed for a copy that its signal ends", async () => {
    const { line, remote, id } = await connect({ stallTimeoutMs: 600_000 });
    line.onState = stallAfter(2000);
    const controller = new AbortController();
    const reason = new Error("enough");
    const { signal } = controller;
    const local = new MemorySnapshotStore();
    const copying = copySnapshot(remote, id, local, {
      signal,
      onProgress: () => controller.abort(reason),
    });
    await assert.rejects(copying, (error) => error === reason);
    assert.deepEqual(await local.list(), []);
  });
});
