import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  SnapshotCorruptError,
  UnsupportedSnapshotVersionError,
} from "@raft/snapshots";
import { crc64 } from "@raft/snapshots/crc64";
import * as fc from "fast-check";
import {
  type ArchiveOrigin,
  decodeOrigin,
  encodeOrigin,
} from "../../src/archive/origin.ts";
import { holdsFor } from "./property.ts";

/** The latest time in a tar's header. */
const TIME_MAX = 8 ** 11 - 1;

const origins: fc.Arbitrary<ArchiveOrigin> = fc.record({
  meta: fc.uint8Array({ maxLength: 300 }),
  sums: fc.uint8Array({ maxLength: 300 }),
  sealedSums: fc.option(fc.uint8Array({ minLength: 1, maxLength: 300 }), {
    nil: undefined,
  }),
  modified: fc.option(fc.integer({ min: 0, max: TIME_MAX }), {
    nil: undefined,
  }),
}, { noNullPrototype: true });

/** Where the lengths of the three texts are. */
const LENGTHS = [12, 24, 28];

/** A length that ends before, at or far behind the end of the file. */
const length = fc.oneof(
  fc.nat({ max: 30 }),
  fc.nat({ max: 1000 }),
  fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  fc.constantFrom(2 ** 31, 2 ** 32 - 32, 2 ** 32 - 1),
);

/** A file with fields and lengths changed, and the CRC that goes with it. */
const forged: fc.Arbitrary<Uint8Array> = fc.tuple(
  origins,
  // More often than not, nothing but a length is wrong.
  fc.oneof(
    fc.constant([]),
    fc.array(fc.tuple(fc.nat({ max: 39 }), fc.nat({ max: 255 })), {
      maxLength: 3,
    }),
  ),
  fc.array(fc.tuple(fc.constantFrom(...LENGTHS), length), { maxLength: 3 }),
  fc.oneof(fc.constant(0), fc.nat({ max: 30 })),
).map(([origin, changes, lengths, cut]) => {
  const good = encodeOrigin(origin);
  const bytes = good.slice(0, Math.max(good.length - cut, 8));
  const view = new DataView(bytes.buffer);
  for (const [at, byte] of changes) if (at < bytes.length) bytes[at] = byte;
  for (const [at, value] of lengths) {
    if (at + 4 <= bytes.length) view.setUint32(at, value);
  }
  const end = bytes.length - 8;
  view.setBigUint64(end, crc64(bytes.subarray(0, end)));
  return bytes;
});

function isNamed(error: unknown): boolean {
  return error instanceof SnapshotCorruptError && error.reason === "archive" ||
    error instanceof UnsupportedSnapshotVersionError;
}

describe("the archive.origin decoder", () => {
  it("gives the encoded parts", () =>
    holdsFor(origins, 200, (origin) => {
      const decoded = decodeOrigin(encodeOrigin(origin), "archive.origin");
      assert.deepEqual(decoded, origin);
    }));

  it("refuses random bytes, or returns texts that are parts of them", () =>
    holdsFor(fc.oneof(fc.uint8Array(), forged), 1000, (bytes) => {
      try {
        const decoded = decodeOrigin(bytes, "archive.origin");
        const { meta, sums, sealedSums, modified } = decoded;
        // No memory is taken: each text is a view of the file.
        for (const text of [meta, sums, sealedSums ?? meta]) {
          assert.equal(text.buffer, bytes.buffer);
        }
        const lengths = [meta, sums, sealedSums ?? []].map((t) => t.length);
        const total = lengths.reduce((sum, length) => sum + length);
        assert.equal(total, bytes.length - 40);
        assert.ok(modified === undefined || modified <= TIME_MAX);
        // Accepted bytes are those that would be written, except for a time that
        // is too late.
        const again = encodeOrigin(decoded);
        for (const [start, end] of [[0, 16], [24, -8]] as const) {
          assert.deepEqual(
            again.subarray(start, end),
            bytes.subarray(start, end),
          );
        }
      } catch (error) {
        assert.ok(isNamed(error), `unnamed: ${error}`);
      }
    }));
});
