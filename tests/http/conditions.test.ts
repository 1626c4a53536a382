/**
 * Conditional and range requests, as RFC 9110 has them.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { bodyOf, Served, STATE } from "./served.ts";

const SIZE = STATE.length;

/** The validator of the state. */
async function etagOf(served: Served): Promise<string> {
  const { headers } = await served.state({}, { method: "HEAD" });
  return headers.get("etag") ?? "";
}

describe("a range request", () => {
  it("gets that part, and where it is", async () => {
    const served = await Served.make();
    const cases = [
      ["bytes=0-0", 0, 1],
      ["bytes=0-511", 0, 512],
      ["bytes=500-1100", 500, 1101],
      ["bytes=1000-", 1000, SIZE],
      ["bytes=-100", SIZE - 100, SIZE],
      [`bytes=-${SIZE + 5}`, 0, SIZE],
      [`bytes=4000-${SIZE + 5}`, 4000, SIZE],
      [`bytes=${SIZE - 1}-99999999999999999999`, SIZE - 1, SIZE],
      ["BYTES=1-2", 1, 3],
    ] as const;
    for (const [range, start, end] of cases) {
      const response = await served.state({ range });
      assert.equal(response.status, 206, range);
      const { headers } = response;
      const place = `bytes ${start}-${end - 1}/${SIZE}`;
      assert.equal(headers.get("content-range"), place, range);
      assert.equal(headers.get("content-length"), `${end - start}`, range);
      assert.equal(headers.get("etag"), await etagOf(served));
      assert.deepEqual(await bodyOf(response), STATE.slice(start, end), range);
    }
    assert.equal(served.fixture.openHandles, 0);
  });

  it("gets that part of a snapshot without block checksums, in one pass", async () => {
    const served = await Served.make();
    await served.fixture.unseal(served.id);
    for (const [start, end] of [[0, 1], [700, 900], [4000, SIZE], [0, SIZE]]) {
      const since = served.fixture.files.trace.length;
      const range = `bytes=${start}-${(end ?? 0) - 1}`;
      const response = await served.state({ range });
      assert.equal(response.status, 206);
      assert.deepEqual(await bodyOf(response), STATE.slice(start, end), range);
      const opened = served.fixture.trace(since).filter((each) =>
        each === `open ${served.id}/state.bin`
      );
      assert.equal(opened.length, 1);
    }
    assert.equal(served.fixture.openHandles, 0);
  });

  it("gets 416 and the size when the range is not in the state", async () => {
    const served = await Served.make();
    for (
      const range of [`bytes=${SIZE}-`, `bytes=${SIZE}-${SIZE + 9}`, "bytes=-0"]
    ) {
      const response = await served.state({ range });
      assert.equal(response.status, 416, range);
      assert.equal(response.headers.get("content-range"), `bytes */${SIZE}`);
      assert.equal((await response.json()).code, "range-not-satisfiable");
    }
    const empty = await Served.make({}, new Uint8Array());
    const none = await empty.state({ range: "bytes=0-" });
    assert.equal(none.status, 416);
    assert.equal(none.headers.get("content-range"), "bytes */0");
    // The last bytes of nothing can be had, but not as a part.
    const last = await empty.state({ range: "bytes=-5" });
    assert.equal(last.status, 200);
    assert.equal((await bodyOf(last)).length, 0);
    assert.equal((await empty.state({ range: "bytes=-0" })).status, 416);
  });

  it("gets the whole state when it is not understood", async () => {
    const served = await Served.make();
    const ranges = [
      "bytes=2-1",
      "bytes=",
      "bytes=-",
      "bytes=a-b",
      "bytes=0-1,5-9",
      "lines=0-1",
      "bytes=0x1-2",
    ];
    for (const range of ranges) {
      const response = await served.state({ range });
      assert.equal(response.status, 200, range);
      assert.equal(response.headers.has("content-range"), false);
      assert.equal((await bodyOf(response)).length, SIZE, range);
    }
  });

  it("gets the whole state's headers when its method is HEAD", async () => {
    const served = await Served.make();
    const init = { method: "HEAD" };
    const response = await served.state({ range: "bytes=0-9" }, init);
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("content-length"), `${SIZE}`);
  });

  it("gets a part of the small files, too", async () => {
    const served = await Served.make();
    const { meta } = await served.store.header(served.id);
    const headers = { range: "bytes=2-5" };
    const response = await served.get(`/${served.id}/meta`, { headers });
    assert.equal(response.status, 206);
    assert.deepEqual(await bodyOf(response), meta.slice(2, 6));
  });
});

describe("a conditional request", () => {
  it("with If-Match is answered only when that is the state", async () => {
    const served = await Served.make();
    const etag = await etagOf(served);
    const since = served.fixture.files.trace.length;
    for (const ifMatch of ['"other"', `W/${etag}`, etag.slice(1, -1)]) {
      const headers = { "if-match": ifMatch, range: "bytes=0-9" };
      const response = await served.state(headers);
      assert.equal(response.status, 412, ifMatch);
      assert.equal((await response.json()).code, "precondition-failed");
    }
    const opened = served.fixture.trace(since).filter((each) =>
      each === `open ${served.id}/state.bin`
    );
    assert.deepEqual(opened, []);
    for (const ifMatch of [etag, "*", `"other", ${etag}`]) {
      const headers = { "if-match": ifMatch, range: "bytes=0-9" };
      const response = await served.state(headers);
      assert.equal(response.status, 206, ifMatch);
      assert.deepEqual(await bodyOf(response), STATE.slice(0, 10));
    }
  });

  it("with If-None-Match gets 304 when that is the state", async () => {
    const served = await Served.make();
    const etag = await etagOf(served);
    for (const value of [etag, `W/${etag}`, "*", `"x", ${etag}`]) {
      const response = await served.state({ "if-none-match": value });
      assert.equal(response.status, 304, value);
      assert.equal(response.headers.get("etag"), etag);
      assert.equal(response.body, null);
    }
    const other = await served.state({ "if-none-match": '"other"' });
    assert.equal(other.status, 200);
    await other.body?.cancel();
  });

  it("with If-Range gets the part when that is the state, else all of it", async () => {
    const served = await Served.make();
    const etag = await etagOf(served);
    const status = async (ifRange: string) => {
      const headers = { "if-range": ifRange, range: "bytes=0-9" };
      const response = await served.state(headers);
      await response.body?.cancel();
      return response.status;
    };
    assert.equal(await status(etag), 206);
    assert.equal(await status('"other"'), 200);
    assert.equal(await status(`W/${etag}`), 200);
    assert.equal(await status(new Date().toUTCString()), 200);
  });

  it("is decided in the order of RFC 9110: If-Match first", async () => {
    const served = await Served.make();
    const response = await served.state({
      "if-match": '"other"',
      "if-none-match": await etagOf(served),
      range: `bytes=${SIZE}-`,
    });
    assert.equal(response.status, 412);
  });
});
