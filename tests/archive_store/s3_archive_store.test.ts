/**
 * Archives in a bucket whose server answers late, or not at all.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SnapshotPublishError, StoreAccessError } from "@raft/snapshots";
import { S3ArchiveStore } from "../../src/archive_store/s3_archive_store.ts";
import type { Fetch } from "../../src/net/exchange.ts";
import { memoryBucket } from "../support/s3/bucket.ts";
import { always, loseAnswer } from "../support/s3/interceptions.ts";
import { bytes } from "../support/random.ts";
import { put } from "./places.ts";

const PART = 4096;

const isCompletion = (url: string, init: RequestInit) =>
  init.method === "POST" && url.includes("uploadId=");

const isLook = (_: string, { method }: RequestInit) => method === "HEAD";

const answering = (status: number) => () =>
  Promise.resolve(new Response(null, { status }));

describe("an archive in a bucket", () => {
  const bucket = memoryBucket({ partSizeMin: 0 });
  const { location, endpoint, credentials } = bucket;
  const open = (fetch: Fetch) =>
    new S3ArchiveStore(
      location,
      { endpoint, credentials, fetch },
      { partSize: PART, retry: { budgetMs: 0 } },
    );
  const namesOf = async () =>
    (await open(bucket.fetch).list()).map(({ name }) => name);

  it("may be there when the server does not say whether it is", async () => {
    const lost = always(bucket.fetch, isCompletion, loseAnswer);
    const silent = always(lost, isLook, answering(503));
    await assert.rejects(
      put(open(silent), 1n, 1000, bytes(3 * PART, 1)),
      (error) => {
        assert.ok(error instanceof SnapshotPublishError);
        assert.equal(error.published, true);
        assert.match(error.message, /503.*; the archive may be there never/);
        return true;
      },
    );
    assert.deepEqual(await namesOf(), ["1-1000.snap"]);
  });

  it("is not there when the server refuses to complete it", async () => {
    const refusing = always(bucket.fetch, isCompletion, answering(403));
    await assert.rejects(
      put(open(refusing), 2n, 2000, bytes(3 * PART, 1)),
      StoreAccessError,
    );
    assert.deepEqual(await namesOf(), ["1-1000.snap"]);
    assert.equal(await bucket.uploadCount(), 0);
  });
});
