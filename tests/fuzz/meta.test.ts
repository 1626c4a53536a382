import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  decodePeers,
  type Server,
  SnapshotCorruptError,
} from "@raft/snapshots";
import * as fc from "fast-check";
import { decodeRecord } from "../../src/snapshot/meta/decode.ts";
import {
  encodeRecord,
  type MetaRecord,
} from "../../src/snapshot/meta/encode.ts";
import { encodePeers } from "../../src/snapshot/meta/peers.ts";
import { holdsFor } from "./property.ts";

const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const suffrage = fc.constantFrom("voter", "nonvoter", "staging");
const plain = { noNullPrototype: true } as const;
const server = fc.record({
  suffrage,
  id: fc.string({ unit: "binary" }),
  address: fc.string({ unit: "binary" }),
}, plain);

/** Anything that a store may have to write. */
const record: fc.Arbitrary<MetaRecord> = fc.record({
  version: fc.constantFrom(0, 1),
  id: fc.string({ unit: "binary" }),
  index: uint64,
  term: uint64,
  peers: fc.uint8Array(),
  configuration: fc.record({ servers: fc.array(server) }, plain),
  configurationIndex: uint64,
  size: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
  crc: fc.option(uint64),
}, plain);

/** Keys that mean something, and such that look it. */
const key = fc.oneof(
  fc.constantFrom("Version", "ID", "Index", "Size", "CRC", "Peers", "Servers"),
  fc.constantFrom("version", "__proto__", "constructor", "toString", "Size "),
  fc.string(),
);

/** JSON that has the shape of a meta.json, more or less. */
const likeMeta: fc.Arbitrary<string> = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.jsonValue({ maxDepth: 1 }),
    fc.constantFrom(0, 1, -1, 1e21, 0.5),
    fc.dictionary(key, tie("value"), { maxKeys: 6 }),
    fc.array(tie("value"), { maxLength: 3 }),
  ),
})).value.map((value) => JSON.stringify(value) ?? "");

/** The bytes of a good meta.json with some of them changed. */
const spoilt: fc.Arbitrary<Uint8Array> = fc.tuple(
  record,
  fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 4 }),
  fc.nat(),
).map(([record, changes, cut]) => {
  const bytes = encodeRecord(record);
  for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
  return cut % 3 === 0 ? bytes.slice(0, cut % bytes.length) : bytes;
});

/** Decodes, or refuses by the one error there is. */
function decode(bytes: Uint8Array): MetaRecord | undefined {
  try {
    return decodeRecord(bytes, "meta.json") as MetaRecord;
  } catch (error) {
    assert.ok(error instanceof SnapshotCorruptError, `unnamed: ${error}`);
    assert.equal(error.reason, "meta");
    assert.ok(error.message.length < 1000, "a message without end");
    return undefined;
  }
}

const encode = (text: string) => new TextEncoder().encode(text);

describe("the meta.json decoder", () => {
  it("gives the encoded record", () =>
    holdsFor(record, 200, (record) => {
      assert.deepEqual(decode(encodeRecord(record)), record);
    }));

  it("refuses random bytes, or returns a record that is encoded and decoded again", () =>
    holdsFor(
      fc.oneof(fc.uint8Array(), likeMeta.map(encode), spoilt),
      600,
      (bytes) => {
        const decoded = decode(bytes);
        if (decoded === undefined) return;
        assert.deepEqual(decode(encodeRecord(decoded)), decoded);
      },
    ));
});

describe("the peers decoder", () => {
  const configuration = fc.array(server.map((it) => it.address)).map(
    (addresses) => ({
      servers: addresses.map((address): Server => ({
        suffrage: "voter",
        id: address,
        address,
      })),
    }),
  );

  it("gives the voters that were encoded", () =>
    holdsFor(configuration, 100, (configuration) => {
      assert.deepEqual(decodePeers(encodePeers(configuration)), configuration);
    }));

  it("refuses random bytes, or returns servers", () =>
    holdsFor(fc.uint8Array({ maxLength: 40 }), 300, (bytes) => {
      try {
        const { servers } = decodePeers(bytes);
        assert.ok(servers.every(({ address }) => typeof address === "string"));
      } catch (error) {
        assert.ok(error instanceof SnapshotCorruptError, `unnamed: ${error}`);
      }
    }));
});
