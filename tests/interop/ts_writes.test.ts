/**
 * Our store writes snapshots, and Go's store reads them.
 *
 * @module
 */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { it } from "node:test";
import { bytes } from "../support/random.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import { describeWithGo } from "./go_program.ts";
import { MATRIX } from "./matrix.ts";
import {
  caseForGo,
  RETAIN_ALL,
  sha256,
  wellFormed,
  withoutCrc,
  withStore,
  writeCase,
} from "./states.ts";
import { fieldsOf, fromBase64, metaFromWire } from "./wire.ts";

describeWithGo("a snapshot that TypeScript wrote", (ask) => {
  for (const one of MATRIX) {
    it(`is read by Go: ${one.name}`, async (t) => {
      const base = await temporaryDirectory(t);
      const meta = await withStore(base, (store) => writeCase(store, one));
      const go = { base, retain: 1 };

      const [listed, ...more] = await ask("store.list", go);
      assert.ok(listed !== undefined && more.length === 0);
      const read = metaFromWire(listed);
      assert.deepEqual(read, { ...fieldsOf(meta), crc: null });
      const { configuration } = wellFormed(one);
      assert.deepEqual(read?.configuration, configuration);

      const opened = await ask("store.open", { ...go, id: meta.id });
      assert.deepEqual(opened.meta, listed);
      assert.equal(opened.length, one.content.length);
      const { length, seed } = one.content;
      assert.equal(opened.sha256, sha256(bytes(length, seed)));
    });

    it(`has the bytes that Go writes: ${one.name}`, async (t) => {
      const base = await temporaryDirectory(t);
      const { id } = await ask("store.create", {
        ...caseForGo(wellFormed(one)),
        base,
        retain: 1,
      });
      const clock = () => Number(id.split("-")[2]);
      const ours = await temporaryDirectory(t);
      const meta = await withStore(
        ours,
        (store) => writeCase(store, one),
        { clock },
      );
      assert.equal(meta.id, id);
      for (const name of ["meta.json", "state.bin"]) {
        const path = join("snapshots", id, name);
        const [our, theirs] = await Promise.all([
          readFile(join(ours, path)),
          readFile(join(base, path)),
        ]);
        assert.ok(our.equals(theirs), `${name}: ${our} is not ${theirs}`);
      }
      const path = join(ours, "snapshots", id, "meta.json");
      const rewritten = await ask("meta.reencode", { path });
      assert.deepEqual(
        fromBase64(rewritten),
        new Uint8Array(await readFile(path)),
      );
    });
  }

  it("is read by Go, which passes over takenAt", async (t) => {
    const base = await temporaryDirectory(t);
    const meta = await withStore(base, (store) =>
      store.save({
        index: 10,
        term: 3,
        configuration: { servers: [] },
        configurationIndex: 2,
        takenAt: new Date(0),
      }, bytes(9, 1)));
    const go = { base, retain: 1 };
    const [listed] = await ask("store.list", go);
    assert.ok(listed !== undefined);
    const { takenAt: _, ...fields } = fieldsOf(meta);
    assert.deepEqual(metaFromWire(listed), { ...fields, crc: null });
    const opened = await ask("store.open", { ...go, id: meta.id });
    assert.equal(opened.sha256, sha256(bytes(9, 1)));
  });

  it("is listed by Go in our order, when there are many", async (t) => {
    const base = await temporaryDirectory(t);
    const metas = await withStore(base, async (store) => {
      for (const one of MATRIX) await writeCase(store, one);
      return await store.list();
    });
    assert.equal(metas.length, MATRIX.length);
    const listed = await ask("store.list", { base, retain: RETAIN_ALL });
    assert.deepEqual(
      listed.map((wire) => metaFromWire(wire)).map((meta) =>
        meta && withoutCrc(meta)
      ),
      metas.map(withoutCrc),
    );
  });

  it("is not listed by Go before its sink is closed", async (t) => {
    const base = await temporaryDirectory(t);
    const [one] = MATRIX;
    assert.ok(one !== undefined);
    await withStore(base, async (store) => {
      const sink = await store.create(one);
      const writer = sink.getWriter();
      await writer.write(bytes(100_000, 1));
      const go = { base, retain: 1 };
      assert.deepEqual(await ask("store.list", go), []);
      await writer.close();
      assert.equal((await ask("store.list", go)).length, 1);
    });
  });
});
