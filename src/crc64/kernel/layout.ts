/**
 * What the kernel and its host agree on: the two relations that it folds by,
 * and where things lie in its memory. Two compilers read this file, TypeScript
 * and AssemblyScript: plain integer constants only. kernel.as.ts explains them.
 *
 * @module
 */

// Distances in bytes. Far: 1 + y^15347 + y^48114 + y^65534 = 0, and a byte adds
// to the one that is 65534 - e places on, for each other exponent e.
export const FAR_1 = 17420;
export const FAR_2 = 50187;
export const FAR_3 = 65534;

// Near: 1 + y^153 + y^509 + y^1008 + y^1162 + y^1251 + y^1286 + y^1403 = 0.
export const NEAR_1 = 117;
export const NEAR_2 = 152;
export const NEAR_3 = 241;
export const NEAR_4 = 395;
export const NEAR_5 = 894;
export const NEAR_6 = 1250;
export const NEAR_7 = 1403;

/** Bytes that one turn of the far loop, and of the near loop, deals with. */
export const FAR_STEP = 64;
export const NEAR_STEP = 32;

// Addresses. All are multiples of 64, so that the loops' own loads and stores
// never straddle a cache line.

/** Slicing by 8: 8 * 256 entries of 8 bytes. */
export const TABLE = 0;
/** The register after the call, 8 bytes. */
export const RESULT = 16384;
/** The last bytes, for the table: NEAR_7, more by up to a step. */
export const LAST = RESULT + 64;
export const LAST_SIZE = 1472;
/** Before TAIL lie NEAR_7 zeros, or more, that are never written to. */
export const TAIL = LAST + LAST_SIZE + 1408;
/** FAR_3 bytes, more by up to a step. */
export const TAIL_SIZE = 65600;
/** Before HEAD lie FAR_3 zeros, or more, that are never written to. */
export const HEAD = TAIL + TAIL_SIZE + 65536;
/** The longest message that the kernel takes at once. */
export const MESSAGE_SIZE_MAX = 1048576;
/** In pages of 64 KiB. */
export const MEMORY_PAGES = 19;
