/**
 * CRC-64 by table, eight bytes a step ("slicing by 8"): for small chunks, and
 * for runtimes that can't run the kernel.
 *
 * @module
 */

import { type Register, timesX } from "./register.ts";

/**
 * Entry `256 * k + b` is the contribution of byte `b` with `k` bytes after it,
 * which is b * x^(64 + 8k) modulo the polynomial, in two halves. They are
 * constants so that compilers know their addresses, and are filled at first
 * use.
 */
const lowTable = new Int32Array(8 * 256);
const highTable = new Int32Array(8 * 256);
let filled = false;

// The indices below are all in range, which the type checker can't know.
const lowOf = (index: number): number => lowTable[index] as number;
const highOf = (index: number): number => highTable[index] as number;

/**
 * Fills the tables in few steps, because this runs once, before it is compiled.
 */
function fillTables(): void {
  // A single bit's entry is a power of x, from x^64 for the top bit on. Entries
  // add up as their bytes do: each bit joins the bytes made of those above it.
  const register = { low: 1, high: 0 };
  for (let bit = 128; bit > 0; bit >>= 1) {
    timesX(register);
    for (let byte = bit; byte < 256; byte += 2 * bit) {
      lowTable[byte] = lowOf(byte - bit) ^ register.low;
      highTable[byte] = highOf(byte - bit) ^ register.high;
    }
  }
  for (let index = 256; index < 8 * 256; index++) {
    const low = lowOf(index - 256);
    const high = highOf(index - 256);
    lowTable[index] = (low >>> 8 | high << 24) ^ lowOf(low & 255);
    highTable[index] = high >>> 8 ^ highOf(low & 255);
  }
  filled = true;
}

/** Feeds `bytes[start]` to `bytes[end - 1]` to the register. */
export function updateByTable(
  register: Register,
  bytes: Uint8Array,
  start: number,
  end: number,
): void {
  if (!filled) fillTables();
  let { low, high } = register;
  let at = start;
  for (; at + 8 <= end; at += 8) {
    const a = low ^ wordAt(bytes, at);
    const b = high ^ wordAt(bytes, at + 4);
    const i7 = 1792 + (a & 255);
    const i6 = 1536 + (a >>> 8 & 255);
    const i5 = 1280 + (a >>> 16 & 255);
    const i4 = 1024 + (a >>> 24);
    const i3 = 768 + (b & 255);
    const i2 = 512 + (b >>> 8 & 255);
    const i1 = 256 + (b >>> 16 & 255);
    const i0 = b >>> 24;
    low = lowOf(i7) ^ lowOf(i6) ^ lowOf(i5) ^ lowOf(i4) ^
      lowOf(i3) ^ lowOf(i2) ^ lowOf(i1) ^ lowOf(i0);
    high = highOf(i7) ^ highOf(i6) ^ highOf(i5) ^ highOf(i4) ^
      highOf(i3) ^ highOf(i2) ^ highOf(i1) ^ highOf(i0);
  }
  for (; at < end; at++) {
    const index = (low ^ (bytes[at] as number)) & 255;
    low = (low >>> 8 | high << 24) ^ lowOf(index);
    high = high >>> 8 ^ highOf(index);
  }
  register.low = low;
  register.high = high;
}

/** The four bytes at `at`, little-endian; a DataView costs more to make. */
function wordAt(bytes: Uint8Array, at: number): number {
  return (bytes[at] as number) | (bytes[at + 1] as number) << 8 |
    (bytes[at + 2] as number) << 16 | (bytes[at + 3] as number) << 24;
}
