// @ts-nocheck: this is AssemblyScript, built by scripts/build_kernel.ts.

// CRC-64 by folding, without multiplying.
//
// A CRC is a remainder. Read the message's bits as the coefficients of a
// polynomial over GF(2), where adding is XOR; its CRC, but for the bits that
// are inverted before and after, is what is left of message * x^64 after
// division by the CRC's polynomial P. So adding a multiple of P anywhere in the
// message leaves the CRC as it was, and there are multiples of P with very few
// terms, all of them at whole bytes. With y = x^8, one byte:
//
//   far:   y^65534 + y^48114 + y^15347 + 1                       = 0 (mod P)
//   near:  y^1403 + y^1286 + y^1251 + y^1162
//          + y^1008 + y^509 + y^153 + 1                          = 0 (mod P)
//
// (tests/crc64/relations.test.ts checks both from P alone.) Take a byte with at
// least 65534 bytes after it. Adding byte * far, with its first term on top of
// the byte, clears the byte, and adds it to three bytes further on, by 65534
// less each other exponent: 17420, 50187 and 65534 bytes on. Clear the bytes of
// the message from the first to the last that has 65534 after it, and a message
// of those last 65534 bytes is left, which has the same CRC. The near relation
// takes that to 1403 bytes in the same way, and the table does the rest.
//
// The cleared bytes are not used again, so they are not cleared but kept: each
// byte collects what the earlier ones add to it,
//
//   m[i] ^= m[i - 17420] ^ m[i - 50187] ^ m[i - 65534],
//
// and, for i in order, all three are final when they are needed. The shortest
// distance is longer than a vector, so 16 bytes may go at once, whatever their
// alignment: that is the whole trick. It costs three loads and three XORs for
// 16 bytes.
//
// Before the message's first byte there must be zeros to load, and there are.
// The last 65534 bytes, the tail, collect but do not pass on. The host puts
// them elsewhere, at TAIL, and their place after the head is filled with zeros,
// so that the same loop serves: what it loads from there adds nothing. The near
// fold repeats the pattern: before TAIL there are zeros, and its own last 1403
// bytes move to LAST.
//
// Loops take whole steps. Heads are multiples of a step, so that tails are
// longer by up to a step; the last step may write beyond the end of a tail,
// where the layout leaves room that is never read.

import {
  FAR_1,
  FAR_2,
  FAR_3,
  FAR_STEP,
  HEAD,
  LAST,
  NEAR_1,
  NEAR_2,
  NEAR_3,
  NEAR_4,
  NEAR_5,
  NEAR_6,
  NEAR_7,
  NEAR_STEP,
  RESULT,
  TABLE,
  TAIL,
} from "./layout.ts";

/** P without x^64. The lowest bit is the coefficient of x^63, as in the register. */
const POLYNOMIAL: u64 = 0xc96c5795d7870f42;

/**
 * Feeds a message of 8 bytes or more to a register, and leaves it at RESULT. The
 * message's first `head` bytes, a multiple of FAR_STEP, lie at HEAD, the other
 * `tail` at TAIL; these are FAR_3 or more unless the head is empty.
 */
export function update(head: i32, tail: i32, low: u32, high: u32): void {
  // Continuing from a register is the same as starting from 0 with the register
  // added to the first 8 bytes.
  const start = head > 0 ? HEAD : TAIL;
  const register = (u64(high) << 32) | u64(low);
  store<u64>(start, load<u64>(start) ^ register);
  store<u64>(RESULT, remainder(head, tail));
}

/** What is left of the message. */
function remainder(head: i32, tail: i32): u64 {
  if (head > 0) {
    foldFar(HEAD, HEAD, head);
    memory.fill(HEAD + head, 0, tail);
    foldFar(TAIL, HEAD + head, tail);
  }
  if (tail < NEAR_7 + NEAR_STEP) return slice(TAIL, tail);
  const near = (tail - NEAR_7) / NEAR_STEP * NEAR_STEP;
  const last = tail - near;
  foldNear(TAIL, TAIL, near);
  memory.copy(LAST, TAIL + near, last);
  memory.fill(TAIL + near, 0, last);
  foldNear(LAST, TAIL + near, last);
  return slice(LAST, last);
}

/**
 * Adds to the `length` bytes at `to` what earlier ones pass on to them; `from` is
 * their place in the message.
 */
function foldFar(to: i32, from: i32, length: i32): void {
  const end = to + length;
  for (; to < end; to += FAR_STEP, from += FAR_STEP) {
    const a = from - FAR_1;
    const b = from - FAR_2;
    const c = from - FAR_3;
    // deno-fmt-ignore
    {
      v128.store(to, sum4(v128.load(to), v128.load(a), v128.load(b), v128.load(c)));
      v128.store(to, sum4(v128.load(to, 16), v128.load(a, 16), v128.load(b, 16), v128.load(c, 16)), 16);
      v128.store(to, sum4(v128.load(to, 32), v128.load(a, 32), v128.load(b, 32), v128.load(c, 32)), 32);
      v128.store(to, sum4(v128.load(to, 48), v128.load(a, 48), v128.load(b, 48), v128.load(c, 48)), 48);
    }
  }
}

/** The same by the near relation. */
function foldNear(to: i32, from: i32, length: i32): void {
  const end = to + length;
  for (; to < end; to += NEAR_STEP, from += NEAR_STEP) {
    const a = from - NEAR_1;
    const b = from - NEAR_2;
    const c = from - NEAR_3;
    const d = from - NEAR_4;
    const e = from - NEAR_5;
    const f = from - NEAR_6;
    const g = from - NEAR_7;
    // deno-fmt-ignore
    {
      const p = sum4(v128.load(to), v128.load(a), v128.load(b), v128.load(c));
      const q = sum4(v128.load(d), v128.load(e), v128.load(f), v128.load(g));
      v128.store(to, v128.xor(p, q));
      const r = sum4(v128.load(to, 16), v128.load(a, 16), v128.load(b, 16), v128.load(c, 16));
      const s = sum4(v128.load(d, 16), v128.load(e, 16), v128.load(f, 16), v128.load(g, 16));
      v128.store(to, v128.xor(r, s), 16);
    }
  }
}

function sum4(a: v128, b: v128, c: v128, d: v128): v128 {
  return v128.xor(v128.xor(a, b), v128.xor(c, d));
}

/** The register after `length` bytes at `at`, by table as in table.ts. */
function slice(at: i32, length: i32): u64 {
  let register: u64 = 0;
  const end = at + length;
  for (; at + 8 <= end; at += 8) {
    const word = register ^ load<u64>(at);
    register = entry(7, word) ^ entry(6, word >> 8) ^
      entry(5, word >> 16) ^ entry(4, word >> 24) ^
      entry(3, word >> 32) ^ entry(2, word >> 40) ^
      entry(1, word >> 48) ^ entry(0, word >> 56);
  }
  for (; at < end; at++) {
    register = (register >> 8) ^ entry(0, register ^ load<u8>(at));
  }
  return register;
}

/** What the lowest byte of `word` contributes with `k` bytes after it. */
function entry(k: i32, word: u64): u64 {
  return load<u64>(entryAddress(k, i32(word & 255)));
}

function entryAddress(k: i32, byte: i32): i32 {
  return TABLE + (k << 11) + (byte << 3);
}

/** Must be called once, before anything else. */
export function fillTable(): void {
  for (let byte = 0; byte < 256; byte++) {
    let register = u64(byte);
    for (let k = 0; k < 8; k++) {
      for (let bit = 0; bit < 8; bit++) {
        register = (register >> 1) ^ (POLYNOMIAL & (0 - (register & 1)));
      }
      store<u64>(entryAddress(k, byte), register);
    }
  }
}
