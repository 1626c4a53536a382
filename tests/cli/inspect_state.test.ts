/** The records in the states of Consul and Nomad. */

import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { Buffer } from "node:buffer";
import { gunzipSync } from "node:zlib";
import { encode } from "@msgpack/msgpack";
import { StateFormatError } from "../../src/cli/msgpack_scanner.ts";
import {
  type KeyOptions,
  type StateContents,
  StateSummary,
} from "../../src/cli/state_summary.ts";
import { archive } from "../archive/hand_made.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import { makeStore, raftSnapshots } from "./raft_snapshots.ts";

const fixture = (name: string) =>
  readFile(new URL(`../fixtures/consul/${name}`, import.meta.url));

const consulState = async () =>
  new Uint8Array(gunzipSync(await fixture("state.bin.gz")));

/** Consul's answers with some flags, and the options that ask for the same. */
const ASKED: Readonly<Record<string, KeyOptions | undefined>> = {
  "inspect.json": undefined,
  "inspect_kv.json": { depth: 2, filter: "" },
  "inspect_kv1.json": { depth: 1, filter: "" },
  "inspect_filter.json": { depth: 3, filter: "app/config" },
};

/** Takes the state in chunks of a size, each in the same memory. */
function contentsOf(
  state: Uint8Array,
  { keys, chunkSize = state.length }: {
    readonly keys?: KeyOptions | undefined;
    readonly chunkSize?: number;
  } = {},
): StateContents {
  const summary = new StateSummary(keys);
  const buffer = new Uint8Array(chunkSize);
  for (let at = 0; at < state.length; at += chunkSize) {
    const part = state.subarray(at, at + chunkSize);
    buffer.set(part);
    summary.update(buffer.subarray(0, part.length));
  }
  return summary.finish();
}

/** A state of records that a program without a fixture could write. */
function stateOf(header: unknown, ...records: [number, unknown][]): Uint8Array {
  const parts = records.flatMap(([type, value]) => [
    Uint8Array.of(type),
    encode(value),
  ]);
  return Buffer.concat([encode(header), ...parts]);
}

describe("the state of Consul", () => {
  for (const [name, keys] of Object.entries(ASKED)) {
    it(`has the counts that Consul gives in ${name}`, async () => {
      const state = await consulState();
      const { Stats, StatsKV } = JSON.parse((await fixture(name)).toString());
      const rows = (
        stats: readonly { Name: string; Count: number; Sum: number }[] | null,
      ) =>
        stats?.map(({ Name, Count, Sum }) => (
          { name: Name, count: Count, size: Sum }
        ));
      for (const chunkSize of [1, 7, 4096, state.length]) {
        const { program, types, keys: counted } = contentsOf(state, {
          keys,
          chunkSize,
        });
        assert.equal(program, "Consul");
        assert.deepEqual(types, rows(Stats));
        assert.deepEqual(counted, rows(StatsKV));
      }
    });
  }

  it("that is truncated names the record in which it ends", async () => {
    const state = await consulState();
    const whole = contentsOf(state).types.length;
    for (let cut = 1; cut <= 200; cut++) {
      const short = state.subarray(0, state.length - cut);
      let found: StateContents;
      try {
        found = contentsOf(short);
      } catch (error) {
        assert.ok(error instanceof StateFormatError);
        assert.match(error.message, /truncated.*at byte \d+ of the state/);
        assert.ok(error.offset < short.length && error.offset > 82_000);
        continue;
      }
      // Cut between two records, it is a whole state with fewer.
      assert.ok(found.types.length < whole, `${cut}`);
    }
  });

  it("that is damaged names the byte", () => {
    const good = stateOf({ LastIndex: 7 }, [2, { Key: "a", Value: "b" }]);
    const damaged = Uint8Array.of(...good, 2, 0xc1);
    assert.throws(() => contentsOf(damaged), {
      name: "StateFormatError",
      offset: good.length + 1,
    });
    const keyless = Uint8Array.of(...good, 2, 0x80);
    assert.throws(
      () => contentsOf(keyless, { keys: { depth: 1, filter: "" } }),
      {
        name: "StateFormatError",
        offset: good.length,
      },
    );
  });

  it("may have types that are not known", () => {
    const { types } = contentsOf(
      stateOf({ LastIndex: 7 }, [77, [1]], [77, null]),
    );
    assert.deepEqual(types.map(({ name, count }) => [name, count]), [
      ["Unknown(77)", 2],
    ]);
  });

  it("is not kept, however long a record is", () => {
    const chunk = new Uint8Array(1024 * 1024);
    const summary = new StateSummary({ depth: 1, filter: "" });
    const header = stateOf({ LastIndex: 7 });
    summary.update(header);
    summary.update(Uint8Array.of(2, 0xc6, 0x10, 0, 0, 0)); // 256 MiB
    for (let i = 0; i < 256; i++) summary.update(chunk);
    const { types, keys } = summary.finish();
    assert.equal(types[0]?.size, header.length + 6 + 256 * chunk.length);
    assert.deepEqual(keys?.map(({ name }) => name), ["(other keys)"]);
  });
});

describe("the state of Nomad", () => {
  it("is counted by its types", () => {
    const state = stateOf(
      {},
      [5, []],
      [0, { ID: "node" }],
      [0, { ID: "other" }],
      [64, { Name: "default" }],
      [32, {}],
    );
    const { program, types, keys } = contentsOf(state, {
      keys: { depth: 2, filter: "" },
    });
    assert.equal(program, "Nomad");
    assert.deepEqual(types.map(({ name, count }) => [name, count]), [
      ["Node", 2],
      ["Namespace", 1],
      ["TimeTable", 1],
      ["TaskGroupHostVolumeClaim", 1],
    ]);
    assert.equal(keys, undefined);
  });
});

describe("the state of another program", () => {
  const STATES: Readonly<Record<string, Uint8Array>> = {
    "of no bytes": new Uint8Array(),
    "of text": new TextEncoder().encode("the state of the machine, in words"),
    "of protobuf": Uint8Array.of(0x0a, 0x05, 1, 2, 3, 4, 5, 0x12, 0x00, 0xc1),
    "of zeros": new Uint8Array(100),
    "of msgpack with another header": stateOf({ FirstIndex: 7 }, [2, "x"]),
    "that begins like Nomad's": Uint8Array.of(0x80, 5, 0xc1, 0xc1),
    "that is Nomad's header alone": Uint8Array.of(0x80),
    "that never ends its header": Uint8Array.of(0xdb, 0xff, 0xff, 0xff, 0xff),
  };
  for (const [name, state] of Object.entries(STATES)) {
    it(`is not taken for one of Consul or Nomad: ${name}`, () => {
      for (const chunkSize of [1, 100]) {
        assert.deepEqual(contentsOf(state, { chunkSize }), {
          program: undefined,
          types: [],
          keys: undefined,
        });
      }
    });
  }
});

describe("raft-snapshots inspect", () => {
  it("shows the records of an archive, and of a snapshot's state.bin", async (t) => {
    const folder = await temporaryDirectory(t);
    const state = await consulState();
    const file = join(folder, "backup.snap");
    await writeFile(file, archive({ state }));
    const [id = ""] = await makeStore(folder, [new Uint8Array(state)]);
    const path = join(folder, "snapshots", id, "state.bin");
    for (const args of [[file], [path], [folder, "--types"]]) {
      const { code, stdout, stderr } = await raftSnapshots([
        "inspect",
        ...args,
      ]);
      assert.deepEqual([code, stderr], [0, ""]);
      assert.match(stdout, /^State: of Consul$/m);
      assert.match(stdout, /^KVS +46 +74\.1 KiB$/m);
      assert.match(stdout, /^total +81 +80\.6 KiB$/m);
      assert.doesNotMatch(stdout, /^KEY/m);
    }
    const keys = await raftSnapshots(
      ["inspect", file, "--filter", "app/", "--json"],
    );
    assert.deepEqual(JSON.parse(keys.stdout).state.keys, [
      { name: "app/config", count: 2, size: 1663 },
      { name: "app/db", count: 1, size: 88 },
    ]);
    const plain = await raftSnapshots(["inspect", folder]);
    assert.doesNotMatch(plain.stdout, /State:/);
  });

  it("says that a state is another program's, or where it is damaged", async (t) => {
    const file = join(await temporaryDirectory(t), "backup.snap");
    await writeFile(file, archive());
    const other = await raftSnapshots(["inspect", file]);
    assert.deepEqual([other.code, other.stderr], [0, ""]);
    assert.match(
      other.stdout,
      /State: of another program than Consul and Nomad/,
    );
    const state = (await consulState()).subarray(0, 5000);
    await writeFile(file, archive({ state }));
    const damaged = await raftSnapshots(["inspect", file]);
    assert.equal(damaged.code, 1);
    assert.match(damaged.stdout, /^Index +10$/m);
    assert.match(damaged.stderr, /truncated: .* \(at byte \d+ of the state\)/);
    const depth = await raftSnapshots(["inspect", file, "--depth", "0"]);
    assert.equal(depth.code, 2);
  });
});
