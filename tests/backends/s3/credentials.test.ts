/**
 * The keys that requests are signed with, and where they come from.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { StoreAccessError, StoreClosedError } from "@raft/snapshots";
import { KeyRing } from "../../../src/backends/s3/credentials.ts";
import {
  memoryBucket,
  type OpenBucketOptions,
} from "../../support/s3/bucket.ts";
import { bytes } from "../../support/random.ts";
import { INIT, letOthersWork } from "../../support/store_fixture.ts";

/** Opens a bucket; resolves to the message that it is refused with. */
async function refusal(options: OpenBucketOptions): Promise<string> {
  const error = await memoryBucket().open(options)
    .then(() => undefined, (reason) => reason);
  assert.ok(error instanceof StoreAccessError, String(error));
  return error.message;
}

describe("credentials", () => {
  it("come from a function, which is asked again before they end", async () => {
    const bucket = memoryBucket();
    let asked = 0;
    let now = Date.now();
    const store = await bucket.open({
      clock: () => now,
      credentials: () => {
        asked++;
        return { ...bucket.credentials, expiration: new Date(now + 3_600_000) };
      },
    });
    await store.list();
    assert.equal(asked, 1);
    now += 3_600_000 - 60_000;
    await Promise.all([store.list(), store.list()]);
    assert.equal(asked, 2);
    await store.close();
  });

  it("are refused when they can't be used, without being shown", async () => {
    const wrong = [
      { accessKeyId: "", secretAccessKey: "hidden" },
      { accessKeyId: "key", secretAccessKey: "hidden\n" },
      { accessKeyId: "key", secretAccessKey: 5 },
      { accessKeyId: "key", secretAccessKey: "hidden", sessionToken: "ü" },
      { accessKeyId: "key", secretAccessKey: "hidden", expiration: "soon" },
      undefined,
    ];
    for (const given of wrong) {
      const credentials = () => given as never;
      const message = await refusal({ credentials });
      assert.match(message, /^Cannot use the credentials for object storage/);
      assert.ok(!message.includes("hidden"));
    }
  });

  it("are refused with the reason when their function fails", async () => {
    const credentials = () => Promise.reject(new Error("no metadata service"));
    const message = await refusal({ credentials });
    assert.match(message, /^Cannot get credentials .*: no metadata service$/);
  });

  it("are replaced in the middle of a call when they have expired", async () => {
    const bucket = memoryBucket();
    let valid = "token-1";
    let asked = 0;
    let refused = 0;
    const open = (tokenOf: () => string) =>
      bucket.open({
        credentials: () => {
          asked++;
          return { ...bucket.credentials, sessionToken: tokenOf() };
        },
        fetch: (url, init) => {
          const token = new Headers(init.headers).get("x-amz-security-token");
          if (token === valid) return bucket.fetch(url, init);
          refused++;
          const text = "<Error><Code>ExpiredToken</Code></Error>";
          return Promise.resolve(new Response(text, { status: 400 }));
        },
      });
    const store = await open(() => valid);
    valid = "token-2";
    const { id } = await store.save(INIT, bytes(10, 1));
    assert.equal((await store.verify(id)).ok, true);
    assert.deepEqual([asked, refused], [2, 1]);
    await store.close();
    asked = refused = 0;
    await assert.rejects(open(() => "token-1"), /ExpiredToken; renew/);
    assert.deepEqual([asked, refused], [2, 2]);
  });

  it("are asked for once when several requests find them expired", async () => {
    const bucket = memoryBucket();
    let valid = "token-1";
    let asked = 0;
    let release = () => {};
    const renewed = new Promise<void>((resolve) => release = resolve);
    let refused = 0;
    const store = await bucket.open({
      credentials: () => {
        asked++;
        return { ...bucket.credentials, sessionToken: valid };
      },
      fetch: async (url, init) => {
        const token = new Headers(init.headers).get("x-amz-security-token");
        if (token === valid) {
          if (valid === "token-2") release();
          return await bucket.fetch(url, init);
        }
        // The second refusal comes when the keys have been renewed.
        if (++refused > 1) await renewed;
        const text = "<Error><Code>ExpiredToken</Code></Error>";
        return new Response(text, { status: 400 });
      },
    });
    valid = "token-2";
    await Promise.all([store.list(), store.list()]);
    assert.deepEqual([asked, refused], [2, 2]);
    await store.close();
  });

  it("are replaced once when a HEAD is refused, whose answer has no code", async () => {
    const bucket = memoryBucket();
    for (const status of [400, 403]) {
      let asked = 0;
      let heads = 0;
      let good = "token-2";
      const store = await bucket.open({
        // It looks before it writes.
        conditionalWrites: "none",
        credentials: () => {
          asked++;
          return { ...bucket.credentials, sessionToken: `token-${asked}` };
        },
        fetch: (url, init) => {
          const token = new Headers(init.headers).get("x-amz-security-token");
          if (init.method !== "HEAD" || token === good) {
            return bucket.fetch(url, init);
          }
          heads++;
          return Promise.resolve(new Response(null, { status }));
        },
      });
      const { id } = await store.save(INIT, bytes(10, 1));
      assert.equal((await store.verify(id)).ok, true);
      assert.deepEqual([asked, heads], [2, 1]);
      good = "none";
      await assert.rejects(store.create(INIT), StoreAccessError);
      assert.deepEqual([asked, heads], [3, 3]);
      await store.close();
    }
  });

  it("stay secret when the server has refused them, or newer ones have come", async () => {
    let count = 0;
    const keys = new KeyRing(() => ({
      accessKeyId: "key",
      secretAccessKey: "secret-of-mine",
      sessionToken: `secret-of-mine-${++count}`,
    }), Date.now);
    const wait = { timeoutMs: 1000, closing: undefined, signal: undefined };
    const first = await keys.keys(wait);
    const text = "secret-of-mine secret-of-mine-1";
    assert.equal(keys.redact(text), "[secret] [secret]");
    keys.forget(first);
    assert.equal(keys.redact(text), "[secret] [secret]");
    await keys.keys(wait);
    assert.equal(count, 2);
    assert.equal(keys.redact(text), "[secret] [secret]");
  });

  it("stay secret in the forms that URLs, JSON and HTML have", async () => {
    const sessionToken = 'a+b/c="d&e';
    const keys = new KeyRing(
      { accessKeyId: "key", secretAccessKey: "secret-of-mine", sessionToken },
      Date.now,
    );
    await keys.keys({ timeoutMs: 1000, closing: undefined, signal: undefined });
    const forms = [
      sessionToken,
      encodeURIComponent(sessionToken),
      encodeURIComponent(sessionToken).toLowerCase(),
      JSON.stringify(sessionToken).slice(1, -1),
      'a+b\\/c=\\"d&e',
      "a&#43;b&#x2f;c&#x3D;&quot;d&amp;e",
      "secret%2dof%2Dmine",
      String.raw`a\u002bb\u002fc\u003D\u0022d\u0026e`,
    ];
    for (const form of forms) {
      assert.equal(keys.redact(`<${form}>`), "<[secret]>", form);
    }
    assert.equal(keys.redact("a+b/c"), "a+b/c");
  });

  it("send the session token signed", async () => {
    const bucket = memoryBucket();
    let token: string | null = null;
    const store = await bucket.open({
      credentials: { ...bucket.credentials, sessionToken: "token" },
      fetch: (url, init) => {
        token = new Headers(init.headers).get("x-amz-security-token");
        return bucket.fetch(url, init);
      },
    });
    assert.equal(token, "token");
    await store.close();
  });

  it("are not waited for longer than for a server", async () => {
    const credentials = () => new Promise<never>(() => {});
    const message = await refusal({ credentials, stallTimeoutMs: 20 });
    assert.match(message, /credentials has not answered for 20 ms$/);
  });

  it("are asked for again after a time without an answer", async () => {
    const bucket = memoryBucket();
    const answers = [new Promise<never>(() => {}), bucket.credentials];
    const credentials = () => answers.shift() ?? bucket.credentials;
    const options = { credentials, stallTimeoutMs: 500 };
    await assert.rejects(bucket.open(options), /has not answered/);
    await (await bucket.open(options)).close();
  });

  it("hold up no close() when they do not come", async () => {
    const bucket = memoryBucket();
    let now = Date.now();
    let isSilent = false;
    const store = await bucket.open({
      clock: () => now,
      stallTimeoutMs: 600_000,
      credentials: () => {
        if (isSilent) return new Promise<never>(() => {});
        const expiration = new Date(now + 3_600_000);
        return { ...bucket.credentials, expiration };
      },
    });
    isSilent = true;
    now += 3_600_000;
    const creating = store.create(INIT);
    const refused = assert.rejects(creating, StoreClosedError);
    await letOthersWork();
    let isClosed = false;
    const closing = store.close().then(() => isClosed = true);
    for (let i = 0; i < 1000 && !isClosed; i++) await letOthersWork();
    assert.ok(isClosed, "close() waits for the keys");
    await Promise.all([closing, refused]);
  });
});
