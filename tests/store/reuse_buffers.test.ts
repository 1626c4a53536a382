/**
 * open() with `reuseBuffers`: a chunk stays as it is until the next one is asked
 * for, and then its buffer is read into again.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  copySnapshot,
  MemorySnapshotStore,
  type OpenOptions,
  type SnapshotSource,
} from "@raft/snapshots";
import { exportArchive, importArchive } from "@raft/snapshots/archive";
import { crc64 } from "@raft/snapshots/crc64";
import { bytes } from "../support/random.ts";
import {
  Gate,
  INIT,
  letOthersWork,
  save,
  StoreFixture,
} from "../support/store_fixture.ts";

const BLOCK = 512;
/** Of two blocks each, and a shorter one at the end. */
const STATE = bytes(41 * BLOCK + 1, 1);

/** Each way to check a source, with its options. */
const MODES: Readonly<
  Record<string, OpenOptions & { readonly unsealed?: boolean }>
> = {
  "block by block": {},
  "as a whole": { verify: "stream", unsealed: true },
  "before": { verify: "before" },
  "in a part": { start: BLOCK + 7, end: 30 * BLOCK + 3 },
};

/** A source of the state, and the bytes that it must give. */
async function open(mode: keyof typeof MODES): Promise<{
  readonly source: SnapshotSource;
  readonly expected: Uint8Array;
  readonly fixture: StoreFixture;
}> {
  const { unsealed = false, ...options } = MODES[mode] ?? {};
  const fixture = new StoreFixture();
  const store = await fixture.open({ blockSize: BLOCK });
  const id = await save(store, STATE);
  if (unsealed) await fixture.unseal(id);
  const source = await store.open(id, { ...options, reuseBuffers: true });
  const expected = STATE.subarray(options.start, options.end);
  return { source, expected, fixture };
}

/** Each way to take one chunk at a time. */
const LOOPS: Readonly<
  Record<
    string,
    (
      source: SnapshotSource,
      take: (chunk: Uint8Array<ArrayBuffer>) => Promise<void>,
    ) => Promise<void>
  >
> = {
  "for await": async (source, take) => {
    for await (const chunk of source) await take(chunk);
  },
  "reader.read()": async (source, take) => {
    const reader = source.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      await take(value);
    }
  },
  "pipeTo()": (source, take) =>
    source.pipeTo(new WritableStream({ write: take })),
};

describe("a source that reuses its buffers", () => {
  for (const mode of Object.keys(MODES)) {
    for (const [name, run] of Object.entries(LOOPS)) {
      it(`checked ${mode}, leaves a chunk alone until ${name} asks for the next`, async () => {
        const { source, expected } = await open(mode);
        let done = 0;
        await run(source, async (chunk) => {
          const isRight = () =>
            assert.deepEqual(
              chunk,
              expected.slice(done, done + chunk.length),
            );
          isRight();
          // All that can be read ahead is read meanwhile.
          await letOthersWork(20);
          isRight();
          done += chunk.length;
        });
        assert.equal(done, expected.length);
      });
    }

    it(`checked ${mode}, overwrites chunks that a consumer has kept`, async () => {
      const { source, expected } = await open(mode);
      const kept: Uint8Array<ArrayBuffer>[] = [];
      for await (const chunk of source) kept.push(chunk);
      const state = new Uint8Array(await new Blob(kept).arrayBuffer());
      assert.equal(state.length, expected.length);
      assert.notDeepEqual(state, expected);
    });

    it(`checked ${mode}, uses no more than four buffers`, async () => {
      const { source } = await open(mode);
      const buffers = new Set<ArrayBuffer>();
      let count = 0;
      for await (const { buffer } of source) {
        buffers.add(buffer);
        count++;
      }
      assert.ok(count > 10, `${count} chunks`);
      assert.ok(buffers.size <= 4, `${buffers.size} buffers`);
    });
  }

  it("continues when the consumer has transferred a chunk", async () => {
    const { source } = await open("block by block");
    const taken: Uint8Array[] = [];
    for await (const chunk of source) {
      taken.push(structuredClone(chunk, { transfer: [chunk.buffer] }));
    }
    const state = await new Blob(taken as Uint8Array<ArrayBuffer>[])
      .arrayBuffer();
    assert.deepEqual(new Uint8Array(state), STATE);
  });

  it("gives chunks in buffers of their own without the option", async () => {
    const store = new MemorySnapshotStore({ blockSize: BLOCK });
    const { id } = await store.save(INIT, STATE);
    const buffers = new Set<ArrayBuffer>();
    let count = 0;
    for await (const { buffer } of await store.open(id)) {
      buffers.add(buffer);
      count++;
    }
    assert.equal(buffers.size, count);
    await store.close();
  });

  it("is handed out by restore() on request", async () => {
    const store = new MemorySnapshotStore({ blockSize: BLOCK });
    await store.save(INIT, STATE);
    const buffers = new Set<ArrayBuffer>();
    const read = async (source: SnapshotSource) => {
      for await (const { buffer } of source) buffers.add(buffer);
    };
    await store.restore(read, { reuseBuffers: true });
    assert.ok(buffers.size <= 4, `${buffers.size} buffers`);
    await assert.rejects(
      store.restore(read, { reuse: true } as unknown as OpenOptions),
      TypeError,
    );
    await store.close();
  });
});

describe("the consumers in the library that reuse buffers", () => {
  it("copy the state to a sink with a queue, on a disk that is slow", async () => {
    const from = new MemorySnapshotStore({ blockSize: BLOCK });
    const { id } = await from.save(INIT, STATE);
    const fixture = new StoreFixture();
    const gate = new Gate();
    fixture.files.inject(({ name, path }) =>
      name === "write" && path.endsWith("state.bin")
        ? { wait: gate.opened }
        : undefined
    );
    // So many bytes may wait in the sink's queue: four chunks.
    const to = await fixture.open({ blockSize: 8 * BLOCK });
    const copying = copySnapshot(from, id, to);
    await letOthersWork(50);
    gate.open();
    assert.equal((await copying).crc, crc64(STATE));
    await Promise.all([from.close(), to.close()]);
  });

  for (const level of [0, 6]) {
    it(`compress each chunk before they ask for the next, at level ${level}`, async () => {
      const store = new MemorySnapshotStore({ blockSize: BLOCK, retain: 2 });
      const { id } = await store.save(INIT, STATE);
      const archive = exportArchive(store, id, { level });
      const { crc } = await importArchive(store, archive);
      assert.equal(crc, crc64(STATE));
      await store.close();
    });
  }
});
