/**
 * CRC-64/XZ by its definition, one bit at a time, which shares nothing with the
 * code under test: not even the direction of the bits.
 *
 * @module
 */

/** The generator as ECMA-182 writes it, the coefficient of x^63 on top. */
export const GENERATOR = 0x42f0e1eba9ea3693n;

const ONES = 2n ** 64n - 1n;

/** `value` with the lowest `width` bits in the opposite order. */
function reflect(value: bigint, width: number): bigint {
  const bits = value.toString(2).padStart(width, "0");
  return BigInt(`0b${[...bits].reverse().join("")}`);
}

/** The CRCs of the first 0, 1, 2, ... all bytes. */
export function crcsOfPrefixes(bytes: Uint8Array): bigint[] {
  let register = ONES;
  const crcs = [0n];
  for (const byte of bytes) {
    register ^= reflect(BigInt(byte), 8) << 56n;
    for (let bit = 0; bit < 8; bit++) {
      const carry = register >> 63n;
      register = (register << 1n) & ONES;
      if (carry === 1n) register ^= GENERATOR;
    }
    crcs.push(reflect(register ^ ONES, 64));
  }
  return crcs;
}
