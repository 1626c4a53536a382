/**
 * The example of docs/object_storage.md.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  openS3SnapshotStore,
  type S3SnapshotStoreOptions,
} from "@raft/snapshots/s3";
import { openWithCopies } from "../../examples/copy_to_bucket.ts";
import { readSource } from "../repository/source_files.ts";
import { MemoryS3 } from "../support/s3/memory_s3.ts";
import { INIT, Log } from "../support/store_fixture.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";

const LOCATION = "s3://bucket/copies";

async function statesIn(options: S3SnapshotStoreOptions): Promise<string[]> {
  const bucket = await openS3SnapshotStore(LOCATION, options);
  const states: string[] = [];
  for (const { id } of await bucket.list()) {
    states.push(await new Response(await bucket.open(id)).text());
  }
  await bucket.close();
  return states;
}

describe("the example that copies to a bucket", () => {
  it("has a copy of each new snapshot once it is closed", async (t) => {
    const { endpoint, keys: credentials, fetch } = new MemoryS3();
    const options = { endpoint, credentials, fetch };
    const directory = await temporaryDirectory(t);
    const opened = await openWithCopies(directory, LOCATION, options);
    for (const index of [1, 2]) {
      const state = new TextEncoder().encode(`state ${index}`);
      await opened.store.save({ ...INIT, index }, state);
    }
    await opened.close();
    assert.deepEqual(await statesIn(options), ["state 2", "state 1"]);
  });

  it("does not let the store fail when the bucket can't be reached", async (t) => {
    const { endpoint, keys: credentials, fetch } = new MemoryS3();
    let isDown = false;
    const down = () => Promise.resolve(new Response("", { status: 403 }));
    const options: S3SnapshotStoreOptions = {
      endpoint,
      credentials,
      fetch: (url, init) => isDown ? down() : fetch(url, init),
      logger: new Log(),
    };
    const directory = await temporaryDirectory(t);
    const opened = await openWithCopies(directory, LOCATION, options);
    isDown = true;
    const shown: unknown[] = [];
    const { error } = console;
    console.error = (reason: unknown) => shown.push(reason);
    try {
      const meta = await opened.store.save(INIT, new Uint8Array(3));
      await opened.close();
      assert.equal(meta.size, 3);
    } finally {
      console.error = error;
    }
    assert.equal(shown.length, 1);
    isDown = false;
    assert.deepEqual(await statesIn(options), []);
  });

  it("stands in the page as it is in examples/copy_to_bucket.ts", async () => {
    const page = await readSource("docs/object_storage.md");
    const [, code] = /^```ts\n([\s\S]*?)^```/m.exec(page) ?? [];
    assert.equal(code, await readSource("examples/copy_to_bucket.ts"));
  });
});
