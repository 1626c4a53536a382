import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  InvalidSnapshotIdError,
  openFileSnapshotStore,
  SnapshotNotFoundError,
} from "@raft/snapshots";
import { FaultyFileSystem, MemoryFileSystem } from "@raft/snapshots/testing";
import * as fc from "fast-check";
import {
  compareNewestFirst,
  formatId,
  parseId,
} from "../../src/snapshot/id.ts";
import {
  parseTemporaryName,
  temporaryName,
} from "../../src/backends/file/names.ts";
import { holdsFor } from "./property.ts";

const number = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 65n }).map(String),
  fc.constantFrom("0", "00", "01", "-1", "+1", "1e3", " 1", "", "1.0", "١"),
);

/** Texts that are IDs or nearly so, and texts that try to get out. */
const text = fc.oneof(
  fc.tuple(number, number, number).map((parts) => parts.join("-")),
  fc.tuple(
    fc.constantFrom("..", ".", "", "/", "1-1-1"),
    fc.constantFrom("/", "\\", "\0", "%2f", "\n"),
    fc.constantFrom("..", "1-1-1", "etc", ""),
  ).map((parts) => parts.join("")),
  fc.string(),
  fc.string({ unit: "binary" }),
);

const id = fc.record({
  term: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  index: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  unixMs: fc.bigInt({ min: 0n, max: 8_640_000_000_000_000n }),
}, { noNullPrototype: true });

describe("an ID", () => {
  it("is read as it was written", () =>
    holdsFor(id, 100, (parts) => {
      assert.deepEqual(parseId(formatId(parts)), parts);
    }));

  it("is a plain name with one spelling", () =>
    holdsFor(text, 500, (text) => {
      const parts = parseId(text);
      if (parts === undefined) return;
      assert.match(text, /^\d+-\d+-\d+$/);
      assert.equal(formatId(parts), text);
    }));

  it("is ordered by its numbers", () =>
    holdsFor(fc.tuple(id, id), 200, ([a, b]) => {
      const order = Math.sign(compareNewestFirst(formatId(a), formatId(b)));
      const firstDifference = (["term", "index", "unixMs"] as const)
        .map((part) => a[part] === b[part] ? 0 : a[part] > b[part] ? -1 : 1)
        .find((sign) => sign !== 0);
      assert.equal(order, firstDifference ?? 0);
    }));

  it("is found in the name of a .tmp, and in no other name", () =>
    holdsFor(
      fc.tuple(text, fc.constantFrom("", ".deleted", ".x", ".tmp")),
      300,
      ([
        text,
        state,
      ]) => {
        const name = `${text}${state}.tmp`;
        const found = parseTemporaryName(name);
        if (found === undefined) return;
        assert.equal(temporaryName(found), name);
        assert.ok(parseId(found.id));
      },
    ));
});

describe("a store that is given any text for an ID", () => {
  it("rejects it with a named error, and reads nothing outside its directory", async () => {
    const files = new FaultyFileSystem(new MemoryFileSystem());
    const store = await openFileSnapshotStore("/base", { fileSystem: files });
    const start = files.trace.length;
    await holdsFor(text, 300, async (text) => {
      const error = parseId(text) === undefined
        ? InvalidSnapshotIdError
        : SnapshotNotFoundError;
      await assert.rejects(store.open(text), error);
      await assert.rejects(store.verify(text), error);
      await assert.rejects(store.delete(text), error);
      await assert.rejects(store.seal(text), error);
    });
    for (const { path } of files.trace.slice(start)) {
      assert.match(path, /^\/base\/snapshots\/\d+-\d+-\d+$/);
    }
    await store.close();
  });
});
