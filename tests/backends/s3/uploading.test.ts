/**
 * How a state gets into a bucket: its parts, and answers that say less than they
 * seem to.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  copySnapshot,
  MemorySnapshotStore,
  SnapshotPublishError,
  type SnapshotStore,
} from "@raft/snapshots";
import type { Fetch } from "../../../src/net/exchange.ts";
import {
  S3Client,
  type S3Request,
} from "../../../src/backends/s3/client/client.ts";
import {
  InDoubtError,
  S3Failure,
} from "../../../src/backends/s3/client/failure.ts";
import { KeyRing } from "../../../src/backends/s3/credentials.ts";
import { resolveEndpoint } from "../../../src/backends/s3/endpoint.ts";
import {
  choosePartSize,
  StateUpload,
} from "../../../src/backends/s3/state_upload.ts";
import { resolveRetryOptions, Retry } from "../../../src/net/retry.ts";
import { bytes } from "../../support/random.ts";
import {
  memoryBucket,
  type OpenBucketOptions,
} from "../../support/s3/bucket.ts";
import { loseAnswer, once } from "../../support/s3/interceptions.ts";
import { INIT, listIds, save } from "../../support/store_fixture.ts";

const PART = 4096;
const MiB = 1024 * 1024;

/** A client that begins uploads and takes parts, and tells of completions. */
function fakeClient(onCompletion: (request: S3Request) => void): S3Client {
  const text = "<InitiateMultipartUploadResult><UploadId>1</UploadId>" +
    "</InitiateMultipartUploadResult>";
  const answer = { headers: new Headers({ etag: "e" }), text, quote: String };
  const client: Partial<S3Client> = {
    call: (_, read) => Promise.resolve(read(answer)),
    attempt: (request, read) => {
      onCompletion(request);
      const done = "<CompleteMultipartUploadResult/>";
      return Promise.resolve(read({ ...answer, text: done }));
    },
    retry: () => new Retry(resolveRetryOptions()),
  };
  return client as S3Client;
}

/** How a state of unknown length is sent. */
const UPLOAD = {
  key: "key",
  nonce: "nonce",
  checksum: "none",
  conditionalWrites: "if-none-match",
  putHeaders: {},
  concurrency: 2,
  expectedSize: undefined,
} as const;

function openSmall(
  bucket: ReturnType<typeof memoryBucket>,
  options: OpenBucketOptions = {},
): Promise<SnapshotStore> {
  const tuning = { partSize: PART, retry: { budgetMs: 200, pauseMs: 1 } };
  return bucket.open({ blockSize: 1000, tuning, ...options });
}

/**
 * The sizes of the parts that were sent, and how many at a time at most. The
 * first part arrives when `atOnce` are on their way.
 */
function watchParts(fetch: Fetch, atOnce = 1) {
  const seen = { sizes: new Map<number, number>(), most: 0 };
  let now = 0;
  let release = () => {};
  const enough = new Promise<void>((resolve) => release = resolve);
  const watched: Fetch = async (url, init) => {
    const number = new URL(url).searchParams.get("partNumber");
    if (number === null) return await fetch(url, init);
    seen.sizes.set(Number(number), (init.body as Uint8Array).length);
    seen.most = Math.max(seen.most, ++now);
    if (now === atOnce) release();
    await enough;
    try {
      return await fetch(url, init);
    } finally {
      now--;
    }
  };
  return { seen, watched };
}

describe("the state of a new snapshot", () => {
  it("is sent in parts of one size but the last, a few at a time", async () => {
    for (const concurrency of [1, 2, 3]) {
      const bucket = memoryBucket({ partSizeMin: PART });
      const { seen, watched } = watchParts(bucket.fetch, concurrency);
      const store = await openSmall(bucket, { fetch: watched, concurrency });
      const id = await save(store, bytes(10 * PART + 1, 1));
      const sizes = [...seen.sizes].sort(([a], [b]) => a - b);
      const expected = Array.from({ length: 10 }, (_, i) => [i + 1, PART]);
      assert.deepEqual(sizes, [...expected, [11, 1]]);
      assert.equal(seen.most, concurrency);
      assert.equal((await store.verify(id)).ok, true);
      await store.close();
    }
  });

  it("is sent by one request when it fits into a part", async () => {
    for (const size of [0, 1, PART - 1, PART]) {
      const bucket = memoryBucket({ partSizeMin: PART });
      const { seen, watched } = watchParts(bucket.fetch);
      const store = await openSmall(bucket, { fetch: watched });
      const id = await save(store, bytes(size, 1));
      assert.equal(seen.sizes.size, 0);
      assert.equal((await store.stat(id)).size, size);
      assert.equal((await store.verify(id)).ok, true);
      await store.close();
    }
  });

  it("has larger parts when it is known to be large", () => {
    assert.equal(choosePartSize(undefined), 8 * MiB);
    assert.equal(choosePartSize(undefined, 80_000 * MiB), 8 * MiB);
    assert.equal(choosePartSize(undefined, 80_000 * MiB + 1), 9 * MiB);
    assert.equal(choosePartSize(5 * MiB, 50_000 * MiB), 5 * MiB);
  });

  it("is refused at once when it would have more than 10,000 parts", async () => {
    const bucket = memoryBucket();
    const store = await bucket.open({ partSize: 5 * MiB });
    const expected = { size: 50_000 * MiB + 1 };
    await assert.rejects(store.create(INIT, { expected }), /10000 parts/);
    assert.deepEqual(await bucket.names(), []);
    await store.close();
  });

  it("is given up at part 10,001 when its size was not known", async () => {
    const upload = new StateUpload(fakeClient(() => {}), {
      ...UPLOAD,
      partSize: 1,
    });
    // The last part is sent when more comes.
    await upload.append(bytes(10_001, 1));
    await assert.rejects(upload.append(bytes(1, 1)), /10000 parts/);
  });

  it("costs six requests, when it is small", async () => {
    const bucket = memoryBucket();
    const store = await bucket.open();
    await store.list();
    const requests: string[] = [];
    const watched = await bucket.open({
      fetch: (url, init) => {
        const { pathname, searchParams } = new URL(url);
        const what = searchParams.has("list-type") ? "list" : pathname;
        requests.push(`${init.method} ${what.split("/").at(-1)}`);
        return bucket.fetch(url, init);
      },
    });
    requests.length = 0;
    await save(watched, "state");
    assert.deepEqual(requests.sort(), [
      "GET list",
      "GET list",
      "PUT blocks.crc64",
      "PUT claim",
      "PUT meta.json",
      "PUT state.bin",
    ]);
    for (const each of [store, watched]) await each.close();
  });

  it("may take as long as a timer can run", async () => {
    const bucket = memoryBucket();
    const store = await bucket.open({
      stallTimeoutMs: 2 ** 31 - 1,
      tuning: { retry: { budgetMs: 0 } },
    });
    const id = await save(store, bytes(3 * MiB, 1));
    assert.equal((await store.stat(id)).size, 3 * MiB);
    await store.close();
  });

  it("has a checksum that the server keeps, if that is wanted", async () => {
    const bucket = memoryBucket({ partSizeMin: PART });
    const sent = new Set<string>();
    const store = await openSmall(bucket, {
      checksum: "sha256",
      fetch: (url, init) => {
        const headers = new Headers(init.headers);
        const isChecked = headers.has("x-amz-checksum-sha256");
        if (isChecked) sent.add(new URL(url).pathname.split("/").at(-1) ?? "");
        return bucket.fetch(url, init);
      },
    });
    await save(store, bytes(3 * PART, 1));
    assert.deepEqual([...sent].sort(), [
      "blocks.crc64",
      "meta.json",
      "state.bin",
    ]);
    await store.close();
  });

  it("has the headers that the bucket demands", async () => {
    const bucket = memoryBucket({ partSizeMin: PART });
    const name = "x-amz-server-side-encryption";
    const store = await openSmall(bucket, {
      putHeaders: { [name]: "aws:kms" },
    });
    await save(store, bytes(3 * PART, 1));
    await save(store, "small", { index: 11 });
    const objects = [...bucket.memory?.objects.values() ?? []];
    assert.equal(objects.length, 8);
    for (const { kept } of objects) assert.equal(kept[name], "aws:kms");
    await store.close();
  });
});

const isCompletion = (url: string, init: RequestInit) =>
  init.method === "POST" && url.includes("uploadId=");

const errorOf = (code: string) =>
  `<Error><Code>${code}</Code><Message>no</Message></Error>`;

describe("the completion of an upload", () => {
  it("may take longer, the larger the state is", async () => {
    const copied: (number | undefined)[] = [];
    const client = fakeClient(({ copiedSize }) => copied.push(copiedSize));
    const upload = new StateUpload(client, { ...UPLOAD, partSize: 10 });
    await upload.append(bytes(25, 1));
    await upload.complete();
    assert.deepEqual(copied, [25]);
    const bucket = memoryBucket();
    const real = new S3Client({
      endpoint: resolveEndpoint("bucket", { endpoint: bucket.endpoint }),
      keys: new KeyRing(bucket.credentials, Date.now),
      fetch: bucket.fetch,
      stallTimeoutMs: 1_000_000,
      retry: resolveRetryOptions({ budgetMs: 1 }),
    });
    assert.ok(real.retry({ copiedSize: 1024 * MiB }).leftMs > 7_000_000);
    assert.ok(real.retry({ copiedSize: 25 }).leftMs <= 1_000_001);
  });

  it("is tried again only shortly after a conflict, unless it conflicts with itself", async () => {
    const code = "ConditionalRequestConflict";
    const cases = [
      { first: code, expected: [25, 0], ending: S3Failure },
      { first: "InternalError", expected: [25], ending: InDoubtError },
    ];
    for (const { first, expected, ending } of cases) {
      const answers = [first, code, code];
      const copied: number[] = [];
      const client = Object.assign(fakeClient(() => {}), {
        attempt: () => {
          const code = answers.shift();
          const status = code === "InternalError" ? 500 : 409;
          return Promise.reject(new S3Failure({ status, code, text: "no" }));
        },
        retry: ({ copiedSize = 0, signal }: Partial<S3Request> = {}) => {
          assert.ok(signal, "its pauses would not end with the upload");
          copied.push(copiedSize);
          return new Retry(resolveRetryOptions());
        },
        pauseAfter: (error: unknown) =>
          answers.length > 0 ? Promise.resolve() : Promise.reject(error),
      });
      const upload = new StateUpload(client, { ...UPLOAD, partSize: 10 });
      await upload.append(bytes(25, 1));
      await assert.rejects(upload.complete(), ending);
      assert.deepEqual(copied, expected);
    }
  });

  it("is tried again when the error comes after the status 200", async () => {
    for (const code of ["InternalError", "SlowDown"]) {
      const bucket = memoryBucket({ partSizeMin: PART });
      const answer = () => Promise.resolve(new Response(errorOf(code)));
      const fetch = once(bucket.fetch, isCompletion, answer);
      const store = await openSmall(bucket, { fetch });
      const id = await save(store, bytes(3 * PART, 1));
      assert.equal((await store.verify(id)).ok, true);
      await store.close();
    }
  });

  it("is tried again when the server says that it conflicts", async () => {
    const bucket = memoryBucket({ partSizeMin: PART });
    const answer = () =>
      Promise.resolve(
        new Response(errorOf("ConditionalRequestConflict"), { status: 409 }),
      );
    const store = await openSmall(bucket, {
      fetch: once(bucket.fetch, isCompletion, answer),
    });
    const id = await save(store, bytes(3 * PART, 1));
    assert.equal((await store.verify(id)).ok, true);
    await store.close();
  });

  /** Answers as AWS does to the first uploads: these can't be completed. */
  function conflicting(
    bucket: ReturnType<typeof memoryBucket>,
    uploads: number,
    isGone: boolean,
  ): { fetch: Fetch; uploadIds: Set<string> } {
    const uploadIds = new Set<string>();
    const fetch: Fetch = async (url, init) => {
      const id = new URL(url).searchParams.get("uploadId") ?? "";
      if (!isCompletion(url, init)) return await bucket.fetch(url, init);
      const isKnown = uploadIds.has(id);
      uploadIds.add(id);
      if (uploadIds.size > uploads) return await bucket.fetch(url, init);
      if (isGone && isKnown) {
        return new Response(errorOf("NoSuchUpload"), { status: 404 });
      }
      const text = errorOf("ConditionalRequestConflict");
      return new Response(text, { status: 409 });
    };
    return { fetch, uploadIds };
  }

  for (const isGone of [true, false]) {
    // An upload that is kept would be completed again for half a minute.
    const tuning = {
      partSize: PART,
      retry: { budgetMs: isGone ? 60_000 : 0, pauseMs: 1 },
    };
    const then = isGone ? "has ended the upload" : "keeps the upload";
    it(`is replaced by another upload when the server conflicts, and ${then}`, async () => {
      const bucket = memoryBucket({ partSizeMin: PART });
      const { fetch, uploadIds } = conflicting(bucket, 2, isGone);
      const store = await openSmall(bucket, { fetch, tuning });
      const state = bytes(3 * PART, 1);
      const { id } = await store.save(INIT, new Blob([state]));
      assert.equal(uploadIds.size, 3);
      assert.equal((await store.verify(id)).ok, true);
      assert.deepEqual(await listIds(store), [id]);
      assert.equal((await bucket.names()).length, 4);
      assert.equal(await bucket.uploadCount(), 0);
      const memory = new MemorySnapshotStore();
      const meta = await memory.save(INIT, state);
      uploadIds.clear();
      const copy = await copySnapshot(memory, meta.id, store);
      assert.equal((await store.verify(copy.id)).ok, true);
      assert.equal(uploadIds.size, 3);
      assert.equal(await bucket.uploadCount(), 0);
      await store.close();
    });

    it(`fails, and says why, when every upload conflicts, and the server ${then}`, async () => {
      const bucket = memoryBucket({ partSizeMin: PART });
      const { fetch, uploadIds } = conflicting(bucket, Infinity, isGone);
      const store = await openSmall(bucket, { fetch, tuning });
      const state = bytes(3 * PART, 1);
      await assert.rejects(store.save(INIT, state), (error) => {
        assert.ok(error instanceof SnapshotPublishError);
        assert.equal(error.published, false);
        assert.match(
          error.message,
          /must be written again: .* 409 ConditionalRequestConflict.*try again/,
        );
        return true;
      });
      assert.equal(uploadIds.size, 3);
      // The bytes of a stream are gone.
      await assert.rejects(store.save(INIT, new Blob([state]).stream()));
      assert.equal(uploadIds.size, 4);
      assert.deepEqual(await bucket.names(), []);
      assert.equal(await bucket.uploadCount(), 0);
      await store.close();
    });
  }

  it("is not a failure when the answer was lost, and the upload is gone then", async () => {
    const bucket = memoryBucket({ partSizeMin: PART });
    const store = await openSmall(bucket, {
      fetch: once(bucket.fetch, isCompletion, loseAnswer),
    });
    const id = await save(store, bytes(3 * PART, 1));
    assert.equal((await store.verify(id)).ok, true);
    await store.close();
  });

  it("fails when another process has aborted the upload", async () => {
    const bucket = memoryBucket({ partSizeMin: PART });
    const store = await openSmall(bucket, {
      fetch: once(bucket.fetch, isCompletion, (send) => {
        bucket.memory?.uploads.clear();
        return send();
      }),
    });
    const saving = store.save(INIT, bytes(3 * PART, 1));
    await assert.rejects(saving, /NoSuchUpload/);
    assert.deepEqual(await bucket.names(), []);
    await store.close();
  });
});
