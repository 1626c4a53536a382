/**
 * `await using` of sinks and sources.
 */

import assert from "node:assert/strict";
import { it } from "node:test";
import type { SnapshotSink } from "@raft/snapshots";
import { bytes } from "../support/random.ts";
import {
  encode,
  INIT,
  letOthersWork,
  listIds,
  save,
} from "../support/store_fixture.ts";
import { onEachPlace } from "./places.ts";

onEachPlace("await using", (makePlace) => {
  it("cancels a sink that was not closed, though a writer holds its lock", async () => {
    const place = makePlace();
    const store = await place.open();
    let ended: SnapshotSink | undefined;
    {
      await using sink = await store.create(INIT);
      await sink.getWriter().write(encode("half"));
      ended = sink;
    }
    assert.deepEqual(await place.names(), []);
    await assert.rejects(ended.close(), {
      name: "SnapshotPublishError",
      published: false,
    });
    await store.close();
  });

  it("keeps a snapshot whose sink was closed", async () => {
    const store = await makePlace().open();
    let id = "";
    {
      await using sink = await store.create(INIT);
      const writer = sink.getWriter();
      await writer.write(encode("state"));
      await writer.close();
      id = sink.id;
    }
    assert.deepEqual(await listIds(store), [id]);
    await store.close();
  });

  it("closes the state of a source that was not read out, though a reader holds its lock", async () => {
    const place = makePlace();
    const store = await place.open({ blockSize: 512 });
    const id = await save(store, bytes(9000, 1));
    for (const verify of ["auto", "stream"] as const) {
      let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
      {
        await using source = await store.open(id, { verify });
        reader = source.getReader();
        await reader.read();
        assert.equal(place.openStates, 1);
      }
      assert.equal(place.openStates, 0);
      await assert.rejects(reader.read(), { name: "AbortError" });
      await using unread = await store.open(id, { verify });
      assert.ok(!unread.locked);
    }
    await letOthersWork();
    assert.equal(place.openStates, 0);
    await store.close();
  });

  it("leaves a source alone that has been read to its end", async () => {
    const store = await makePlace().open();
    const id = await save(store, "state");
    let text: Promise<string> | undefined;
    {
      await using source = await store.open(id);
      text = new Response(source).text();
      await text;
    }
    assert.equal(await text, "state");
    await store.close();
  });
});
