/**
 * The mathematics that the kernel stands on, from the generator alone.
 *
 * @module
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as layout from "../../src/crc64/kernel/layout.ts";
import { GENERATOR } from "./oracle.ts";

/** The generator in full; bit k is the coefficient of x^k. */
const P = 2n ** 64n + GENERATOR;

function degree(polynomial: bigint): number {
  return polynomial.toString(2).length - 1;
}

/** The remainder by P. */
function reduce(polynomial: bigint): bigint {
  let rest = polynomial;
  while (rest >= 2n ** 64n) rest ^= P << BigInt(degree(rest) - 64);
  return rest;
}

/** x^exponent modulo P, by squaring. */
function powerOfX(exponent: number): bigint {
  if (exponent === 0) return 1n;
  const half = powerOfX(Math.floor(exponent / 2));
  // Over GF(2) a square has the same coefficients, at twice the exponents.
  const square = BigInt(`0b${half.toString(2).split("").join("0")}`);
  return reduce(square << BigInt(exponent % 2));
}

/** The sum of y^exponent modulo P, where y = x^8 is one byte. */
function sumOfPowersOfY(exponents: readonly number[]): bigint {
  return exponents.reduce((sum, e) => sum ^ powerOfX(8 * e), 0n);
}

const far = [15347, 48114, 65534];
const near = [153, 509, 1008, 1162, 1251, 1286, 1403];

/** How far on a byte is added when it is cleared by a relation. */
function distancesOf(exponents: readonly number[]): number[] {
  const span = Math.max(...exponents);
  return [0, ...exponents]
    .filter((exponent) => exponent < span)
    .map((exponent) => span - exponent)
    .sort((a, b) => a - b);
}

describe("the relations that the kernel folds by", () => {
  it("are multiples of the generator", () => {
    assert.equal(sumOfPowersOfY([0, ...far]), 0n);
    assert.equal(sumOfPowersOfY([0, ...near]), 0n);
  });

  it("are checked by a test that would notice a wrong one", () => {
    assert.notEqual(sumOfPowersOfY([0, 15347, 48114, 65535]), 0n);
    assert.notEqual(sumOfPowersOfY([0, ...near.slice(1)]), 0n);
  });

  it("are those whose distances the kernel has", () => {
    const { FAR_1, FAR_2, FAR_3 } = layout;
    assert.deepEqual([FAR_1, FAR_2, FAR_3], distancesOf(far));
    const { NEAR_1, NEAR_2, NEAR_3, NEAR_4, NEAR_5, NEAR_6, NEAR_7 } = layout;
    assert.deepEqual(
      [NEAR_1, NEAR_2, NEAR_3, NEAR_4, NEAR_5, NEAR_6, NEAR_7],
      distancesOf(near),
    );
  });

  it("leave room for a step between a byte and the bytes that it is added to", () => {
    assert.ok(layout.FAR_1 >= layout.FAR_STEP);
    assert.ok(layout.NEAR_1 >= layout.NEAR_STEP);
  });
});

describe("the kernel's memory", () => {
  const { TABLE, RESULT, LAST, LAST_SIZE, TAIL, TAIL_SIZE, HEAD } = layout;
  const { FAR_3, FAR_STEP, NEAR_7, NEAR_STEP, MESSAGE_SIZE_MAX } = layout;

  it("has its parts one after the other, at whole cache lines", () => {
    const parts = [
      { at: TABLE, size: 8 * 256 * 8 },
      { at: RESULT, size: 8 },
      { at: LAST, size: LAST_SIZE },
      { at: TAIL, size: TAIL_SIZE },
      { at: HEAD, size: MESSAGE_SIZE_MAX },
    ];
    let end = 0;
    for (const { at, size } of parts) {
      assert.equal(at % 64, 0);
      assert.ok(at >= end);
      end = at + size;
    }
    assert.ok(end <= layout.MEMORY_PAGES * 65_536);
  });

  it("has zeros before the folded bytes", () => {
    assert.ok(TAIL - (LAST + LAST_SIZE) >= NEAR_7);
    assert.ok(HEAD - (TAIL + TAIL_SIZE) >= FAR_3);
  });

  it("has room for a tail that is longer than the relation's span", () => {
    const roundUp = (size: number, step: number) =>
      Math.ceil(size / step) * step;
    assert.ok(TAIL_SIZE >= roundUp(FAR_3 + FAR_STEP - 1, FAR_STEP));
    assert.ok(LAST_SIZE >= roundUp(NEAR_7 + NEAR_STEP - 1, NEAR_STEP));
  });

  it("is within one and a half MiB", () => {
    assert.ok(layout.MEMORY_PAGES * 65_536 <= 1.5 * 1024 * 1024);
  });
});
