/**
 * The behaviours of a server on which the store relies, one after the other. It
 * runs on the server in memory and on a real one, so that the first can't drift
 * away from the second.
 */

import assert from "node:assert/strict";
import {
  S3Client,
  type S3Request,
} from "../../../src/backends/s3/client/client.ts";
import { S3Failure } from "../../../src/backends/s3/client/failure.ts";
import {
  listObjects,
  listUploads,
} from "../../../src/backends/s3/client/listing.ts";
import { sha256, toBase64 } from "../../../src/backends/s3/client/sign.ts";
import { KeyRing } from "../../../src/backends/s3/credentials.ts";
import { resolveEndpoint } from "../../../src/backends/s3/endpoint.ts";
import type { Fetch } from "../../../src/net/exchange.ts";
import { resolveRetryOptions } from "../../../src/net/retry.ts";
import { bytes } from "../random.ts";
import type { TestBucket } from "./bucket.ts";

const PART = 5 * 1024 * 1024;

/** A behaviour, and how it is looked for. */
export interface Probe {
  readonly name: string;
  run(server: ProbedServer): Promise<void>;
}

/** A part of a bucket, by single requests that are not repeated. */
export class ProbedServer {
  readonly client: S3Client;
  readonly #bucket: TestBucket;
  readonly prefix: string;

  constructor(
    bucket: TestBucket,
    options: { secret?: string; fetch?: Fetch } = {},
  ) {
    this.#bucket = bucket;
    this.prefix = bucket.key("probe", "");
    const { accessKeyId, secretAccessKey } = bucket.credentials;
    const keys = {
      accessKeyId,
      secretAccessKey: options.secret ?? secretAccessKey,
    };
    this.client = new S3Client({
      endpoint: resolveEndpoint(bucket.location.split("/")[2] as string, {
        endpoint: bucket.endpoint,
      }),
      keys: new KeyRing(keys, Date.now),
      fetch: options.fetch ?? bucket.fetch,
      stallTimeoutMs: 30_000,
      retry: resolveRetryOptions({ budgetMs: 0 }),
    });
  }

  /** The same server, by other means. */
  by(options: { secret?: string; fetch?: Fetch }): ProbedServer {
    return new ProbedServer(this.#bucket, options);
  }

  get fetch(): Fetch {
    return this.#bucket.fetch;
  }

  at(name: string): string {
    return `${this.prefix}${name}`;
  }

  /** The failure of a request, as `status code`, or "ok". */
  async outcome(request: S3Request): Promise<string> {
    try {
      const key = this.at(request.key ?? "");
      return await this.client.attempt({ ...request, key }, () => "ok");
    } catch (error) {
      assert.ok(error instanceof S3Failure, String(error));
      return `${error.status} ${error.code ?? ""}`.trim();
    }
  }

  put(name: string, body: string, headers = {}): Promise<string> {
    return this.outcome({
      method: "PUT",
      key: name,
      body: encode(body),
      headers,
    });
  }

  async get(name: string, headers = {}) {
    const key = this.at(name);
    const begun = await this.client.begin({ method: "GET", key, headers });
    const { status, headers: given } = begun.response;
    const text = new TextDecoder().decode(await begun.readAll(2 ** 20));
    return { status, headers: given, text };
  }

  async begin(name: string): Promise<string> {
    const key = this.at(name);
    const query = { uploads: "" };
    return await this.client.attempt(
      { method: "POST", key, query },
      ({ text }) => /<UploadId>([^<]+)</.exec(text)?.[1] ?? "",
    );
  }

  async part(
    name: string,
    uploadId: string,
    number: number,
    body: Uint8Array<ArrayBuffer>,
  ) {
    const key = this.at(name);
    const query = { partNumber: String(number), uploadId };
    return await this.client.attempt(
      { method: "PUT", key, query, body },
      ({ headers }) => ({ number, etag: headers.get("etag") ?? "" }),
    );
  }

  complete(
    name: string,
    uploadId: string,
    parts: readonly { number: number; etag: string }[],
    headers = {},
  ): Promise<string> {
    const elements = parts.map(({ number, etag }) =>
      `<Part><PartNumber>${number}</PartNumber><ETag>${etag}</ETag></Part>`
    );
    const body = encode(
      `<CompleteMultipartUpload>${elements.join("")}</CompleteMultipartUpload>`,
    );
    const query = { uploadId };
    return this.outcome({ method: "POST", key: name, query, body, headers });
  }
}

function encode(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

const ABSENT = { "if-none-match": "*" };

/** All behaviours. */
export const PROBES: readonly Probe[] = [
  probe("a wrong secret key is refused", async (server) => {
    const other = server.by({ secret: "another" });
    assert.equal(await other.put("a", "x"), "403 SignatureDoesNotMatch");
  }),

  probe("a body that was changed on its way is refused", async (server) => {
    const other = server.by({
      fetch: (url, init) => server.fetch(url, { ...init, body: encode("y") }),
    });
    assert.equal(await other.put("a", "x"), "400 XAmzContentSHA256Mismatch");
    assert.equal(
      await server.outcome({ method: "HEAD", key: "a" }),
      "404 NotFound",
    );
  }),

  probe("a clock that is wrong is refused", async (server) => {
    const other = server.by({
      fetch: (url, init) => {
        const headers = new Headers(init.headers);
        headers.set("x-amz-date", "20200101T000000Z");
        return server.fetch(url, { ...init, headers });
      },
    });
    const outcome = await other.put("a", "x");
    assert.match(
      outcome,
      /^403 (RequestTimeTooSkewed|SignatureDoesNotMatch)$|^400 /,
    );
  }),

  probe(
    "an object that was written is read, whole and in part",
    async (server) => {
      assert.equal(await server.put("a", "0123456789"), "ok");
      assert.equal((await server.get("a")).text, "0123456789");
      const part = await server.get("a", { range: "bytes=2-4" });
      assert.deepEqual([part.status, part.text], [206, "234"]);
      assert.equal(part.headers.get("content-range"), "bytes 2-4/10");
    },
  ),

  probe("an object keeps the mark of its writer", async (server) => {
    await server.put("a", "x", { "x-amz-meta-nonce": "n-1" });
    const { headers } = await server.get("a");
    assert.equal(headers.get("x-amz-meta-nonce"), "n-1");
  }),

  probe("an answer has the server's time", async (server) => {
    await server.put("a", "x");
    const time = Date.parse((await server.get("a")).headers.get("date") ?? "");
    assert.ok(Math.abs(time - Date.now()) < 60_000);
  }),

  probe("another version is not read", async (server) => {
    await server.put("a", "old");
    const etag = (await server.get("a")).headers.get("etag") ?? "";
    assert.equal((await server.get("a", { "if-match": etag })).text, "old");
    await server.put("a", "new");
    const headers = { "if-match": etag };
    const outcome = await server.outcome({ method: "GET", key: "a", headers });
    assert.equal(outcome, "412 PreconditionFailed");
  }),

  probe("an object that is there is not replaced", async (server) => {
    assert.equal(await server.put("a", "first", ABSENT), "ok");
    assert.equal(
      await server.put("a", "second", ABSENT),
      "412 PreconditionFailed",
    );
    assert.equal((await server.get("a")).text, "first");
  }),

  probe(
    "an object is replaced only if it is of the version that is named",
    async (server) => {
      await server.put("a", "first");
      const { headers } = await server.get("a");
      assert.ok(!Number.isNaN(Date.parse(headers.get("last-modified") ?? "")));
      const known = { "if-match": headers.get("etag") ?? "" };
      const race = Array.from(
        { length: 8 },
        (_, i) => server.put("a", `${i}`, known),
      );
      const outcomes = await Promise.all(race);
      assert.equal(outcomes.filter((each) => each === "ok").length, 1);
      for (const each of outcomes) assert.match(each, /^ok$|^412 |^409 /);
      assert.match(await server.put("a", "late", known), /^412 /);
      assert.match(await server.put("b", "none", known), /^404 |^412 /);
    },
  ),

  probe("of writers that race, one wins", async (server) => {
    const race = Array.from(
      { length: 8 },
      (_, i) => server.put("a", `${i}`, ABSENT),
    );
    const outcomes = await Promise.all(race);
    assert.equal(outcomes.filter((each) => each === "ok").length, 1);
    for (const each of outcomes) assert.match(each, /^ok$|^412 |^409 /);
    const winner = outcomes.indexOf("ok");
    assert.equal((await server.get("a")).text, String(winner));
  }),

  probe("an object that is not there is not found", async (server) => {
    assert.equal(
      await server.outcome({ method: "GET", key: "a" }),
      "404 NoSuchKey",
    );
    assert.equal(
      await server.outcome({ method: "HEAD", key: "a" }),
      "404 NotFound",
    );
    assert.equal(await server.outcome({ method: "DELETE", key: "a" }), "ok");
  }),

  probe("a checksum is compared with the body", async (server) => {
    const right = toBase64(await sha256(encode("x")));
    assert.equal(
      await server.put("a", "x", { "x-amz-checksum-sha256": right }),
      "ok",
    );
    const wrong = toBase64(await sha256(encode("y")));
    const outcome = await server.put("b", "x", {
      "x-amz-checksum-sha256": wrong,
    });
    assert.match(outcome, /^400 /);
  }),

  probe("parts become an object, in their order", async (server) => {
    const id = await server.begin("a");
    const last = await server.part("a", id, 2, encode("end"));
    const first = await server.part("a", id, 1, bytes(PART, 1));
    assert.equal(await server.complete("a", id, [first, last]), "ok");
    const { text } = await server.get("a", {
      range: `bytes=${PART}-${PART + 2}`,
    });
    assert.equal(text, "end");
    assert.match(
      await server.complete("a", id, [first, last]),
      /^404 NoSuchUpload|^ok/,
    );
  }),

  probe("parts do not replace an object that is there", async (server) => {
    await server.put("a", "first");
    const id = await server.begin("a");
    const part = await server.part("a", id, 1, encode("second"));
    const outcome = await server.complete("a", id, [part], ABSENT);
    assert.equal(outcome, "412 PreconditionFailed");
    assert.equal((await server.get("a")).text, "first");
    await server.outcome({
      method: "DELETE",
      key: "a",
      query: { uploadId: id },
    });
  }),

  probe(
    "a part that is too small, wrong or unknown is refused",
    async (server) => {
      const id = await server.begin("a");
      const small = await server.part("a", id, 1, encode("small"));
      const last = await server.part("a", id, 2, encode("end"));
      assert.equal(
        await server.complete("a", id, [small, last]),
        "400 EntityTooSmall",
      );
      const other = { number: 1, etag: '"00000000000000000000000000000000"' };
      assert.equal(await server.complete("a", id, [other]), "400 InvalidPart");
      const missing = { ...last, number: 3 };
      assert.equal(
        await server.complete("a", id, [missing]),
        "400 InvalidPart",
      );
      const outcome = await server.complete("a", id, [last, small]);
      assert.match(outcome, /^400 (InvalidPartOrder|EntityTooSmall)$/);
      const query = { partNumber: "10001", uploadId: id };
      const tenThousandAndOne = {
        method: "PUT",
        key: "a",
        query,
        body: encode("x"),
      } as const;
      assert.equal(
        await server.outcome(tenThousandAndOne),
        "400 InvalidArgument",
      );
      await server.outcome({
        method: "DELETE",
        key: "a",
        query: { uploadId: id },
      });
    },
  ),

  probe("an upload that was aborted is over", async (server) => {
    const id = await server.begin("a");
    const part = await server.part("a", id, 1, encode("x"));
    assert.equal((await listUploads(server.client, server.prefix)).length, 1);
    const abort = {
      method: "DELETE",
      key: "a",
      query: { uploadId: id },
    } as const;
    assert.equal(await server.outcome(abort), "ok");
    assert.equal(await server.outcome(abort), "404 NoSuchUpload");
    assert.equal(await server.complete("a", id, [part]), "404 NoSuchUpload");
    assert.deepEqual(await listUploads(server.client, server.prefix), []);
  }),

  probe(
    "an object that is uploaded in parts is not there before",
    async (server) => {
      const id = await server.begin("a");
      await server.part("a", id, 1, encode("x"));
      assert.equal(
        await server.outcome({ method: "HEAD", key: "a" }),
        "404 NotFound",
      );
      assert.deepEqual(await listObjects(server.client, server.prefix), []);
      await server.outcome({
        method: "DELETE",
        key: "a",
        query: { uploadId: id },
      });
    },
  ),

  probe("a listing comes in pages, and is whole", async (server) => {
    const names = ["1/a", "1/b", "1-2", "2.x", "2/x", "zü", "a b+c&<d>%20"]
      .sort();
    for (const name of names) await server.put(name, name);
    for (const size of [1, 2, 1000]) {
      const namesOf = async (isFlat: boolean) => {
        const options = { keysMax: size, isFlat };
        const listed = await listObjects(server.client, server.prefix, options);
        return listed.map(({ key }) => key.slice(server.prefix.length)).sort();
      };
      assert.deepEqual(await namesOf(false), names, `pages of ${size}`);
      const flat = names.filter((name) => !name.includes("/"));
      assert.deepEqual(await namesOf(true), flat, `pages of ${size}`);
    }
    const [only] = await listObjects(server.client, server.at("zü"));
    assert.equal(only?.size, 3);
    assert.equal(only?.etag, (await server.get("zü")).headers.get("etag"));
    assert.ok(Math.abs((only?.modified ?? 0) - Date.now()) < 60_000);
  }),
];

function probe(name: string, run: Probe["run"]): Probe {
  return { name, run };
}
