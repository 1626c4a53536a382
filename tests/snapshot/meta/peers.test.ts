/**
 * The deprecated Peers field, in the old spec of msgpack.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  decodePeers,
  type Server,
  SnapshotCorruptError,
} from "@raft/snapshots";
import { encodePeers } from "../../../src/snapshot/meta/peers.ts";
import { encode } from "../../support/store_fixture.ts";

function voters(...addresses: string[]): Server[] {
  return addresses.map((address) => ({ suffrage: "voter", id: "x", address }));
}

function head(servers: readonly Server[], length: number): number[] {
  return [...encodePeers({ servers }).subarray(0, length)];
}

describe("encodePeers()", () => {
  it("writes only the addresses of the voters", () => {
    const servers: Server[] = [
      { suffrage: "nonvoter", id: "b", address: "not me" },
      ...voters("over here"),
      { suffrage: "staging", id: "c", address: "nor me" },
    ];
    assert.deepEqual(
      encodePeers({ servers }),
      Uint8Array.of(0x91, 0xa9, ...encode("over here")),
    );
  });

  it("writes nil when no server is a voter", () => {
    assert.deepEqual(encodePeers({ servers: [] }), Uint8Array.of(0xc0));
    const server: Server = { suffrage: "nonvoter", id: "a", address: "b" };
    assert.deepEqual(encodePeers({ servers: [server] }), Uint8Array.of(0xc0));
  });

  it("writes lengths as in raw strings, without str8 and bin", () => {
    const table: readonly (readonly [number, readonly number[]])[] = [
      [0, [0x91, 0xa0]],
      [31, [0x91, 0xbf]],
      [32, [0x91, 0xda, 0x00, 0x20]],
      [255, [0x91, 0xda, 0x00, 0xff]],
      [65_535, [0x91, 0xda, 0xff, 0xff]],
      [65_536, [0x91, 0xdb, 0x00, 0x01, 0x00, 0x00]],
    ];
    for (const [length, expected] of table) {
      const address = "a".repeat(length);
      assert.deepEqual(head(voters(address), expected.length), expected);
      assert.equal(
        encodePeers({ servers: voters(address) }).length,
        expected.length + length,
      );
    }
  });

  it("writes the number of addresses", () => {
    const many = (count: number) => voters(...Array(count).fill("a"));
    assert.deepEqual(head(many(15), 1), [0x9f]);
    assert.deepEqual(head(many(16), 3), [0xdc, 0x00, 0x10]);
    assert.deepEqual(head(many(65_536), 5), [0xdd, 0x00, 0x01, 0x00, 0x00]);
  });

  it("counts bytes, not characters", () => {
    assert.deepEqual(
      encodePeers({ servers: voters("é") }),
      Uint8Array.of(0x91, 0xa2, 0xc3, 0xa9),
    );
  });
});

describe("decodePeers()", () => {
  it("takes every address for a voter of that name", () => {
    const peers = encodePeers({ servers: voters("a:1", "b:2") });
    assert.deepEqual(decodePeers(peers).servers, [
      { suffrage: "voter", id: "a:1", address: "a:1" },
      { suffrage: "voter", id: "b:2", address: "b:2" },
    ]);
    assert.deepEqual(decodePeers(Uint8Array.of(0xc0)).servers, []);
  });

  it("reads back every length", () => {
    for (const length of [0, 1, 31, 32, 255, 256, 65_535, 65_536]) {
      const address = "a".repeat(length);
      const peers = encodePeers({ servers: voters(address, "b") });
      assert.deepEqual(
        decodePeers(peers).servers.map((server) => server.address),
        [address, "b"],
      );
    }
  });

  it("refuses bytes that are truncated, have a wrong length, or are not text", () => {
    const good = encodePeers({ servers: voters("a".repeat(300), "b") });
    for (let length = 0; length < good.length; length += 7) {
      assert.throws(
        () => decodePeers(good.subarray(0, length)),
        SnapshotCorruptError,
      );
    }
    const bad = [
      [0x91, 0xa2, 0xff, 0xfe],
      [0xdd, 0xff, 0xff, 0xff, 0xff],
      [0x91, 0xdb, 0xff, 0xff, 0xff, 0xff],
      [0x91, 0x01],
      [0x91, 0x91, 0xa1, 0x61],
      [0x81, 0xa1, 0x61, 0xa1, 0x61],
      [0x01],
    ];
    for (const bytes of bad) {
      assert.throws(
        () => decodePeers(Uint8Array.from(bytes)),
        (error) => {
          assert.ok(error instanceof SnapshotCorruptError);
          assert.equal(error.reason, "meta");
          return true;
        },
      );
    }
  });
});
