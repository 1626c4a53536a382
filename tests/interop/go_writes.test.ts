/**
 * Go's store writes snapshots, and our store reads them.
 *
 * @module
 */

import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { it } from "node:test";
import { crc64 } from "@raft/snapshots/crc64";
import { bytes } from "../support/random.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import { type Ask, describeWithGo } from "./go_program.ts";
import { MATRIX } from "./matrix.ts";
import {
  caseForGo,
  readOut,
  RETAIN_ALL,
  sha256,
  wellFormed,
  withoutCrc,
  withStore,
  writeCase,
} from "./states.ts";
import { metaFromWire } from "./wire.ts";

const USUAL = caseForGo({
  name: "usual",
  index: 10n,
  term: 3n,
  configuration: {
    servers: [{ suffrage: "voter", id: "my id", address: "over here" }],
  },
  configurationIndex: 2n,
  content: { seed: 1, length: 13 },
});

const READ_ONLY = { readOnly: true } as const;

/** Checks that our metas are Go's, except for the CRC, which Go does not list. */
async function checkList(ask: Ask, base: string): Promise<string[]> {
  const metas = await withStore(base, (store) => store.list(), READ_ONLY);
  const listed = await ask("store.list", { base, retain: RETAIN_ALL });
  assert.deepEqual(
    metas.map(withoutCrc),
    listed.map((wire) => metaFromWire(wire)).map((meta) =>
      meta && withoutCrc(meta)
    ),
  );
  return metas.map(({ id }) => id);
}

describeWithGo("a snapshot that Go wrote", (ask) => {
  for (const one of MATRIX.map(wellFormed)) {
    it(`is read by TypeScript: ${one.name}`, async (t) => {
      const base = await temporaryDirectory(t);
      const { id } = await ask("store.create", {
        ...caseForGo(one),
        base,
        retain: 1,
      });
      assert.deepEqual(await checkList(ask, base), [id]);
      await withStore(base, async (store) => {
        const expected = bytes(one.content.length, one.content.seed);
        for (const verify of ["auto", "before", "stream"] as const) {
          const source = await store.open(id, { verify });
          assert.equal(source.meta.crc, crc64(expected));
          assert.deepEqual(source.meta.configuration, one.configuration);
          assert.equal(sha256(await readOut(source)), sha256(expected));
        }
        assert.ok((await store.verify(id)).ok);
      });
    });
  }

  it("is read when its servers are a nil slice", async (t) => {
    const base = await temporaryDirectory(t);
    const args = { ...USUAL, base, retain: 1, servers: null };
    const { id } = await ask("store.create", args);
    assert.deepEqual(await checkList(ask, base), [id]);
  });

  it("is listed in Go's order, when there are many", async (t) => {
    const base = await temporaryDirectory(t);
    for (const one of MATRIX.map(wellFormed)) {
      const args = { ...caseForGo(one), base, retain: RETAIN_ALL };
      await ask("store.create", args);
    }
    assert.equal((await checkList(ask, base)).length, MATRIX.length);
  });

  it("is kept by our reaping when it is among the newest", async (t) => {
    const base = await temporaryDirectory(t);
    const ids: string[] = [];
    for (const index of ["1", "2", "3", "4", "5"]) {
      const args = { ...USUAL, index, base, retain: RETAIN_ALL };
      ids.unshift((await ask("store.create", args)).id);
    }
    await withStore(base, (store) => store.reap(), { retain: 2 });
    assert.deepEqual(await checkList(ask, base), ids.slice(0, 2));
  });

  it("is reaped by Go in the order of our list", async (t) => {
    const base = await temporaryDirectory(t);
    for (const index of ["1", "2", "3", "4", "5"]) {
      await ask("store.create", { ...USUAL, index, base, retain: 3 });
    }
    const ids = await checkList(ask, base);
    assert.deepEqual(ids.map((id) => id.split("-")[1]), ["5", "4", "3"]);
  });

  it("is skipped, and swept an hour later, when Go was killed while it wrote it", async (t) => {
    const base = await temporaryDirectory(t);
    const kept = await ask("store.create", { ...USUAL, base, retain: 2 });
    const killed = await ask("store.abandon", {
      ...USUAL,
      base,
      retain: 2,
      content: { seed: 9, length: 100_000 },
    });
    const names = () => readdir(join(base, "snapshots"));
    assert.ok((await names()).includes(`${killed.id}.tmp`));

    assert.deepEqual(await checkList(ask, base), [kept.id]);
    assert.ok((await names()).includes(`${killed.id}.tmp`), "a reader removed");

    await withStore(base, (store) => store.list());
    assert.ok((await names()).includes(`${killed.id}.tmp`), "it was young");
    await withStore(base, (store) => store.list(), {
      clock: () => Date.now() + 3_600_001,
    });
    const left = (await names()).filter((name) => !name.startsWith(".lock"));
    assert.deepEqual(left, [kept.id]);
  });

  it("is restored at start-up", async (t) => {
    const base = await temporaryDirectory(t);
    await ask("store.create", { ...USUAL, index: "9", base, retain: 2 });
    const newest = await ask("store.create", { ...USUAL, base, retain: 2 });
    let state = new Uint8Array();
    const restored = await withStore(
      base,
      (store) =>
        store.restore(async (source) => {
          state = new Uint8Array(await new Response(source).arrayBuffer());
        }),
    );
    assert.equal(restored?.meta.id, newest.id);
    assert.deepEqual(state, bytes(13, 1));
  });

  it("is older than our next one of the same term and index, even when our clock is behind", async (t) => {
    const base = await temporaryDirectory(t);
    const { id } = await ask("store.create", { ...USUAL, base, retain: 2 });
    const [one] = MATRIX;
    assert.ok(one !== undefined);
    // Our clock is far behind Go's.
    const next = await withStore(base, (store) => writeCase(store, one), {
      clock: () => 1,
    });
    assert.deepEqual(await checkList(ask, base), [next.id, id]);
  });
});
