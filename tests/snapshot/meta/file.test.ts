/** The bytes of `meta.json`, as users write and read them. */

import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import {
  decodeMeta,
  encodeMeta,
  InvalidSnapshotIdError,
  MemorySnapshotStore,
  openFileSnapshotStore,
  SnapshotCorruptError,
  type SnapshotMetaFields,
  UnsupportedSnapshotVersionError,
} from "@raft/snapshots";
import { decode, encode, INIT } from "../../support/store_fixture.ts";

/** Files that Go wrote. */
const FIXTURES = fileURLToPath(
  new URL("../../fixtures/go/", import.meta.url),
);

const FIELDS: SnapshotMetaFields = {
  version: 1,
  id: "3-10-1795361690419",
  index: 10n,
  term: 3n,
  peers: Uint8Array.of(0x91, 0xa9, ...encode("over here")),
  configuration: INIT.configuration,
  configurationIndex: 2n,
  size: 13,
  crc: 0x1629fd877cce3d6cn,
};

const TEXT = decode(encodeMeta(FIELDS));

describe("encodeMeta() and decodeMeta()", () => {
  it("give Go's bytes back, of every snapshot of version 1 that Go wrote", async () => {
    let compared = 0;
    for (const name of await readdir(FIXTURES)) {
      if (name.includes(".")) continue;
      const base = join(FIXTURES, name);
      const store = await openFileSnapshotStore(base, { readOnly: true });
      for (const meta of await store.list()) {
        const path = join(base, "snapshots", meta.id, "meta.json");
        const bytes = new Uint8Array(await readFile(path));
        assert.deepEqual(decodeMeta(bytes), meta);
        // Go wrote fewer fields then.
        if (meta.version === 0) continue;
        const text = decode(bytes);
        // Go writes null for a nil list, and an escape for a string that is not
        // UTF-8: both are equal to this library's text.
        const ours = text.replaceAll("\\ufffd", "\ufffd")
          .replace('"Servers":null', '"Servers":[]');
        assert.equal(decode(encodeMeta(meta)), ours);
        compared++;
      }
      await store.close();
    }
    assert.ok(compared > 15, String(compared));
  });

  it("give the bytes back that a store of this library writes", async () => {
    const store = new MemorySnapshotStore();
    const saved = await store.save(INIT, encode("the state"));
    const { meta } = await store.header(saved.id);
    assert.deepEqual(encodeMeta(saved), meta);
    assert.deepEqual(decodeMeta(meta), saved);
  });
});

describe("encodeMeta()", () => {
  const refuses = (changes: object, expected: object) =>
    assert.throws(
      () => encodeMeta({ ...FIELDS, ...changes }),
      expected,
      JSON.stringify(Object.keys(changes)),
    );

  it("refuses values of another type", () => {
    assert.throws(() => encodeMeta(null as never), TypeError);
    for (
      const changes of [
        { index: "10" },
        { term: undefined },
        { crc: "1629fd877cce3d6c" },
        { size: 13n },
        { peers: [0xc0] },
        { configuration: {} },
        { configuration: { servers: [{ suffrage: "leader" }] } },
      ]
    ) refuses(changes, TypeError);
    for (const id of [undefined, "", "../3-10-1", "3-10", 7]) {
      refuses({ id }, InvalidSnapshotIdError);
    }
  });

  it("refuses numbers that a meta.json can't hold", () => {
    for (
      const changes of [
        { version: 2 },
        { index: 2n ** 64n, id: `3-${2n ** 64n - 1n}-1` },
        { configurationIndex: -1n },
        { crc: 2n ** 64n },
        { size: -1 },
        { size: 0.5 },
        { term: 4n },
      ]
    ) refuses(changes, RangeError);
  });

  it("refuses metadata that no store would read", () => {
    const address = "a".repeat(1024 * 1024);
    const servers = [{ suffrage: "voter", id: "a", address }];
    refuses({ configuration: { servers } }, {
      name: "RangeError",
      message: /has \d+ bytes, expected at most 1048576$/,
    });
  });
});

describe("decodeMeta()", () => {
  it("rejects bytes that are not the meta.json of a published snapshot", () => {
    for (
      const text of [
        "",
        "{}",
        "null",
        TEXT.slice(0, 100),
        TEXT.replace("3-10-1795361690419", "../../etc"),
        TEXT.replace("3-10-1795361690419", "3-11-1795361690419"),
        TEXT.replace(/"CRC":"[^"]*"/, '"CRC":null'),
        TEXT.replace('"Size":13', '"Size":-13'),
        " ".repeat(1024 * 1024) + TEXT,
      ]
    ) {
      assert.throws(
        () => decodeMeta(encode(text)),
        (error) =>
          error instanceof SnapshotCorruptError && error.reason === "meta",
        text.slice(-100),
      );
    }
  });

  it("refuses a version that is not known", () => {
    const bytes = encode(TEXT.replace('"Version":1', '"Version":2'));
    assert.throws(() => decodeMeta(bytes), UnsupportedSnapshotVersionError);
  });

  it("refuses values that are not bytes", () => {
    for (const value of [TEXT, null, undefined, 7, [123]]) {
      assert.throws(() => decodeMeta(value as never), TypeError);
    }
  });
});
