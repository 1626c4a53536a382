import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  SnapshotCorruptError,
  UnsupportedSnapshotVersionError,
} from "@raft/snapshots";
import { crc64 } from "@raft/snapshots/crc64";
import * as fc from "fast-check";
import {
  type BlockChecksums,
  countBlocks,
  decodeBlocks,
  encodeBlocks,
} from "../../src/snapshot/block_checksums.ts";
import { holdsFor } from "./property.ts";

const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });

/** Anything that a store may have to write. */
const checksums: fc.Arbitrary<BlockChecksums> = fc.tuple(
  fc.integer({ min: 512, max: 64 * 1024 * 1024 }),
  fc.array(uint64),
  uint64,
  fc.nat(),
).map(([blockSize, crcs, metaCrc, rest]) => ({
  blockSize,
  // The last block has at least one byte.
  stateSize: blockSize * crcs.length - (crcs.length && rest % blockSize),
  metaCrc,
  crcs: BigUint64Array.from(crcs),
}));

/** A file with some fields changed, and the CRC that goes with it. */
const forged: fc.Arbitrary<Uint8Array> = fc.tuple(
  checksums,
  fc.array(fc.tuple(fc.nat({ max: 39 }), fc.nat({ max: 255 })), {
    maxLength: 5,
  }),
  fc.nat({ max: 30 }),
).map(([checksums, changes, cut]) => {
  const good = encodeBlocks(checksums);
  const bytes = good.slice(0, Math.max(good.length - (cut >> 1), 8));
  for (const [at, byte] of changes) if (at < bytes.length) bytes[at] = byte;
  const end = bytes.length - 8;
  new DataView(bytes.buffer).setBigUint64(end, crc64(bytes.subarray(0, end)));
  return bytes;
});

function isNamed(error: unknown): boolean {
  return error instanceof SnapshotCorruptError && error.reason === "block" ||
    error instanceof UnsupportedSnapshotVersionError;
}

describe("the blocks.crc64 decoder", () => {
  it("gives the encoded checksums", () =>
    holdsFor(checksums, 200, (checksums) => {
      const decoded = decodeBlocks(encodeBlocks(checksums), "blocks.crc64");
      assert.deepEqual(decoded, checksums);
    }));

  it("refuses random bytes, or returns checksums that are consistent", () =>
    holdsFor(fc.oneof(fc.uint8Array(), forged), 600, (bytes) => {
      try {
        const decoded = decodeBlocks(bytes, "blocks.crc64");
        const { stateSize, blockSize, crcs } = decoded;
        assert.ok(Number.isSafeInteger(stateSize) && stateSize >= 0);
        assert.equal(crcs.length, countBlocks(stateSize, blockSize));
        assert.deepEqual(encodeBlocks(decoded), bytes);
      } catch (error) {
        assert.ok(isNamed(error), `unnamed: ${error}`);
      }
    }));
});
