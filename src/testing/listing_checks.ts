/**
 * Checks of `list()` (those of Go's `file_snapshot_test.go`, and more).
 *
 * @module
 */

import type { SnapshotMeta } from "../snapshot/types.ts";
import { assert, assertEqual, assertRejects } from "./assertions.ts";
import { SnapshotNotFoundError, SnapshotPublishError } from "../errors.ts";
import {
  type Check,
  checkEveryStore,
  checkStoresOfMany,
  checkStoresThatKeep,
} from "./check.ts";
import { encode, INIT, listIds, publish, readText } from "./snapshots.ts";

/** An array of one raw string, in msgpack: only one server is a voter. */
const PEERS = Uint8Array.of(0x91, 0xa9, ...encode("over here"));

/** The checks. */
export const listingChecks: readonly Check[] = [
  checkEveryStore("an empty store lists nothing", async (store) => {
    assertEqual(await store.list(), [], "list");
    const entries = await store.list({ unusable: true });
    assertEqual(entries, [], "list with unusable ones");
  }),

  checkStoresThatKeep(
    "list({ unusable: true }) lists usable snapshots with their metadata",
    async (store) => {
      const id = await publish(store, "state");
      const [meta] = await store.list();
      const entries = await store.list({ unusable: true });
      assertEqual(entries, [{ id, meta, state: "usable" }], "list");
    },
  ),

  checkStoresThatKeep(
    "a published snapshot is listed with its metadata",
    async (store) => {
      const id = await publish(store, "first\nsecond\n");
      const listed = await store.list();
      assertEqual(listed.length, 1, "length of the list");
      const { peers, createdAt, ...meta } = listed[0] as SnapshotMeta;
      const time = Number(id.split("-").at(-1));
      assertEqual(createdAt.getTime(), time, "createdAt");
      assertEqual(meta, {
        version: 1,
        id,
        index: 10n,
        term: 3n,
        configuration: INIT.configuration,
        configurationIndex: 2n,
        size: 13,
        crc: 0x1629fd877cce3d6cn,
      }, "metadata");
      assertEqual(peers, PEERS, "peers");
    },
  ),

  checkEveryStore("a sink that is not closed is not listed", async (store) => {
    const sink = await store.create(INIT);
    const writer = sink.getWriter();
    await writer.write(encode("half"));
    assertEqual(await store.list(), [], "list");
    await assertRejects(
      store.open(sink.id),
      SnapshotNotFoundError,
      "opening it",
    );
    await sink.cancel();
  }),

  checkEveryStore("a sink that is cancelled leaves nothing", async (store) => {
    const sink = await store.create(INIT);
    const writer = sink.getWriter();
    await writer.write(encode("gone"));
    writer.releaseLock();
    await sink.cancel(new Error("changed my mind"));
    assertEqual(await store.list(), [], "list");
    await assertRejects(
      store.open(sink.id),
      SnapshotNotFoundError,
      "opening it",
    );
    await assertRejects(sink.close(), SnapshotPublishError, "closing it");
  }),

  checkStoresThatKeep(
    "a snapshot can be opened at once after close",
    async (store) => {
      const sink = await store.create(INIT);
      const writer = sink.getWriter();
      await writer.write(encode("now"));
      await writer.close();
      assertEqual(await readText(store, sink.id), "now", "state");
    },
  ),

  checkStoresOfMany(
    "snapshots are listed newest first: by term, index and time",
    async (store) => {
      const old = await publish(store, "", { term: 5n, index: 130350n });
      const higher = await publish(store, "", { term: 36n, index: 204917n });
      const again = await publish(store, "", { term: 36n, index: 204917n });
      assertEqual(await listIds(store), [again, higher, old], "order");
    },
  ),

  checkStoresOfMany(
    "terms and indexes are compared as numbers",
    async (store) => {
      const nine = await publish(store, "", { term: 9n, index: 10n });
      const ten = await publish(store, "", { term: 10n, index: 9n });
      const more = await publish(store, "", { term: 10n, index: 10n });
      assertEqual(await listIds(store), [more, ten, nine], "order");
    },
  ),

  {
    name: "the snapshot published last takes the place of the one before",
    notFor: ["all", "nothing"],
    async run(store) {
      const first = await publish(store, "first");
      const second = await publish(store, "second");
      assertEqual(await listIds(store), [second], "list");
      await assertRejects(
        store.open(first),
        SnapshotNotFoundError,
        "opening the first",
      );
    },
  },

  {
    name: "nothing is kept: the list is empty, and nothing can be opened",
    notFor: ["all", "newest"],
    async run(store) {
      const id = await publish(store, "gone");
      assertEqual(await store.list(), [], "list");
      await assertRejects(store.open(id), SnapshotNotFoundError, "opening it");
    },
  },

  checkEveryStore(
    "IDs are <term>-<index>-<ms>, each used once",
    async (store) => {
      const init = { ...INIT, term: 7n, index: 8n };
      const sinks = await Promise.all(
        Array.from({ length: 8 }, () => store.create(init)),
      );
      for (const { id } of sinks) {
        assert(/^7-8-(0|[1-9]\d*)$/.test(id), `${id} is <term>-<index>-<ms>`);
      }
      const ids = new Set(sinks.map(({ id }) => id));
      assertEqual(ids.size, 8, "number of different IDs");
      await Promise.all(sinks.map((sink) => sink.cancel()));
    },
  ),
];
