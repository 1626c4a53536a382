/**
 * CRC-64 by table, eight bytes a step ("slicing by 8"): for small chunks, and
 * for where the kernel can't run.
 *
 * @module
 */

import { type Register, timesX } from "./register.ts";

/**
 * Entry `256 * k + b` is the contribution of byte `b` with `k` bytes after it,
 * which is b * x^(64 + 8k) modulo the polynomial, in two halves. Constants, as
 * the compilers know their addresses then; filled at first use.
 */
const lowTable = new Int32Array(8 * 256);
const highTable = new Int32Array(8 * 256);
let filled = false;

function fillTables(): void {
  for (let byte = 0; byte < 256; byte++) {
    const register = { low: byte, high: 0 };
    for (let k = 0; k < 8; k++) {
      for (let bit = 0; bit < 8; bit++) timesX(register);
      lowTable[256 * k + byte] = register.low;
      highTable[256 * k + byte] = register.high;
    }
  }
  filled = true;
}

// The indices below are all in range, which the type checker can't know.
const lowOf = (index: number): number => lowTable[index] as number;
const highOf = (index: number): number => highTable[index] as number;

/** Writes the table as 64-bit entries, little-endian, which the kernel reads. */
export function writeTable(to: DataView, at: number): void {
  if (!filled) fillTables();
  for (let i = 0; i < 8 * 256; i++) {
    to.setInt32(at + 8 * i, lowOf(i), true);
    to.setInt32(at + 8 * i + 4, highOf(i), true);
  }
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
