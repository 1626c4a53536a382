/**
 * Listing a bucket with many snapshots, and with objects of other programs.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Fetch } from "../../src/net/exchange.ts";
import { isRealServer, makeBucket } from "../support/s3/bucket.ts";
import { INIT, listIds, save } from "../support/store_fixture.ts";

const COUNT = isRealServer ? 150 : 1000;

/** Counts requests, and how many are under way at a time. */
class Meter {
  readonly #fetch: Fetch;
  requests: string[] = [];
  most = 0;
  #now = 0;

  constructor(fetch: Fetch) {
    this.#fetch = fetch;
  }

  readonly fetch: Fetch = async (url, init) => {
    this.requests.push(`${init.method} ${url}`);
    this.most = Math.max(this.most, ++this.#now);
    try {
      const response = await this.#fetch(url, init);
      const body = await response.arrayBuffer();
      const { status, headers } = response;
      const isNull = status === 204 || init.method === "HEAD";
      return new Response(isNull ? null : body, { status, headers });
    } finally {
      this.#now--;
    }
  };

  count(pattern: RegExp): number {
    return this.requests.filter((each) => pattern.test(each)).length;
  }
}

describe("list() of a bucket", () => {
  it(`gives ${COUNT} snapshots, page by page, and reads no object twice`, async () => {
    const bucket = makeBucket({ pageSize: 250 });
    const writer = await bucket.open();
    const id = await save(writer, "state");
    const [term, index] = id.split("-");
    const meta = new TextDecoder().decode(await bucket.read(id, "meta.json"));
    // As a directory of Go's that was copied up: without block checksums.
    for (let i = 1; i < COUNT; i++) {
      const copy = `${term}-${index}-${i}`;
      const bytes = new TextEncoder().encode(meta.replace(id, copy));
      await bucket.write(copy, "meta.json", bytes);
      await bucket.write(copy, "state.bin", new TextEncoder().encode("state"));
    }
    await writer.close();
    const meter = new Meter(bucket.fetch);
    const store = await bucket.open({ fetch: meter.fetch });
    meter.requests = [];
    assert.equal((await store.list()).length, COUNT);
    const pages = Math.ceil((2 * COUNT + 2) / (isRealServer ? 1000 : 250));
    assert.equal(meter.count(/list-type=2/), pages, "pages");
    assert.equal(meter.count(/meta\.json/), COUNT, "metas");
    assert.equal(meter.requests.length, pages + COUNT + 1, "requests");
    assert.ok(meter.most <= 8, `${meter.most} requests at a time`);
    meter.requests = [];
    assert.equal((await store.list()).length, COUNT);
    assert.equal(meter.requests.length, pages, "requests for the second list");
    await store.close();
  });

  it("reads objects again that another process has replaced", async () => {
    const bucket = makeBucket();
    const store = await bucket.open();
    const id = await save(store, "state");
    const [first] = await store.list();
    const meta = new TextDecoder().decode(await bucket.read(id, "meta.json"));
    const changed = meta.replace("over here", "moved away");
    await bucket.remove(id, "blocks.crc64");
    await bucket.write(id, "meta.json", new TextEncoder().encode(changed));
    const [second] = await store.list();
    const addressOf = (each = first) =>
      each?.configuration.servers.map(({ address }) => address);
    assert.deepEqual(addressOf(), ["over here"]);
    assert.deepEqual(addressOf(second), ["moved away"]);
    await bucket.write(id, "state.bin", new Uint8Array(3));
    assert.deepEqual(await store.list(), []);
    await store.close();
  });

  it("does not see a snapshot whose meta.json is not there", async () => {
    const bucket = makeBucket();
    const store = await bucket.open();
    const id = await save(store, "state");
    await bucket.write("3-99-1", "state.bin", new Uint8Array(5));
    await bucket.write("3-98-1", "claim", new Uint8Array(5));
    assert.deepEqual(await listIds(store), [id]);
    await store.close();
  });

  it("names foreign objects, whatever their names are", async () => {
    const bucket = makeBucket();
    const store = await bucket.open();
    const id = await save(store, "state");
    // The gateway of a real server keeps objects in files.
    const odd = isRealServer
      ? ["notes.txt", "zü-\u202e"]
      : ["notes.txt", "a\u0001b", "\u202eevil", "%zz", "a+b c", "\ud83d\ude00"];
    for (const name of odd) await bucket.write(name, "x", new Uint8Array());
    await bucket.write(id, "other/file", new Uint8Array());
    assert.deepEqual(await listIds(store), [id]);
    const warnings = bucket.log.matching("warn");
    assert.equal(warnings.length, odd.length + 1);
    for (const warning of warnings) {
      assert.doesNotMatch(warning, /[\p{Cc}\p{Cf}]/u);
    }
    await store.close();
  });

  it("gives no new snapshot the ID of an object of others", async () => {
    const bucket = makeBucket();
    const clock = () => 1_700_000_000_000;
    await bucket.write("3-10-1700000000000", "other", new Uint8Array());
    const store = await bucket.open({ clock });
    const { id } = await store.save(INIT, new Uint8Array(3));
    assert.equal(id, "3-10-1700000000001");
    await store.close();
  });

  it("rejects, and reaps nothing, when a page can't be had", async () => {
    const bucket = makeBucket({ pageSize: 3 });
    const writer = await bucket.open();
    for (const index of [3, 2, 1]) await save(writer, "s", { index });
    await writer.close();
    let fails = false;
    const store = await bucket.open({
      retain: 1,
      tuning: { retry: { budgetMs: 0 } },
      fetch: (url, init) =>
        fails && /list-type=2/.test(url)
          ? Promise.resolve(new Response("", { status: 503 }))
          : bucket.fetch(url, init),
    });
    const before = await bucket.names();
    fails = true;
    await assert.rejects(store.list());
    await assert.rejects(store.reap());
    assert.deepEqual(await bucket.names(), before);
    await store.close();
  });
});
