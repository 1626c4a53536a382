/**
 * Checks of a store's arguments, right and wrong.
 *
 * @module
 */

import { InvalidSnapshotIdError, SnapshotNotFoundError } from "../errors.ts";
import { UINT64_MAX } from "../uint64.ts";
import type { Server, SnapshotInit } from "../snapshot/types.ts";
import { assertEqual, assertRejects, rejection } from "./assertions.ts";
import { type Check, checkEveryStore, checkStoresThatKeep } from "./check.ts";
import { INIT, publish } from "./snapshots.ts";

/** Texts that must never become a path. */
const BAD_IDS = [
  "",
  ".",
  "..",
  "../outside",
  "3-10",
  "3-10-1-1",
  "3-10-1/",
  "/3-10-1",
  "3-10-1\0",
  "3-10-1\n",
  "03-10-1",
  "+3-10-1",
  "3-10--1",
  " 3-10-1",
  "3-10-1.tmp",
  "٣-10-1",
  `${UINT64_MAX + 1n}-10-1`,
];

/** Strings that JSON writers get wrong. */
const HOSTILE_STRINGS = [
  '"quoted" \\ back\\slash /',
  "<script>&amp;</script>",
  "line\nreturn\rtab\tbell\u0007 nul\0 del\u007f",
  "\u2028\u2029\ufeff\ufffd",
  "héllo wörld 日本語 🦀",
  "__proto__",
];

/** The checks. */
export const argumentChecks: readonly Check[] = [
  checkEveryStore(
    "an unknown ID is rejected with SnapshotNotFoundError",
    async (store) => {
      for (const id of ["3-10-1", `${UINT64_MAX}-${UINT64_MAX}-0`]) {
        await assertRejects(
          store.open(id),
          SnapshotNotFoundError,
          `open ${id}`,
        );
      }
    },
  ),

  checkEveryStore(
    "strings that are not IDs are rejected with InvalidSnapshotIdError",
    async (store) => {
      await publish(store, "bait");
      for (const id of BAD_IDS) {
        const what = `open ${JSON.stringify(id)}`;
        await assertRejects(store.open(id), InvalidSnapshotIdError, what);
      }
    },
  ),

  checkStoresThatKeep(
    "a uint64 loses nothing, at either end",
    async (store) => {
      for (const value of [0n, 2n ** 53n + 1n, UINT64_MAX]) {
        const id = await publish(store, "", {
          index: value,
          term: value,
          configurationIndex: value,
        });
        const source = await store.open(id);
        const { index, term, configurationIndex } = source.meta;
        await source.cancel();
        assertEqual(
          [index, term, configurationIndex],
          [value, value, value],
          id,
        );
      }
    },
  ),

  checkStoresThatKeep(
    "numbers are accepted where they are exact",
    async (store) => {
      const id = await publish(store, "", {
        index: Number.MAX_SAFE_INTEGER,
        term: 0,
        configurationIndex: 7,
      });
      const { meta } = await store.open(id);
      assertEqual(meta.index, BigInt(Number.MAX_SAFE_INTEGER), "index");
      assertEqual(meta.term, 0n, "term");
      assertEqual(meta.configurationIndex, 7n, "configuration index");
    },
  ),

  checkEveryStore(
    "numbers outside uint64 are rejected with a RangeError",
    async (store) => {
      const fields = ["index", "term", "configurationIndex"] as const;
      for (const field of fields) {
        for (const value of [-1, -1n, 1.5, NaN, Infinity, 2 ** 53, 2n ** 64n]) {
          const create = store.create({ ...INIT, [field]: value });
          await assertRejects(create, RangeError, `${field} ${value}`);
        }
      }
    },
  ),

  checkEveryStore("a field of the wrong type is a TypeError", async (store) => {
    const server: Server = { suffrage: "voter", id: "a", address: "b" };
    const wrong: readonly Readonly<Record<string, unknown>>[] = [
      { index: "10" },
      { term: undefined },
      { configurationIndex: null },
      { configuration: undefined },
      { configuration: { servers: {} } },
      { configuration: { servers: [{ ...server, suffrage: "king" }] } },
      { configuration: { servers: [{ ...server, id: 1 }] } },
      { configuration: { servers: [{ ...server, address: null }] } },
    ];
    for (const field of wrong) {
      const create = store.create({ ...INIT, ...field } as SnapshotInit);
      await assertRejects(create, TypeError, Object.keys(field).join());
    }
    const create = store.create({ ...INIT, version: 2 as 1 });
    await assertRejects(create, RangeError, "version 2");
  }),

  checkEveryStore(
    "a signal that has aborted makes create() reject",
    async (store) => {
      const reason = new Error("too late");
      const signal = AbortSignal.abort(reason);
      const error = await rejection(store.create(INIT, { signal }), "create");
      assertEqual(error === reason, true, "reason");
      assertEqual(await store.list(), [], "list");
    },
  ),

  checkStoresThatKeep("names and addresses may be any text", async (store) => {
    const servers = HOSTILE_STRINGS.map((text): Server => ({
      suffrage: "voter",
      id: text,
      address: `${text}:7000`,
    }));
    await publish(store, "", { configuration: { servers } });
    const [meta] = await store.list();
    assertEqual(meta?.configuration, { servers }, "configuration");
  }),

  checkStoresThatKeep(
    "half of a surrogate pair is replaced when the snapshot is created",
    async (store) => {
      const server: Server = { suffrage: "voter", id: "\ud800", address: "b" };
      const sink = await store.create({
        ...INIT,
        configuration: { servers: [server] },
      });
      assertEqual(sink.meta.configuration.servers[0]?.id, "\ufffd", "ID");
      await sink.close();
      const [meta] = await store.list();
      assertEqual(meta, sink.meta, "metadata");
    },
  ),

  checkStoresThatKeep(
    "later changes to the caller's objects have no effect",
    async (store) => {
      const servers: Server[] = [{ suffrage: "voter", id: "a", address: "b" }];
      const sink = await store.create({ ...INIT, configuration: { servers } });
      servers.push({ suffrage: "voter", id: "late", address: "late" });
      await sink.close();
      const [meta] = await store.list();
      assertEqual(meta?.configuration.servers.length, 1, "number of servers");
    },
  ),
];
