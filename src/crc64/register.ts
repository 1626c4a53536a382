/**
 * The 64 bits of a running CRC as two signed 32-bit halves: BigInt arithmetic
 * allocates, and these run once a byte.
 *
 * Bits are reflected, as in CRC-64/XZ: the top bit of `high` is the coefficient
 * of x^0, the lowest bit of `low` that of x^63.
 *
 * @module
 */

/** A polynomial of degree below 64 over GF(2), reflected. */
export interface Register {
  /** Coefficients of x^32 (top bit) to x^63. */
  low: number;
  /** Coefficients of x^0 (top bit) to x^31. */
  high: number;
}

/** The CRC's polynomial, ECMA-182's 0x42F0E1EBA9EA3693 reflected, sans x^64. */
const POLYNOMIAL: Readonly<Register> = {
  low: 0xd7870f42 | 0,
  high: 0xc96c5795 | 0,
};

/** Feeds `bytes[start]` to `bytes[end - 1]` to a register. */
export type Update = (
  register: Register,
  bytes: Uint8Array,
  start: number,
  end: number,
) => void;

/** The register that holds `value`, of which the low 64 bits count. */
export function registerOf(value: bigint): Register {
  return {
    low: Number(BigInt.asIntN(32, value)),
    high: Number(BigInt.asIntN(32, value >> 32n)),
  };
}

/** The value of two halves, from 0 to 2^64 - 1. */
export function valueOf(low: number, high: number): bigint {
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
}

/** Multiplies a register by x, in place, modulo the polynomial. */
export function timesX(register: Register): void {
  const { low, high } = register;
  const carry = -(low & 1);
  register.low = ((low >>> 1) | (high << 31)) ^ (carry & POLYNOMIAL.low);
  register.high = (high >>> 1) ^ (carry & POLYNOMIAL.high);
}

/**
 * Rejects a value that is not a CRC-64.
 *
 * @throws {RangeError} when `value` is not in 0 to 2^64 - 1.
 */
export function checkCrc(value: bigint, what: string): void {
  if (BigInt.asUintN(64, value) !== value) {
    throw new RangeError(
      `Cannot use ${what}: found ${value}, expected 0 to 2^64 - 1`,
    );
  }
}

/**
 * Rejects a value that is not a count of bytes.
 *
 * @throws {RangeError} when `value` is not an integer in 0 to 2^53 - 1.
 */
export function checkLength(value: number, what: string): void {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new RangeError(
      `Cannot use ${what}: found ${value}, expected an integer from 0 to 2^53 - 1`,
    );
  }
}
