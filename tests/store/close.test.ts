/**
 * close() of a store ends its sinks and sources.
 */

import assert from "node:assert/strict";
import { it } from "node:test";
import { SnapshotPublishError, StoreClosedError } from "@raft/snapshots";
import { encode, INIT, save } from "../support/store_fixture.ts";
import { bytes } from "../support/random.ts";
import { onEachPlace } from "./places.ts";

onEachPlace("closing a store", (makePlace) => {
  it("cancels its open sinks, and removes every trace of them", async () => {
    const place = makePlace();
    const store = await place.open();
    const idle = await store.create(INIT);
    const busy = await store.create(INIT);
    const writer = busy.getWriter();
    await writer.write(encode("half"));
    await store.close();
    assert.deepEqual(await place.names(), []);
    assert.equal(place.openStates, 0);
    await assert.rejects(writer.write(encode("more")), StoreClosedError);
    for (const sink of [idle, busy]) {
      await assert.rejects(sink.close(), (error) => {
        assert.ok(error instanceof SnapshotPublishError);
        assert.ok(error.cause instanceof StoreClosedError);
        return true;
      });
    }
  });

  it("errors its open sources, and closes their files", async () => {
    const place = makePlace();
    const store = await place.open({ blockSize: 512 });
    const ids = [await save(store, "small"), await save(store, bytes(9000, 1))];
    const unread = await Promise.all(ids.map((id) => store.open(id)));
    const begun = (await store.open(ids[1] ?? "")).getReader();
    await begun.read();
    await store.close();
    assert.equal(place.openStates, 0);
    for (const source of unread) {
      await assert.rejects(new Response(source).text(), StoreClosedError);
    }
    await assert.rejects(async () => {
      while (!(await begun.read()).done);
    }, StoreClosedError);
  });

  it("does not change a source that has been read to its end", async () => {
    const place = makePlace();
    const store = await place.open();
    const source = await store.open(await save(store, "state"));
    assert.equal(await new Response(source).text(), "state");
    await store.close();
  });
});
