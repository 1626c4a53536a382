/**
 * CRC-64 by table, eight bytes a step ("slicing by 8"): for small chunks, for
 * what the kernel leaves over, and for where there is no kernel.
 *
 * @module
 */

import { type Register, timesX } from "./register.ts";

/**
 * Entry `256 * k + b` is the contribution of byte `b` with `k` bytes after it:
 * b * x^(64 + 8k) modulo the polynomial.
 */
interface Tables {
  readonly low: Int32Array;
  readonly high: Int32Array;
}

let tables: Tables | undefined;

function makeTables(): Tables {
  const low = new Int32Array(8 * 256);
  const high = new Int32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    const register = { low: byte, high: 0 };
    for (let k = 0; k < 8; k++) {
      for (let bit = 0; bit < 8; bit++) timesX(register);
      low[256 * k + byte] = register.low;
      high[256 * k + byte] = register.high;
    }
  }
  return { low, high };
}

/** Feeds `bytes[start]` to `bytes[end - 1]` to the register. */
export function updateByTable(
  register: Register,
  bytes: Uint8Array,
  start: number,
  end: number,
): void {
  const { low: lowTable, high: highTable } = tables ??= makeTables();
  // A typed array's element may be undefined to the compiler only: all indices
  // below are in range. `| 0` says so at no cost.
  const l = (index: number) => (lowTable[index] as number) | 0;
  const h = (index: number) => (highTable[index] as number) | 0;
  const b = (index: number) => (bytes[index] as number) | 0;
  let { low, high } = register;
  let i = start;
  for (; i + 8 <= end; i += 8) {
    const x = low ^ (b(i) | b(i + 1) << 8 | b(i + 2) << 16 | b(i + 3) << 24);
    const y = high ^
      (b(i + 4) | b(i + 5) << 8 | b(i + 6) << 16 | b(i + 7) << 24);
    const i7 = 1792 + (x & 255);
    const i6 = 1536 + (x >>> 8 & 255);
    const i5 = 1280 + (x >>> 16 & 255);
    const i4 = 1024 + (x >>> 24);
    const i3 = 768 + (y & 255);
    const i2 = 512 + (y >>> 8 & 255);
    const i1 = 256 + (y >>> 16 & 255);
    const i0 = y >>> 24;
    low = l(i7) ^ l(i6) ^ l(i5) ^ l(i4) ^ l(i3) ^ l(i2) ^ l(i1) ^ l(i0);
    high = h(i7) ^ h(i6) ^ h(i5) ^ h(i4) ^ h(i3) ^ h(i2) ^ h(i1) ^ h(i0);
  }
  for (; i < end; i++) {
    const index = (low ^ b(i)) & 255;
    low = (low >>> 8 | high << 24) ^ l(index);
    high = high >>> 8 ^ h(index);
  }
  register.low = low;
  register.high = high;
}
