/**
 * A bucket with versions and object lock, which docs/object_storage.md describes:
 * a removed snapshot is not listed any more, and its bytes stay. The server in
 * memory has no versions.
 */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { openS3SnapshotStore } from "@raft/snapshots/s3";
import { S3Client } from "../../src/backends/s3/client/client.ts";
import { KeyRing } from "../../src/backends/s3/credentials.ts";
import { resolveEndpoint } from "../../src/backends/s3/endpoint.ts";
import { resolveRetryOptions } from "../../src/net/retry.ts";
import { bytes } from "../support/random.ts";
import { isRealServer, makeBucket } from "../support/s3/bucket.ts";
import { INIT, Log } from "../support/store_fixture.ts";

const LOCK = "<ObjectLockConfiguration>" +
  "<ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention>" +
  "<Mode>COMPLIANCE</Mode><Days>1</Days></DefaultRetention></Rule>" +
  "</ObjectLockConfiguration>";

/** A bucket of its own whose objects are locked for a day. */
async function makeLockedBucket() {
  const { endpoint, credentials } = makeBucket();
  const name = `locked-${Date.now()}`;
  const client = new S3Client({
    endpoint: resolveEndpoint(name, { endpoint }),
    keys: new KeyRing(credentials, Date.now),
    fetch,
    stallTimeoutMs: 30_000,
    retry: resolveRetryOptions({ budgetMs: 0 }),
  });
  const text = ({ text }: { readonly text: string }) => text;
  await client.call({
    method: "PUT",
    headers: { "x-amz-bucket-object-lock-enabled": "true" },
  }, text);
  const body = new TextEncoder().encode(LOCK);
  const md5 = createHash("md5").update(body).digest("base64");
  await client.call({
    method: "PUT",
    query: { "object-lock": "" },
    headers: { "content-md5": md5 },
    body,
  }, text);
  return {
    location: `s3://${name}/raft`,
    options: { endpoint, credentials, logger: new Log() },
    versions: () =>
      client.call({ method: "GET", query: { versions: "" } }, text),
  };
}

describe("a bucket with object lock", () => {
  const skip = isRealServer ? false : "needs a real server";

  it("keeps the bytes of a snapshot that is removed", { skip }, async () => {
    const bucket = await makeLockedBucket();
    const store = await openS3SnapshotStore(bucket.location, bucket.options);
    const { id } = await store.save(INIT, bytes(10, 1));
    assert.equal((await store.verify(id)).ok, true);
    await store.delete(id);
    assert.deepEqual(await store.list(), []);
    await store.close();
    const versions = await bucket.versions();
    assert.match(versions, new RegExp(`<DeleteMarker>[^]*${id}/meta\\.json`));
    assert.match(versions, new RegExp(`<Version>[^]*${id}/state\\.bin`));
    assert.match(versions, new RegExp(`<Version>[^]*${id}/meta\\.json`));
  });
});
