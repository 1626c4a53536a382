import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MemorySnapshotStore } from "@raft/snapshots";
import { importArchive } from "@raft/snapshots/archive";
import { crc64 } from "@raft/snapshots/crc64";
import { snapshotHandler } from "@raft/snapshots/http";
import { INIT, Log } from "../support/store_fixture.ts";
import { bodyOf, Served, STATE } from "./served.ts";

describe("the snapshot handler", () => {
  it("lists the usable snapshots, newest first", async () => {
    const served = await Served.make();
    const { id } = await served.store.save({ ...INIT, index: 11n }, STATE);
    const response = await served.get();
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("content-type"), "application/json");
    const { snapshots } = await response.json();
    assert.deepEqual(
      snapshots.map((each: { id: string }) => each.id),
      [id, served.id],
    );
    const [{ index, term, size, crc }] = snapshots;
    assert.deepEqual([index, term, size], ["11", "3", STATE.length]);
    assert.equal(crc, crc64(STATE).toString(16).padStart(16, "0"));
  });

  it("gives a state with its length and a strong validator", async () => {
    const served = await Served.make();
    const response = await served.state();
    const { headers } = response;
    assert.equal(response.status, 200);
    assert.equal(headers.get("content-length"), `${STATE.length}`);
    assert.equal(headers.get("accept-ranges"), "bytes");
    assert.equal(headers.get("cache-control"), "no-transform");
    const crc = crc64(STATE).toString(16).padStart(16, "0");
    assert.equal(headers.get("etag"), `"${served.id}-${crc}"`);
    assert.deepEqual(await bodyOf(response), STATE);
    assert.equal(served.fixture.openHandles, 0);
  });

  it("gives the exact bytes of meta.json and blocks.crc64", async () => {
    const served = await Served.make();
    const { meta, blocks } = await served.store.header(served.id);
    const answers = [
      await served.get(`/${served.id}/meta`),
      await served.get(`/${served.id}/blocks`),
    ];
    const bodies = await Promise.all(answers.map(bodyOf));
    assert.deepEqual(bodies, [meta, blocks]);
    const etags = answers.map(({ headers }) => headers.get("etag"));
    assert.deepEqual(
      etags,
      bodies.map((body) =>
        `"${served.id}-${crc64(body).toString(16).padStart(16, "0")}"`
      ),
    );
  });

  it("says that a snapshot of Go has no block checksums", async () => {
    const served = await Served.make();
    await served.fixture.unseal(served.id);
    const response = await served.get(`/${served.id}/blocks`);
    assert.equal(response.status, 404);
    assert.equal((await response.json()).code, "blocks-not-found");
    assert.deepEqual(await bodyOf(await served.state()), STATE);
  });

  it("gives an archive that can be imported", async () => {
    const served = await Served.make();
    const response = await served.get(`/${served.id}/archive`);
    assert.equal(response.headers.get("content-type"), "application/gzip");
    const target = new MemorySnapshotStore();
    assert.ok(response.body);
    await importArchive(target, response.body);
    const [{ crc, index } = { crc: 0n, index: 0n }] = await target.list();
    assert.deepEqual([crc, index], [crc64(STATE), 10n]);
  });

  it("sends an archive only when the conditions of the request hold", async () => {
    const served = await Served.make();
    const { id } = served;
    const ask = (headers: HeadersInit, method = "GET") =>
      served.get(`/${id}/archive`, { method, headers });
    const { headers, body } = await ask({});
    await body?.cancel();
    const crc = crc64(STATE).toString(16).padStart(16, "0");
    const etag = `W/"${id}-archive-${crc}"`;
    assert.equal(headers.get("etag"), etag);
    const since = served.fixture.files.trace.length;
    // No weak validator matches strongly.
    for (const wrong of [etag, etag.slice(2), `"${id}-${crc}"`, '"x"']) {
      for (const method of ["GET", "HEAD"]) {
        const answer = await ask({ "if-match": wrong }, method);
        assert.equal(answer.status, 412, `${method} ${wrong}`);
      }
    }
    for (const same of [etag, etag.slice(2), "*", `"x", ${etag}`]) {
      const answer = await ask({ "if-none-match": same });
      assert.deepEqual([answer.status, answer.body], [304, null], same);
      assert.equal(answer.headers.get("etag"), etag);
    }
    const opened = served.fixture.trace(since).filter((each) =>
      each === `open ${id}/state.bin`
    );
    assert.deepEqual(opened, []);
    for (const name of ["if-match", "if-none-match"]) {
      const answer = await ask({ [name]: name === "if-match" ? "*" : '"x"' });
      assert.equal(answer.status, 200, name);
      await answer.body?.cancel();
    }
    assert.equal(served.fixture.openHandles, 0);
  });

  it("sends an archive whole, because its bytes are not always the same", async () => {
    const served = await Served.make();
    for (const method of ["GET", "HEAD"]) {
      const answer = await served.get(`/${served.id}/archive`, {
        method,
        headers: { range: "bytes=5-9" },
      });
      assert.equal(answer.status, 200, method);
      assert.equal(answer.headers.get("accept-ranges"), "none");
      assert.equal(answer.headers.get("content-range"), null);
      assert.equal(answer.headers.get("content-length"), null);
      await answer.body?.cancel();
    }
  });

  it("answers to HEAD as to GET, without a body, and opens no state", async () => {
    const served = await Served.make();
    for (const part of ["", "/meta", "/blocks", "/archive"]) {
      const path = `/${served.id}${part}`;
      const got = await served.get(path);
      const since = served.fixture.files.trace.length;
      const head = await served.get(path, { method: "HEAD" });
      assert.deepEqual([...head.headers], [...got.headers], path);
      assert.equal(head.status, 200);
      assert.equal(head.body, null);
      const opened = served.fixture.trace(since).filter((each) =>
        each === `open ${served.id}/state.bin`
      );
      assert.deepEqual(opened, []);
      await got.body?.cancel();
    }
  });

  it("may be mounted anywhere", async () => {
    const served = await Served.make();
    for (const prefix of ["", "/a", "/snapshots", "/a/b%20c"]) {
      const url = `http://any.test${prefix}/snapshots/${served.id}/meta`;
      const response = await served.handler(new Request(url));
      assert.equal(response.status, 200, url);
      await response.body?.cancel();
      const list = await served.handler(
        new Request(`http://any.test${prefix}/snapshots`),
      );
      assert.equal((await list.json()).snapshots.length, 1, prefix);
    }
  });
});

describe("a request that is not authorized", () => {
  it("is answered with 401, whatever it asks for", async () => {
    const asked: string[] = [];
    const served = await Served.make({
      authorize: (request) => {
        asked.push(request.method);
        return Promise.resolve(false);
      },
    });
    const since = served.fixture.files.trace.length;
    for (const path of ["", `/${served.id}`, "/none", `/${served.id}/meta`]) {
      const response = await served.get(path);
      assert.equal(response.status, 401);
      assert.equal(response.headers.get("www-authenticate"), "Bearer");
      assert.equal((await response.json()).code, "unauthorized");
    }
    const put = await served.get("", { method: "PUT", body: "x" });
    assert.equal(put.status, 401);
    assert.equal(asked.length, 5);
    assert.deepEqual(served.fixture.trace(since), []);
  });

  it("is one for which authorize() gives anything but true", async () => {
    for (const answer of [undefined, 1, "yes", {}]) {
      const authorize = () => answer as unknown as boolean;
      const served = await Served.make({ authorize });
      assert.equal((await served.get()).status, 401);
    }
  });

  it("can't be meant: there is no handler without authorize()", async () => {
    const { store } = await Served.make();
    const none = {} as { authorize: () => boolean };
    assert.throws(() => snapshotHandler(store, none), TypeError);
    const authorize = () => true;
    assert.throws(() => snapshotHandler(undefined as never, { authorize }), {
      name: "TypeError",
      message: "Cannot serve snapshots: found undefined, expected a store",
    });
  });

  it("is not let through when authorize() fails", async () => {
    const served = await Served.make({
      authorize: () => Promise.reject(new Error("/etc/secret is missing")),
    });
    const response = await served.get();
    assert.equal(response.status, 500);
    assert.doesNotMatch(await response.text(), /secret/);
    assert.equal(served.log.matching("warn", "secret").length, 1);
  });
});

describe("a request that can't be answered", () => {
  it("gets a problem as JSON, with the reason for programs", async () => {
    const served = await Served.make();
    const cases = [
      ["/9-9-9", {}, 404, "snapshot-not-found"],
      ["/9-9-9/meta", {}, 404, "snapshot-not-found"],
      ["/9-9-9/archive", {}, 404, "snapshot-not-found"],
      ["/..%2F..%2Fetc", {}, 404, "not-found"],
      [`/${served.id}/state.bin`, {}, 404, "not-found"],
      ["x", {}, 404, "not-found"],
      ["", { method: "PUT", body: "x" }, 405, "method-not-allowed"],
      [`/${served.id}`, { method: "DELETE" }, 405, "method-not-allowed"],
    ] as const;
    for (const [path, init, status, code] of cases) {
      const response = await served.get(path, init);
      assert.equal(response.status, status, path);
      const type = response.headers.get("content-type");
      assert.equal(type, "application/problem+json");
      const problem = await response.json();
      assert.equal(problem.code, code);
      assert.equal(problem.status, status);
    }
    assert.deepEqual(served.log.lines, []);
  });

  it("gets no body when its method is HEAD", async () => {
    const served = await Served.make();
    const denied = await Served.make({ authorize: () => false });
    const init = { method: "HEAD" };
    const answers = [
      await denied.get("", init),
      await served.get("/none", init),
      await served.get("/9-9-9", init),
    ];
    const found = answers.map(({ status, body }) => [status, body]);
    assert.deepEqual(found, [[401, null], [404, null], [404, null]]);
  });

  it("gets the same from a store of another copy of the package", async () => {
    const mark = Symbol.for("@raft/snapshots.SnapshotError");
    const failing = (code: string) => () => {
      const error = Object.assign(new Error("no"), { code, [mark]: true });
      return Promise.reject(error);
    };
    const { store } = await Served.make();
    const stat = failing("ERR_SNAPSHOT_NOT_FOUND");
    const list = failing("ERR_STORE_CLOSED");
    const handler = snapshotHandler(
      { list, stat, header: store.header, open: store.open },
      { authorize: () => true, logger: new Log() },
    );
    const get = (path: string) =>
      handler(new Request(`http://any.test/snapshots${path}`));
    assert.equal((await get("/9-9-9")).status, 404);
    assert.equal((await get("")).status, 503);
  });

  it("gets no path of the inside", async () => {
    const served = await Served.make();
    const { id, fixture } = served;
    fixture.corrupt(id, 3, "meta.json");
    const corrupt = await served.get(`/${id}/meta`);
    assert.equal(corrupt.status, 500);
    const text = await corrupt.text();
    assert.equal(JSON.parse(text).code, "snapshot-corrupt");
    assert.equal(JSON.parse(text).id, id);
    assert.doesNotMatch(text, /data|meta\.json/);
    assert.ok(served.log.matching("warn", "meta.json").length > 0);
    await served.store.close();
    const closed = await served.get();
    assert.equal(closed.status, 503);
    assert.equal(closed.headers.get("retry-after"), "1");
    assert.doesNotMatch(await closed.text(), /data/);
  });

  it("says so, and where, when the first bytes are corrupt", async () => {
    const served = await Served.make({ maxTransfers: 1 });
    served.fixture.corrupt(served.id, 3000);
    for (const range of ["bytes=2560-", "bytes=3000-3001", "bytes=2560-"]) {
      const response = await served.state({ range });
      assert.equal(response.status, 500);
      const { code, id, offset } = await response.json();
      const expected = ["snapshot-corrupt", served.id, 2560];
      assert.deepEqual([code, id, offset], expected);
    }
    assert.equal(served.fixture.openHandles, 0);
  });

  it("finds the path of a request that names no host", async () => {
    const served = await Served.make();
    for (const [url, status] of [["/snapshots", 200], ["//", 404]] as const) {
      const request = { url, method: "GET", headers: new Headers() };
      const response = await served.handler(request as Request);
      assert.equal(response.status, status, url);
    }
  });

  it("breaks off when the state is corrupt, instead of ending well", async () => {
    const served = await Served.make();
    served.fixture.corrupt(served.id, 3000);
    const response = await served.state();
    assert.equal(response.status, 200);
    await assert.rejects(bodyOf(response));
    assert.equal(served.fixture.openHandles, 0);
    assert.equal(served.log.matching("info", "CRC-64").length, 1);
  });
});

describe("options of the snapshot handler", () => {
  it("are refused when they are out of their bounds", async () => {
    const { store } = await Served.make();
    const authorize = () => true;
    for (
      const options of [
        { maxTransfers: 0 },
        { bytesPerSecond: 0 },
        { stallTimeoutMs: 0.5 },
        { stallTimeoutMs: 2 ** 31 },
      ]
    ) {
      const make = () => snapshotHandler(store, { authorize, ...options });
      assert.throws(make, RangeError);
    }
  });
});
