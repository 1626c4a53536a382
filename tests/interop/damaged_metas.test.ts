/**
 * Both stores list and open a directory in which many a `meta.json` is damaged.
 *
 * @module
 */

import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { it } from "node:test";
import { inspect } from "node:util";
import { SnapshotCorruptError } from "../../src/errors.ts";
import { decodeRecord } from "../../src/snapshot/meta/decode.ts";
import { freshSeed, type Random, random } from "../support/random.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import { describeWithGo } from "./go_program.ts";
import { bytesOf, MetaTexts } from "./meta_texts.ts";
import { RETAIN_ALL, withoutCrc, withStore } from "./states.ts";
import { metaFromWire } from "./wire.ts";

/** The same text for the same fields, whatever their order is. */
const textOf = (meta: object) => inspect(meta, { sorted: true });

const SNAPSHOTS = 300;
const STATE = "first\nsecond\n";

/** A snapshot's directory, by its name and the text of its `meta.json`. */
interface Directory {
  readonly name: string;
  readonly text: Uint8Array;
}

function randomDirectory(random: Random, i: number): Directory {
  const name = `${i % 5}-${i}-1795361690419`;
  const texts = new MetaTexts(random, name);
  const text = random.chance(0.8) ? texts.varied() : texts.mutated();
  return { name, text: bytesOf(text) };
}

async function writeDirectory(base: string, one: Directory): Promise<void> {
  const path = join(base, "snapshots", one.name);
  await mkdir(path, { recursive: true });
  await writeFile(join(path, "meta.json"), one.text);
  await writeFile(join(path, "state.bin"), STATE);
}

/** Whether the store has to list it: the rules beyond the decoder's. */
function isUsable({ name, text }: Directory): boolean {
  try {
    const { id, term, index, version, size, crc } = decodeRecord(text, name);
    const isItself = id === name && name.startsWith(`${term}-${index}-`);
    const isKnown = version === 0 || version === 1;
    return isItself && isKnown && size === STATE.length && crc !== null;
  } catch (error) {
    if (error instanceof SnapshotCorruptError) return false;
    throw error;
  }
}

describeWithGo("a directory of damaged snapshots", (ask) => {
  it("is listed by us with every usable snapshot, each as Go lists it", async (t) => {
    const base = await temporaryDirectory(t);
    const seed = freshSeed();
    console.log(`seed ${seed}`);
    const randomness = random(seed);
    const directories = Array.from(
      { length: SNAPSHOTS },
      (_, i) => randomDirectory(randomness, i),
    );
    for (const one of directories) await writeDirectory(base, one);
    const go = { base, retain: RETAIN_ALL };
    const listed = await ask("store.list", go);

    await withStore(base, async (store) => {
      const metas = await store.list();
      const usable = directories.filter(isUsable).map(({ name }) => name);
      assert.deepEqual(metas.map(({ id }) => id).sort(), usable.sort());

      const known = new Set(metas.map((meta) => textOf(withoutCrc(meta))));
      const goMetas = listed.map((wire) => metaFromWire(wire))
        .flatMap((meta) => meta === undefined ? [] : [withoutCrc(meta)]);
      assert.deepEqual(
        goMetas.filter((meta) => known.has(textOf(meta))),
        metas.map(withoutCrc),
      );

      let good = 0;
      for (const { id } of metas) {
        const { ok } = await store.verify(id);
        const opens = await ask("store.open", { ...go, id })
          .then(() => true, () => false);
        assert.equal(ok, opens, id);
        if (ok) good++;
      }
      console.log(
        `${SNAPSHOTS} directories: Go lists ${listed.length}, ` +
          `we list ${metas.length}, both open ${good}`,
      );
    }, { readOnly: true });
  });
});
