/**
 * Compares the msgpack of `Peers` with raft's own `encodePeers` and
 * `decodePeers`.
 *
 * @module
 */

import assert from "node:assert/strict";
import { it } from "node:test";
import type { Server } from "@raft/snapshots";
import { SnapshotCorruptError } from "../../src/errors.ts";
import { decodePeers, encodePeers } from "../../src/snapshot/meta/peers.ts";
import { freshSeed, type Random, random } from "../support/random.ts";
import { describeWithGo } from "./go_program.ts";
import { hostileText, SUFFRAGES } from "./matrix.ts";
import { serversFromWire, serverToWire, toBase64 } from "./wire.ts";

function voter(address: string): Server {
  return { suffrage: "voter", id: "", address };
}

/** Numbers and lengths on both sides of where the tag changes. */
const BOUNDARIES: readonly (readonly Server[])[] = [
  ...[0, 1, 15, 16, 65_535, 65_536].map((count) =>
    Array.from({ length: count }, () => voter(""))
  ),
  ...[0, 1, 31, 32, 255, 256, 65_535, 65_536].map((length) => [
    voter("a".repeat(length)),
  ]),
];

function randomServers(random: Random): Server[] {
  return Array.from({ length: random.integer(20) }, () => ({
    suffrage: random.chance(0.7) ? "voter" : random.pick(SUFFRAGES),
    id: "",
    address: hostileText(random),
  }));
}

function uint(value: number, width: number): number[] {
  return Array.from(
    { length: width },
    (_, i) => Math.floor(value / 256 ** (width - 1 - i)) & 0xff,
  );
}

/** The head of an array or a string, in one of the forms that it may have. */
function head(random: Random, forms: readonly number[], length: number) {
  const tag = random.pick(forms);
  // The length that it claims, or now and then another one.
  const claimed = random.chance(0.95) ? length : random.pick([0, 1, 99, 2e9]);
  if (tag < 0xc0) return [tag | (claimed & 0xf)];
  if ([0xd9, 0xc4].includes(tag)) return [tag, ...uint(claimed, 1)];
  if ([0xda, 0xc5, 0xdc, 0xde].includes(tag)) {
    return [tag, ...uint(claimed, 2)];
  }
  return [tag, ...uint(claimed, 4)];
}

const STRING_FORMS = [0xa0, 0xd9, 0xda, 0xdb, 0xc4, 0xc5, 0xc6];
const ARRAY_FORMS = [0x90, 0x90, 0x90, 0xdc, 0xdd];
/** Heads of maps, and of values that are not containers. */
const OTHER_FORMS = [0x80, 0xde, 0xdf, 0xa0, 0xda, 0xc4];

function randomElement(random: Random): number[] {
  if (random.chance(0.08)) {
    // nil, booleans, integers, floats, nested arrays and maps, extensions
    return random.pick([
      [0xc0],
      [0xc1],
      [0xc2],
      [0xc3],
      [0x00],
      [0x7f],
      [0xff],
      [0xcc, 0x80],
      [0xcd, 1, 0],
      [0xcb, 0, 0, 0, 0, 0, 0, 0, 0],
      [0x90],
      [0x92, 0x61, 0x62],
      [0x91, 0xa1, 0x61],
      [0x80],
      [0xd4, 1, 2],
      [0xc7, 1, 5, 0],
    ]);
  }
  const length = random.pick([0, 1, 2, 5, 15]);
  const text = new TextEncoder().encode(hostileText(random)).slice(0, length);
  return [...head(random, STRING_FORMS, text.length), ...text];
}

function randomPeers(random: Random): Uint8Array {
  const count = random.integer(5);
  const elements = Array.from({ length: count }, () => randomElement(random));
  const forms = random.chance(0.95) ? ARRAY_FORMS : OTHER_FORMS;
  const bytes = [...head(random, forms, count), ...elements.flat()];
  if (random.chance(0.1)) bytes.push(random.integer(256));
  if (random.chance(0.1)) bytes.length = random.integer(bytes.length);
  if (random.chance(0.1)) {
    bytes[random.integer(bytes.length)] = random.integer(256);
  }
  return Uint8Array.from(bytes, (byte) => byte ?? 0);
}

function ours(peers: Uint8Array): readonly Server[] | undefined {
  try {
    return decodePeers(peers).servers;
  } catch (error) {
    if (error instanceof SnapshotCorruptError) return undefined;
    throw error;
  }
}

describeWithGo("the msgpack of Peers", (ask) => {
  it("is written as raft writes it, and read as raft reads it", async () => {
    const seed = freshSeed();
    console.log(`seed ${seed}`);
    const randomness = random(seed);
    const configurations = [
      ...BOUNDARIES,
      ...Array.from({ length: 300 }, () => randomServers(randomness)),
    ];
    const encoded = await ask("peers.encode", {
      configurations: configurations.map((one) => one.map(serverToWire)),
    });
    const decoded = await ask("peers.decode", { peers: encoded });
    configurations.forEach((servers, i) => {
      const peers = encodePeers({ servers });
      assert.equal(toBase64(peers), encoded[i]);
      const read = serversFromWire(decoded[i]?.servers ?? null);
      assert.deepEqual(decodePeers(peers).servers, read);
    });
  });

  it("is read as raft reads it or refused when it is random", async () => {
    const seed = freshSeed();
    console.log(`seed ${seed}`);
    const randomness = random(seed);
    const all = Array.from({ length: 5_000 }, () => randomPeers(randomness));
    const answers = await ask("peers.decode", { peers: all.map(toBase64) });
    let [alike, bothRefuse, weRefuse] = [0, 0, 0];
    all.forEach((peers, i) => {
      const go = answers[i];
      assert.ok(go !== undefined);
      const our = ours(peers);
      const shown = `of ${toBase64(peers)}: Go: ${JSON.stringify(go)}`;
      if (our !== undefined) {
        assert.equal(go.error, undefined, shown);
        assert.deepEqual(our, serversFromWire(go.servers), shown);
        alike++;
      } else if (go.error !== undefined) bothRefuse++;
      else weRefuse++;
    });
    console.log(
      `${all.length} peers: ${alike} both read, alike; ` +
        `${bothRefuse} both refuse; ${weRefuse} Go reads, we refuse`,
    );
    assert.ok(alike > all.length / 3 && bothRefuse > all.length / 20);
  });
});
