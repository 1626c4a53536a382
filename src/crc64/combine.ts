/**
 * The CRC of a whole from the CRCs of its parts, without the bytes.
 *
 * @module
 */

import {
  checkCrc,
  checkLength,
  type Register,
  registerOf,
  timesX,
  valueOf,
} from "./register.ts";

/** The product of two polynomials, modulo the CRC's. */
function multiply(a: Readonly<Register>, b: Readonly<Register>): Register {
  const power = { low: b.low, high: b.high };
  let low = 0;
  let high = 0;
  // From x^0, the top bit, to x^63: `power` is b * x^degree.
  for (let degree = 0; degree < 64; degree++) {
    const half = degree < 32 ? a.high : a.low;
    const mask = (half << degree) >> 31; // Shifts count modulo 32.
    low ^= mask & power.low;
    high ^= mask & power.high;
    timesX(power);
  }
  return { low, high };
}

/** Entry k is x^(8 * 2^k): 2^k bytes that follow multiply a CRC by it. */
const powers: Register[] = [{ low: 0, high: 1 << 23 }];

function powerOf(k: number): Register {
  const known = powers[k];
  if (known !== undefined) return known;
  const root = powerOf(k - 1);
  return powers[k] = multiply(root, root);
}

/**
 * The CRC-64/XZ of A followed by B, from the CRC of each: `a` of A, `b` of B,
 * and how many bytes long B is. Takes microseconds, whatever the length.
 *
 * @param lengthOfB in bytes.
 * @throws {RangeError} when `a` or `b` is not in 0 to 2^64 - 1, or `lengthOfB`
 * not an integer in 0 to 2^53 - 1.
 *
 * @example Usage
 * ```ts
 * import { combineCrc64, crc64 } from "@raft/snapshots/crc64";
 * import assert from "node:assert/strict";
 *
 * const bytes = new TextEncoder().encode("123456789");
 * const a = crc64(bytes.subarray(0, 5));
 * const b = crc64(bytes.subarray(5));
 * assert.equal(combineCrc64(a, b, 4), crc64(bytes));
 * ```
 */
export function combineCrc64(a: bigint, b: bigint, lengthOfB: number): bigint {
  checkCrc(a, "the first CRC-64");
  checkCrc(b, "the second CRC-64");
  checkLength(lengthOfB, "the length of the second part");
  // CRC(AB) = CRC(A) * x^(8 |B|) + CRC(B). The two complements, at the start
  // and at the end of each CRC, cancel out.
  let register = registerOf(a);
  for (let rest = lengthOfB, k = 0; rest > 0; k++) {
    const odd = rest % 2;
    if (odd === 1) register = multiply(register, powerOf(k));
    rest = (rest - odd) / 2;
  }
  return valueOf(register.low, register.high) ^ b;
}
