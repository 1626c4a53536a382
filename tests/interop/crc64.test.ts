/**
 * Compares our CRC-64 with Go's `hash/crc64`. Both make the bytes from a seed.
 *
 * @module
 */

import assert from "node:assert/strict";
import { it } from "node:test";
import { Crc64, crc64 } from "@raft/snapshots/crc64";
import { bytes, freshSeed, type Random, random } from "../support/random.ts";
import { runtime } from "../support/runtime.ts";
import { type Ask, describeWithGo } from "./go_program.ts";
import type { Content } from "./wire.ts";

const MIB = 1024 * 1024;

async function checkAll(ask: Ask, contents: readonly Content[]): Promise<void> {
  const answers = await ask("crc64", { contents });
  contents.forEach(({ seed, length }, i) => {
    const crc = crc64(bytes(length, seed));
    assert.equal(String(crc), answers[i], `${length} bytes of seed ${seed}`);
  });
}

/** The CRC of the data when it is fed in pieces that end at the cuts. */
function crcOfPieces(data: Uint8Array, cuts: readonly number[]): bigint {
  const crc = new Crc64();
  let start = 0;
  for (const end of [...cuts, data.length]) {
    crc.update(data.subarray(start, end));
    start = end;
  }
  return crc.digest();
}

function randomCuts(random: Random, length: number): number[] {
  return Array.from(
    { length: random.integer(40) },
    () => random.integer(length + 1),
  ).sort((a, b) => a - b);
}

/** Go's CRC of one content. */
async function goCrc(ask: Ask, content: Content): Promise<bigint> {
  const [crc] = await ask("crc64", { contents: [content] });
  return BigInt(crc ?? -1);
}

describeWithGo("our CRC-64 is equal to Go's", (ask) => {
  it("for every length from 0 to 4,096", async () => {
    const seed = freshSeed();
    console.log(`seed ${seed}`);
    const contents = Array.from(
      { length: 4_097 },
      (_, length) => ({ seed: (seed + length) >>> 0, length }),
    );
    await checkAll(ask, contents);
  });

  it("for random lengths up to 64 MiB", async () => {
    const seed = freshSeed();
    console.log(`seed ${seed}`);
    const { integer } = random(seed);
    // Of every magnitude; Deno, which runs the sources, checks more of them.
    const magnitudes = runtime.name === "deno" ? 26 : 22;
    const contents = Array.from({ length: magnitudes - 12 }, (_, i) => ({
      seed: (seed + i) >>> 0,
      length: 2 ** (i + 12) + integer(2 ** (i + 12)),
    }));
    await checkAll(ask, [...contents, { seed, length: 64 * MIB }]);
  });

  it("for every split of writes in two", async () => {
    const seed = freshSeed();
    console.log(`seed ${seed}`);
    const content = { seed, length: 4_096 };
    const expected = await goCrc(ask, content);
    const data = bytes(content.length, seed);
    for (let cut = 0; cut <= data.length; cut++) {
      assert.equal(crcOfPieces(data, [cut]), expected, `cut at ${cut}`);
    }
  });

  it("for every way to write a short text", async () => {
    const seed = freshSeed();
    console.log(`seed ${seed}`);
    const content = { seed, length: 13 };
    const expected = await goCrc(ask, content);
    const data = bytes(content.length, seed);
    const places = Array.from({ length: content.length - 1 }, (_, i) => i + 1);
    for (let ways = 0; ways < 2 ** places.length; ways++) {
      const cuts = places.filter((place) => (ways >> (place - 1)) & 1);
      assert.equal(crcOfPieces(data, cuts), expected, `cut at ${cuts}`);
    }
  });

  it("for random splits of a long text", async () => {
    const seed = freshSeed();
    console.log(`seed ${seed}`);
    const content = { seed, length: 1_000_003 };
    const expected = await goCrc(ask, content);
    const data = bytes(content.length, seed);
    const randomness = random(seed);
    for (let n = 0; n < 10; n++) {
      const cuts = randomCuts(randomness, data.length);
      assert.equal(crcOfPieces(data, cuts), expected, `cut at ${cuts}`);
    }
  });
});
