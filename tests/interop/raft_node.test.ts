/**
 * Real Raft nodes, with a real log, a real state machine and Go's file store,
 * restore and send our snapshots.
 *
 * @module
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { it } from "node:test";
import type { Server, SnapshotMeta, SnapshotStore } from "@raft/snapshots";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import { type Ask, describeWithGo } from "./go_program.ts";
import { withStore } from "./states.ts";
import { fieldsOf, metaFromWire } from "./wire.ts";

const INDEX = 1_000n;
const TERM = 7n;

/** The state of the Go program's state machine: `key=value` lines, sorted. */
type State = ReadonlyMap<string, string>;

/** Enough for several messages on the wire. */
function makeState(): Map<string, string> {
  const keys = Array.from({ length: 20_000 }, (_, i) => `key ${i}`);
  return new Map(keys.map((key, i) => [key, `value ${i} <é> & 🛟`]));
}

/** In the order of the bytes, as Go sorts. */
function render(state: State): string {
  const lines = [...state].map(([key, value]) => `${key}=${value}\n`);
  const bytes = lines.map((line) => new TextEncoder().encode(line));
  return bytes.sort(compareBytes)
    .map((line) => new TextDecoder().decode(line)).join("");
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const at = a.findIndex((byte, i) => byte !== b[i]);
  return at === -1 ? a.length - b.length : (a[at] ?? 0) - (b[at] ?? -1);
}

async function writeState(
  base: string,
  servers: readonly Server[],
  state: State,
): Promise<SnapshotMeta> {
  return await withStore(base, async (store) => {
    const sink = await store.create({
      index: INDEX,
      term: TERM,
      configuration: { servers },
      configurationIndex: 1n,
    });
    await new Blob([render(state)]).stream().pipeTo(sink);
    return sink.meta;
  });
}

/** Our store's state from the directory of a node, which may be running. */
async function restoreState(
  base: string,
): Promise<{ meta: SnapshotMeta | undefined; text: string }> {
  let text = "";
  const restore = (store: SnapshotStore) =>
    store.restore(async (source) => {
      text = await new Response(source).text();
    });
  const restored = await withStore(base, restore, { readOnly: true });
  return { meta: restored?.meta, text };
}

/** The cluster's members, listening but not yet started. */
async function listen(ask: Ask, count: number): Promise<Server[]> {
  const addresses = await ask("node.listen", { count });
  return addresses.map((address, i) => ({
    suffrage: "voter",
    id: `node ${i}`,
    address,
  }));
}

/** Starts a member on a directory; `term` is the last term that it has seen. */
async function start(ask: Ask, server: Server, base: string, term = TERM) {
  const { id, address } = server;
  const options = { id, address, base, retain: 2, term: String(term) };
  return await ask("node.start", options);
}

/** A hundred commands, and the state that they make. */
function change(state: Map<string, string>): string[] {
  return Array.from({ length: 100 }, (_, i) => {
    const [key, value] = [`key ${i * 300}`, `changed ${i}`];
    state.set(key, value);
    return `${key}=${value}`;
  });
}

describeWithGo("a real Raft node", (ask) => {
  it("starts from our snapshot and continues, and we restore its next one", async (t) => {
    const base = await temporaryDirectory(t);
    const servers = await listen(ask, 1);
    const [server] = servers;
    assert.ok(server !== undefined);
    const { address } = server;
    const state = makeState();
    await writeState(base, servers, state);

    const started = await start(ask, server, base);
    assert.equal(started.lastIndex, String(INDEX));
    assert.equal(started.appliedIndex, String(INDEX));
    assert.equal(started.restores, 1);
    const restored = await ask("node.state", { address });
    assert.ok(restored.state === render(state));

    assert.equal(await ask("node.leader", { addresses: [address] }), address);
    const commands = change(state);
    const applied = await ask("node.apply", { address, commands });
    assert.ok(BigInt(applied) > INDEX);
    const taken = await ask("node.snapshot", { address });
    await ask("node.stop", { address });

    const { meta, text } = await restoreState(base);
    assert.deepEqual(
      meta && { ...fieldsOf(meta), crc: null },
      metaFromWire(taken),
    );
    assert.deepEqual(meta?.configuration, { servers });
    assert.equal(meta?.index, BigInt(applied));
    assert.ok(text === render(state));
  });

  it("sends our snapshot to a follower that has none", async (t) => {
    const base = await temporaryDirectory(t);
    const servers = await listen(ask, 3);
    const addresses = servers.map(({ address }) => address);
    const bases = servers.map(({ id }) => join(base, id));
    const state = makeState();
    const written = await Promise.all(
      bases.slice(0, 2).map((base) => writeState(base, servers, state)),
    );
    for (const [i, server] of servers.entries()) {
      // The third is new: it has no snapshot, no log, and has seen no term.
      await start(ask, server, bases[i] ?? "", i < 2 ? TERM : 0n);
    }
    const leader = await ask("node.leader", { addresses });
    assert.ok(addresses.slice(0, 2).includes(leader));

    const commands = change(state);
    const index = await ask("node.apply", { address: leader, commands });
    for (const address of addresses) {
      await ask("node.await", { address, index });
      const reached = await ask("node.state", { address });
      assert.equal(reached.restores, 1);
      assert.ok(reached.state === render(state), `the state of ${address}`);
    }

    // The follower stored the same state, under an ID of its own.
    const [, , follower = ""] = addresses;
    const [, , followerBase = ""] = bases;
    const stored = await restoreState(followerBase);
    const { id: _id, createdAt: _createdAt, ...fields } = stored.meta ?? {};
    const { id, createdAt, ...expected } = written[0] ?? {};
    assert.ok(id !== undefined && createdAt instanceof Date);
    assert.deepEqual(fields, expected);
    assert.ok(stored.text === render(makeState()));

    // And it continues from there.
    const taken = await ask("node.snapshot", { address: follower });
    for (const address of addresses) await ask("node.stop", { address });
    const { meta, text } = await restoreState(followerBase);
    assert.equal(meta?.id, metaFromWire(taken)?.id);
    assert.ok(text === render(state));
  });
});
