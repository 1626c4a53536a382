/**
 * The range of a term, an index and a checksum.
 *
 * @module
 */

/** The largest unsigned integer of 64 bits. */
export const UINT64_MAX = 2n ** 64n - 1n;
