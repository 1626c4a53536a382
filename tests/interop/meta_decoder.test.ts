/**
 * Compares our decoder of `meta.json` with Go's. Deno, which runs the sources,
 * decodes more texts than the other runtimes; many thousands in the full run.
 *
 * @module
 */

import assert from "node:assert/strict";
import { it } from "node:test";
import { SnapshotCorruptError } from "../../src/errors.ts";
import {
  type DecodedRecord,
  decodeRecord,
} from "../../src/snapshot/meta/decode.ts";
import { encodeRecord } from "../../src/snapshot/meta/encode.ts";
import { amount } from "../support/full_run.ts";
import { freshSeed, random } from "../support/random.ts";
import { runtime } from "../support/runtime.ts";
import { HOSTILE_METAS } from "./hostile_metas.ts";
import { type Ask, describeWithGo } from "./go_program.ts";
import { buildGoProgram } from "./go_binary.ts";
import { bytesOf, MetaTexts } from "./meta_texts.ts";
import { fromBase64, metaFromWire, toBase64, type WireMeta } from "./wire.ts";

const SCALE = runtime.name === "deno" ? amount(2, 10) : 1;

/** The allowed outcomes; "we read, Go refuses" is a failure. */
type Outcome = "both read, alike" | "both refuse" | "Go reads, we refuse";

/** Decodes a text; `undefined` when our decoder refuses it with its own error. */
function ours(text: Uint8Array): DecodedRecord | undefined {
  try {
    return decodeRecord(text, "meta.json");
  } catch (error) {
    if (error instanceof SnapshotCorruptError && error.reason === "meta") {
      return undefined;
    }
    throw error;
  }
}

function compare(text: Uint8Array, go: WireMeta | undefined): Outcome {
  const our = ours(text);
  if (our === undefined) {
    return go === undefined ? "both refuse" : "Go reads, we refuse";
  }
  assert.ok(go !== undefined, "Go refuses it, we read it");
  // The decoder accepts a future version; the store refuses it.
  const known = our.version === 0 || our.version === 1;
  assert.equal(String(our.version), String(Number(go.version)));
  const meta = metaFromWire(known ? go : { ...go, version: "1" });
  assert.deepEqual(our, meta && { ...meta, version: our.version });
  return "both read, alike";
}

/** Lets both decode the texts; resolves to how often each outcome was. */
async function compareAll(
  ask: Ask,
  texts: readonly Uint8Array[],
): Promise<Map<Outcome, number>> {
  const answers = await ask("meta.decode", { texts: texts.map(toBase64) });
  const counts = new Map<Outcome, number>();
  texts.forEach((text, i) => {
    const found = about(text, () => compare(text, answers[i]?.meta));
    counts.set(found, (counts.get(found) ?? 0) + 1);
  });
  return counts;
}

/** Names the text in the error when `check` fails. */
function about<T>(text: Uint8Array, check: () => T): T {
  try {
    return check();
  } catch (error) {
    const shown = JSON.stringify(String.fromCharCode(...text.slice(0, 2000)));
    throw new Error(`with the text ${shown}`, { cause: error });
  }
}

function tell(what: string, counts: Map<Outcome, number>): void {
  const parts = [...counts].map(([outcome, count]) => `${count} ${outcome}`);
  console.log(`${what}: ${parts.sort().join("; ")}`);
}

function declareEncoderTest(ask: Ask, count: number): void {
  it("read the metas that Go's encoder writes, and ours writes them again", async () => {
    const seed = freshSeed();
    console.log(`seed ${seed}: ${count} metas that Go wrote`);
    const { go } = await ask("versions", {});
    console.log(`by ${go}`);
    for (const { text, meta } of await ask("meta.encode", { seed, count })) {
      const bytes = fromBase64(text);
      about(bytes, () => {
        const our = decodeRecord(bytes, "meta.json");
        assert.deepEqual(our, metaFromWire(meta));
        checkRewritten(our, bytes);
      });
    }
  });
}

/** Our bytes for the meta are Go's, except for values that we never write. */
function checkRewritten(meta: DecodedRecord, bytes: Uint8Array): void {
  const { version } = meta;
  if (version !== 1) return; // without Version there is no Configuration
  const text = new TextDecoder().decode(bytes)
    .replace('"Servers":null', '"Servers":[]');
  const rewritten = new TextDecoder().decode(
    encodeRecord({ ...meta, version }),
  );
  const unescaped = (json: string) => json.replaceAll("\\ufffd", "\ufffd");
  assert.equal(unescaped(rewritten), unescaped(text));
}

function declareTests(ask: Ask, scale: number): void {
  declareEncoderTest(ask, 1_000 * scale);

  it("agree on texts with something out of the ordinary", async () => {
    const seed = freshSeed();
    console.log(`seed ${seed}`);
    const texts = new MetaTexts(random(seed));
    const varied = Array.from(
      { length: 2_000 * scale },
      () => bytesOf(texts.varied()),
    );
    const counts = await compareAll(ask, varied);
    tell(`${varied.length} varied texts`, counts);
    // With fewer, the generator would make texts that prove nothing.
    for (const outcome of ["both read, alike", "both refuse"] as const) {
      assert.ok((counts.get(outcome) ?? 0) > varied.length / 10, outcome);
    }
  });

  it("agree on texts with changed bytes", async () => {
    const seed = freshSeed();
    console.log(`seed ${seed}`);
    const texts = new MetaTexts(random(seed));
    const mutated = Array.from(
      { length: 2_000 * scale },
      () => bytesOf(texts.mutated()),
    );
    const counts = await compareAll(ask, mutated);
    tell(`${mutated.length} mutated texts`, counts);
    assert.ok((counts.get("both refuse") ?? 0) > mutated.length / 3);
  });

  it("agree on hostile texts", async () => {
    const texts = Object.values(HOSTILE_METAS).map(bytesOf);
    tell(`${texts.length} hostile texts`, await compareAll(ask, texts));
  });
}

describeWithGo("our decoder of meta.json and Go's", (ask) => {
  declareTests(ask, SCALE);
});

// Go's next JSON package writes some strings in another way than today's.
describeWithGo(
  "our decoder of meta.json and that of Go's next JSON package",
  (ask) => {
    declareTests(ask, 1);
  },
  await buildGoProgram("v2"),
);
