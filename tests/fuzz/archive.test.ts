import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { describe, it } from "node:test";
import { MemorySnapshotStore, SnapshotError } from "@raft/snapshots";
import {
  exportArchive,
  importArchive,
  readArchive,
  SnapshotArchiveError,
} from "@raft/snapshots/archive";
import * as fc from "fast-check";
import { GNU_MAGIC, members, pack, STATE, tar } from "../archive/hand_made.ts";
import { byteStream, readOut, save } from "../archive/stores.ts";
import { holdsFor } from "./property.ts";

const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const server = fc.record({
  suffrage: fc.constantFrom("voter", "nonvoter", "staging"),
  id: fc.string({ unit: "binary" }),
  address: fc.string({ unit: "binary" }),
});

/** A snapshot, how to pack it, and in pieces of which length to read it. */
const exports = fc.record({
  init: fc.record({
    index: uint64,
    term: uint64,
    configuration: fc.record({ servers: fc.array(server) }),
    configurationIndex: uint64,
  }),
  state: fc.uint8Array({ maxLength: 5_000 }),
  level: fc.nat({ max: 9 }),
  pieceLength: fc.integer({ min: 1, max: 3_000 }),
});

/** Bytes put in place of some others. */
interface Splice {
  readonly at: number;
  readonly removed: number;
  readonly added: Uint8Array;
}

const splices: fc.Arbitrary<readonly Splice[]> = fc.array(
  fc.record({
    at: fc.nat({ max: 4_700 }),
    removed: fc.oneof(fc.nat({ max: 20 }), fc.constantFrom(512, 1024)),
    added: fc.oneof(
      fc.uint8Array({ maxLength: 20 }),
      fc.constantFrom(new Uint8Array(512), Buffer.from("0".repeat(11))),
    ),
  }),
  { minLength: 1, maxLength: 3 },
);

/** The same members in both formats. */
const GOOD = ["ustar\x0000", GNU_MAGIC].map((magic) => {
  const { meta, state, sums } = members();
  return tar(...[meta, state, sums].map((member) => ({ ...member, magic })));
});

function spliced(good: Uint8Array, changes: readonly Splice[]): Uint8Array {
  return changes.reduce(
    (bytes: Uint8Array, { at, removed, added }) =>
      Buffer.concat([
        bytes.subarray(0, at),
        added,
        bytes.subarray(at + removed),
      ]),
    good,
  );
}

/** The fields that differ between stores. */
const OWN = { id: "", createdAt: new Date(0), takenAt: new Date(0) };

describe("archives", () => {
  it("return every snapshot that they are made of", () =>
    holdsFor(exports, 40, async ({ init, state, level, pieceLength }) => {
      const store = new MemorySnapshotStore();
      const meta = await save(store, state, init);
      const file = await readOut(exportArchive(store, meta.id, { level }));
      const to = new MemorySnapshotStore();
      const imported = await importArchive(to, byteStream(file, pieceLength));
      assert.deepEqual({ ...imported, ...OWN }, { ...meta, ...OWN });
      const source = await to.open(imported.id);
      assert.equal(Buffer.compare(await readOut(source), state), 0);
    }));

  it("are refused however their tar is changed, unless the meaning is the same", () =>
    holdsFor(
      fc.tuple(fc.constantFrom(...GOOD), splices),
      150,
      async (given) => {
        try {
          const source = await readArchive(byteStream(pack(spliced(...given))));
          const state = await readOut(source);
          assert.equal(Buffer.from(state).toString(), STATE);
          assert.equal(source.meta.index, 10n);
        } catch (error) {
          assert.ok(error instanceof SnapshotError, `unnamed: ${error}`);
        }
      },
    ));

  it("are refused when they are random bytes, compressed or not", () =>
    holdsFor(fc.uint8Array({ maxLength: 3_000 }), 60, async (bytes) => {
      for (const file of [bytes, pack(bytes)]) {
        await assert.rejects(
          async () => await readOut(await readArchive(byteStream(file))),
          SnapshotArchiveError,
        );
      }
    }));
});
