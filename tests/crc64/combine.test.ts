import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { combineCrc64, crc64 } from "@raft/snapshots/crc64";
import { bytes, freshSeed, random } from "../support/random.ts";

const LENGTH_MAX = 2 ** 53 - 1;

describe("combineCrc64()", () => {
  it("gives the CRC of the whole for every split of a short message", () => {
    const seed = freshSeed();
    const data = bytes(600, seed);
    const expected = crc64(data);
    for (let cut = 0; cut <= data.length; cut++) {
      const a = crc64(data.subarray(0, cut));
      const b = crc64(data.subarray(cut));
      const actual = combineCrc64(a, b, data.length - cut);
      assert.equal(actual, expected, `cut at ${cut}, seed ${seed}`);
    }
  });

  it("gives the CRC of the whole for random splits of a long message", () => {
    const seed = freshSeed();
    const { integer } = random(seed);
    const data = bytes(2_000_000, seed);
    const expected = crc64(data);
    for (let n = 0; n < 100; n++) {
      const cut = integer(data.length + 1);
      const a = crc64(data.subarray(0, cut));
      const b = crc64(data.subarray(cut));
      const actual = combineCrc64(a, b, data.length - cut);
      assert.equal(actual, expected, `cut at ${cut}, seed ${seed}`);
    }
  });

  it("gives the CRC of a whole from those of many parts", () => {
    const data = bytes(5_000_000, 1);
    let whole = 0n;
    for (let start = 0; start < data.length; start += 1 << 20) {
      const part = data.subarray(start, start + (1 << 20));
      whole = combineCrc64(whole, crc64(part), part.length);
    }
    assert.equal(whole, crc64(data));
  });

  it("agrees with itself for lengths to 2^53 - 1, which are too long to compute", () => {
    const seed = freshSeed();
    const { integer, bytes: take } = random(seed);
    // (A B) C and A (B C) are the same message.
    for (let n = 0; n < 300; n++) {
      const [a, b, c] = [crc64(take(9)), crc64(take(9)), crc64(take(9))];
      const ofB = integer(2 ** 20) * 2 ** 32 + integer(2 ** 32);
      const ofC = integer(2 ** 20) * 2 ** 32 + integer(2 ** 32);
      assert.equal(
        combineCrc64(combineCrc64(a, b, ofB), c, ofC),
        combineCrc64(a, combineCrc64(b, c, ofC), ofB + ofC),
        `lengths ${ofB} and ${ofC}, seed ${seed}`,
      );
    }
    const half = (LENGTH_MAX - 1) / 2;
    const [a, b, c] = [1n, 2n, 3n];
    assert.equal(
      combineCrc64(combineCrc64(a, b, half), c, half + 1),
      combineCrc64(a, combineCrc64(b, c, half + 1), LENGTH_MAX),
    );
  });

  it("agrees with zeros that were fed, for a length of every power of two", () => {
    for (let k = 0; k <= 24; k++) {
      const zeros = new Uint8Array(2 ** k);
      const message = new Uint8Array(2 ** k + 1).fill(0x55, 0, 1);
      const a = crc64(message.subarray(0, 1));
      const actual = combineCrc64(a, crc64(zeros), zeros.length);
      assert.equal(actual, crc64(message), `2^${k}`);
    }
  });

  it("ignores an empty part", () => {
    assert.equal(combineCrc64(0n, 0n, 0), 0n);
    assert.equal(combineCrc64(5n, 0n, 0), 5n);
    assert.equal(combineCrc64(0n, 5n, 1), 5n);
  });

  it("refuses lengths that are not integers from 0 to 2^53 - 1", () => {
    for (const length of [-1, 0.5, NaN, Infinity, 2 ** 53]) {
      assert.throws(() => combineCrc64(1n, 2n, length), RangeError);
    }
  });

  it("refuses CRCs that are not of 64 bits", () => {
    for (const crc of [-1n, 2n ** 64n]) {
      assert.throws(() => combineCrc64(crc, 0n, 1), RangeError);
      assert.throws(() => combineCrc64(0n, crc, 1), RangeError);
    }
  });
});
