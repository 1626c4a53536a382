/**
 * Bytes of another realm: that of an iframe, a `node:vm` context, or a test
 * environment such as vitest's jsdom, which replaces the globals.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createContext, runInContext } from "node:vm";
import {
  decodeMeta,
  encodeMeta,
  MemorySnapshotStore,
  type StateInput,
} from "@raft/snapshots";
import { exportArchive, importArchive } from "@raft/snapshots/archive";
import { Crc64, crc64 } from "@raft/snapshots/crc64";
import { ChangedBackend } from "./store/changed_backend.ts";
import { INIT, load, streamOfChunks } from "./support/store_fixture.ts";

const CRC = 0x995dc9bbdf1939fan;
const realm = createContext({});
const run = (code: string) => runInContext(code, realm);
const BYTES = "Uint8Array.from('123456789', (digit) => digit.charCodeAt(0))";

/** The bytes of another realm, in each form that bytes can have. */
const FORMS: Readonly<Record<string, string>> = {
  "a Uint8Array": BYTES,
  "a part of a larger Uint8Array":
    `new Uint8Array([0, ...${BYTES}, 0]).subarray(1, 10)`,
  "an ArrayBuffer": `${BYTES}.buffer`,
  "a DataView": `new DataView(${BYTES}.buffer)`,
  "an Int8Array": `new Int8Array(${BYTES}.buffer)`,
};

/** Values that say that they are bytes, and are not. */
const PRETENDERS: Readonly<Record<string, unknown>> = {
  "an object of the prototype": Object.create(Uint8Array.prototype),
  "an object with the name of a Uint8Array": {
    [Symbol.toStringTag]: "Uint8Array",
    length: 9,
    byteLength: 9,
    buffer: new ArrayBuffer(9),
  },
  "an object with the name of an ArrayBuffer": {
    [Symbol.toStringTag]: "ArrayBuffer",
    byteLength: 9,
  },
  "an object of the other realm": run("({ length: 9, byteLength: 9 })"),
};

describe("the other realm of these tests", () => {
  it("has classes of its own", () => {
    assert.ok(!(run(BYTES) instanceof Uint8Array));
    assert.ok(!(run(`${BYTES}.buffer`) instanceof ArrayBuffer));
  });
});

describe("bytes of another realm", () => {
  for (const [name, code] of Object.entries(FORMS)) {
    it(`are written by save(), a sink and an iterable: ${name}`, async () => {
      const store = new MemorySnapshotStore({ retain: 9 });
      const states: StateInput[] = [
        run(code),
        [run(code)],
        streamOfChunks(run(code)),
      ];
      for (const state of states) {
        const { id, crc } = await store.save(INIT, state);
        assert.equal(crc, CRC);
        assert.equal(await load(store, id), "123456789");
      }
      const sink = await store.create(INIT);
      await streamOfChunks(run(code)).pipeTo(sink);
      assert.equal(sink.meta.crc, CRC);
    });
  }

  it("have the CRC-64 that their values have", () => {
    assert.equal(crc64(run(BYTES)), CRC);
    assert.equal(new Crc64().update(run(BYTES)).digest(), CRC);
    const large = new Uint8Array(10_000).fill(7);
    assert.equal(crc64(run("new Uint8Array(10_000).fill(7)")), crc64(large));
  });

  it("are read as metadata and as an archive", async () => {
    const store = new MemorySnapshotStore();
    const meta = await store.save(INIT, run(BYTES));
    const copy = (bytes: Uint8Array): Uint8Array =>
      run(`(values) => Uint8Array.from(values)`)([...bytes]);
    const encoded = copy(encodeMeta({ ...meta, peers: copy(meta.peers) }));
    assert.equal(decodeMeta(encoded).crc, CRC);
    const chunks: Uint8Array[] = [];
    for await (const chunk of exportArchive(store, meta.id)) {
      chunks.push(copy(chunk));
    }
    const to = new MemorySnapshotStore();
    const imported = await importArchive(to, streamOfChunks(...chunks));
    assert.equal(imported.crc, CRC);
  });

  it("are accepted from a backend", async () => {
    const backend = new ChangedBackend();
    const store = await backend.open();
    const { id } = await store.save(INIT, run(BYTES));
    backend.change("readMeta", async (asUsual) => {
      const bytes = await asUsual() as Uint8Array;
      return run(`(values) => Uint8Array.from(values)`)([...bytes]);
    });
    assert.equal((await store.stat(id)).crc, CRC);
    await store.close();
  });

  it("are refused where their buffer has been transferred", async () => {
    const bytes = run(BYTES);
    structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
    const store = new MemorySnapshotStore();
    await assert.rejects(store.save(INIT, [bytes]), {
      name: "TypeError",
      message: /transferred/,
    });
  });
});

describe("a value that only looks like bytes", () => {
  for (const [name, value] of Object.entries(PRETENDERS)) {
    it(`is refused: ${name}`, async () => {
      const store = new MemorySnapshotStore();
      const expected = { name: "TypeError", message: /^Cannot / };
      await assert.rejects(store.save(INIT, [value] as never), expected);
      assert.throws(() => crc64(value as never), expected);
      assert.throws(() => decodeMeta(value as never), expected);
      const piped = streamOfChunks(value).pipeTo(await store.create(INIT));
      await assert.rejects(piped, expected);
      assert.deepEqual(await store.list(), []);
    });
  }
});

describe("an environment that has replaced the globals", () => {
  const names = ["ArrayBuffer", "Uint8Array", "DataView"] as const;
  const globals = globalThis as Record<string, unknown>;

  it("writes and reads snapshots", async () => {
    const ours = Object.fromEntries(names.map((name) => [name, globals[name]]));
    const bytes = new TextEncoder().encode("123456789");
    for (const name of names) globals[name] = run(name);
    let found: unknown[] = [];
    try {
      const store = new MemorySnapshotStore();
      const sink = await store.create(INIT);
      const writer = sink.getWriter();
      await writer.write(bytes);
      await writer.close();
      const reader = (await store.open(sink.id)).getReader();
      const { value } = await reader.read();
      await reader.cancel();
      const saved = await store.save(INIT, bytes.buffer as ArrayBuffer);
      found = [sink.meta.crc, value?.length, saved.crc, crc64(bytes)];
    } finally {
      Object.assign(globals, ours);
    }
    assert.deepEqual(found, [CRC, 9, CRC, CRC]);
  });
});
