/**
 * The files of docs/from_go.md, run as they stand there.
 */

import assert from "node:assert/strict";
import { cp, readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import type {
  RestoreResult,
  SnapshotInit,
  SnapshotMeta,
  SnapshotSource,
  SnapshotStore,
} from "@raft/snapshots";
import { encode, INIT, load, StoreFixture } from "../support/store_fixture.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import { writeGuideFiles } from "./guide_files.ts";

/** A directory of a Raft node that is written in Go. */
const FIXTURE = fileURLToPath(
  new URL("../fixtures/go/raft_node", import.meta.url),
);

type Persist = (
  store: SnapshotStore,
  init: SnapshotInit,
  records: Iterable<Uint8Array>,
) => Promise<SnapshotMeta>;

interface FromGo {
  readGoStore(
    base: string,
    decode: (source: SnapshotSource) => unknown,
  ): Promise<RestoreResult | undefined>;
  persist: Persist;
  persistByHand: Persist;
}

const files = await writeGuideFiles(
  "docs/from_go.md",
  await temporaryDirectory(),
);
const page: FromGo = Object.assign(
  {},
  ...await Promise.all(files.names.map((name) => files.load<object>(name))),
);

function* records(fails = false): Generator<Uint8Array> {
  yield encode("one ");
  if (fails) throw new Error("no more records");
  yield encode("two");
}

describe("the page for users of Go", () => {
  it("has no code that the tests do not run", () => {
    assert.equal(files.unnamed, 0);
    assert.deepEqual(files.names, [
      ...["read_go_store.js", "persist.js", "persist_by_hand.js"],
    ]);
  });

  it("reads a store of Go without a change to it", async (t) => {
    const base = await temporaryDirectory(t);
    await cp(FIXTURE, base, { recursive: true });
    const names = async () => (await readdir(base, { recursive: true })).sort();
    const before = await names();
    const sizes: number[] = [];
    const restored = await page.readGoStore(base, async (source) => {
      sizes.push((await new Response(source).arrayBuffer()).byteLength);
    });
    assert.deepEqual(sizes, [restored?.meta.size]);
    assert.deepEqual(await names(), before);
    const empty = join(base, "empty");
    await assert.rejects(
      page.readGoStore(empty, () => {}),
      { code: "ERR_STORE_ACCESS", systemCode: "ENOENT" },
    );
  });

  for (const name of ["persist", "persistByHand"] as const) {
    it(`writes records with ${name}(), all of them or none`, async () => {
      const store = await new StoreFixture().open();
      await assert.rejects(
        page[name](store, INIT, records(true)),
        /no more records/,
      );
      assert.deepEqual(await store.list(), []);
      const { id } = await page[name](store, INIT, records());
      assert.equal(await load(store, id), "one two");
      await store.close();
    });
  }
});
