import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setImmediate } from "node:timers";
import { Buffer } from "node:buffer";
import { constants, gunzipSync } from "node:zlib";
import {
  MemorySnapshotStore,
  SnapshotCorruptError,
  type SnapshotMeta,
  SnapshotNotFoundError,
  type SnapshotSource,
} from "@raft/snapshots";
import { exportArchive } from "@raft/snapshots/archive";
import { bytes } from "../support/random.ts";
import { sha256, tar } from "./hand_made.ts";
import { INIT, readOut, storeOf, VastStore } from "./stores.ts";

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

describe("exportArchive()", () => {
  it("writes meta.json, state.bin and SHA256SUMS as Go does", async () => {
    const { store, meta } = await storeOf("some state");
    const file = await readOut(
      exportArchive(store, meta.id, { modifiedMs: 1_700_000_000_000 }),
    );
    const line =
      `{"Version":1,"ID":"${meta.id}","Index":10,"Term":3,"Peers":"kalvdmVyIGhlcmU=",` +
      `"Configuration":{"Servers":[{"Suffrage":0,"ID":"my id","Address":"over here"}]},` +
      `"ConfigurationIndex":2,"Size":10}\n`;
    const sums = `${sha256(line)}  meta.json\n` +
      `${sha256("some state")}  state.bin\n`;
    const expected = tar(
      { name: "meta.json", content: line },
      { name: "state.bin", content: "some state" },
      { name: "SHA256SUMS", content: sums },
    );
    assert.deepEqual(gunzipSync(file), expected);
  });

  it("writes Go's gzip header", async () => {
    const { store, meta } = await storeOf("");
    const file = await readOut(exportArchive(store, meta.id));
    const header = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    assert.deepEqual([...file.subarray(0, 10)], header);
  });

  it("pads the state to whole blocks, however long it is", async () => {
    for (const length of [0, 1, 511, 512, 513, 1024]) {
      const { store, meta } = await storeOf(bytes(length, length));
      const packed = gunzipSync(await readOut(exportArchive(store, meta.id)));
      const blocks = 1 + 1 + 1 + Math.ceil(length / 512) + 1 + 1 + 2;
      assert.equal(packed.length, blocks * 512);
    }
  });

  it("compresses at the given level, and stores at level 0", async () => {
    const { store, meta } = await storeOf(new Uint8Array(100_000));
    const sizes: number[] = [];
    for (const level of [0, 1, 9]) {
      const file = await readOut(exportArchive(store, meta.id, { level }));
      sizes.push(file.length);
    }
    const [stored = 0, fast = 0, best = 0] = sizes;
    assert.ok(stored > 100_000 && stored < 105_000, `${sizes}`);
    assert.ok(fast < 2_000 && best < fast, `${sizes}`);
  });

  it("always makes the same archive of the same snapshot", async () => {
    const { store, meta } = await storeOf("some state");
    const [one, two] = [
      await readOut(exportArchive(store, meta.id)),
      await readOut(exportArchive(store, meta.id)),
    ];
    assert.deepEqual(one, two);
  });

  it("takes the members' time from the snapshot's ID, in whole seconds", async () => {
    for (const [unixMs, seconds] of [[1_499, 1], [1_500, 2]] as const) {
      const header = await headerOfState({ id: `3-10-${unixMs}` });
      assert.equal(parseInt(header.toString("latin1", 136, 147), 8), seconds);
    }
  });

  it("writes 1970 when the ID has no time", async () => {
    for (const id of ["inmem", "3-10-8640000000000000"]) {
      const header = await headerOfState({ id });
      assert.equal(header.toString("latin1", 136, 148), "00000000000\0");
    }
  });

  it("writes a size below 8 GiB in octal digits", async () => {
    const header = await headerOfState({ size: 8 * GIB - 1 });
    assert.equal(header.toString("latin1", 0, 10), "state.bin\0");
    assert.equal(header.toString("latin1", 124, 136), "77777777777\0");
  });

  it("writes a size of 8 GiB and more in an extended header", async () => {
    const header = await headerOfState({ size: 8 * GIB });
    assert.equal(header.toString("latin1", 0, 23), "PaxHeaders.0/state.bin\0");
    assert.equal(header.toString("latin1", 156, 157), "x");
    assert.equal(header.toString("latin1", 512, 532), "19 size=8589934592\n\0");
    assert.equal(header.toString("latin1", 1024, 1034), "state.bin\0");
    assert.equal(header.toString("latin1", 1148, 1160), "00000000000\0");
    assert.equal(header.toString("latin1", 1180, 1181), "0");
  });

  it("writes the metadata of a snapshot of version 0 as Go does", async () => {
    const { meta } = new VastStore({ version: 0, configurationIndex: 0n });
    const packed = await head(new VastStore(meta));
    const [line = ""] = packed.toString("utf8", 512).split("\n");
    assert.equal(
      line,
      `{"Version":0,"ID":"${meta.id}","Index":10,"Term":3,"Peers":"wA==",` +
        `"Configuration":{"Servers":null},"ConfigurationIndex":0,"Size":0}`,
    );
  });

  it("reports its progress", async () => {
    const { store, meta } = await storeOf(bytes(1000, 1));
    const seen: unknown[] = [];
    await readOut(
      exportArchive(store, meta.id, { onProgress: (p) => seen.push(p) }),
    );
    assert.deepEqual(seen, [{ done: 1000, total: 1000 }]);
  });

  it("opens nothing before it is read", async () => {
    const store = new VastStore({ size: 10 });
    const stream = exportArchive(store, store.meta.id);
    await letOthersRun();
    assert.equal(store.use.opened, 0);
    await stream.cancel();
    assert.equal(store.use.opened, 0);
  });

  it("reads no further ahead than a few chunks", async () => {
    const store = new VastStore({ size: 8 * GIB });
    const stream = exportArchive(store, store.meta.id, { level: 0 });
    const reader = stream.getReader();
    let taken = 0;
    while (taken < 4 * MIB) taken += (await reader.read()).value?.length ?? 0;
    await letOthersRun();
    assert.ok(store.use.read < 8 * MIB, `${store.use.read} bytes`);
    await reader.cancel();
  });

  it("closes the snapshot when it is cancelled", async () => {
    const store = new VastStore({ size: 8 * GIB });
    const stream = exportArchive(store, store.meta.id, { level: 0 });
    const reader = stream.getReader();
    while (store.use.read === 0) await reader.read();
    await reader.cancel("enough");
    assert.ok(store.use.released);
  });

  it("ends when it is cancelled while it waits for the state", async () => {
    const store = new VastStore({ size: 1 });
    store.open = (_id, options = {}) => {
      const stream = new ReadableStream({
        pull: () =>
          new Promise((_, reject) => {
            const { signal } = options;
            signal?.addEventListener("abort", () => reject(signal.reason));
          }),
      });
      store.use.opened++;
      const source = Object.assign(stream, { meta: store.meta });
      return Promise.resolve(source as SnapshotSource);
    };
    const reader = exportArchive(store, store.meta.id).getReader();
    await reader.read();
    const reading = reader.read();
    while (store.use.opened === 0) await letOthersRun();
    await reader.cancel();
    assert.equal((await reading).done, true);
  });

  it("gives chunks that it never uses again", async () => {
    const { store, meta } = await storeOf(bytes(1_000_000, 7));
    const expected = await readOut(exportArchive(store, meta.id, { level: 1 }));
    const copies: Uint8Array[] = [];
    for await (const chunk of exportArchive(store, meta.id, { level: 1 })) {
      copies.push(new Uint8Array(chunk));
      assert.equal(chunk.byteLength, chunk.buffer.byteLength);
      structuredClone(chunk.buffer, { transfer: [chunk.buffer] });
    }
    assert.equal(Buffer.compare(Buffer.concat(copies), expected), 0);
  });

  it("errors and closes the snapshot when its signal aborts", async () => {
    const store = new VastStore({ size: 8 * GIB });
    const controller = new AbortController();
    const options = { level: 0, signal: controller.signal };
    const reader = exportArchive(store, store.meta.id, options).getReader();
    while (store.use.read === 0) await reader.read();
    controller.abort(new Error("enough"));
    await assert.rejects(reader.read(), { message: "enough" });
    while (!store.use.released) await letOthersRun();
  });

  it("errors at once when the signal has aborted before", async () => {
    const { store, meta } = await storeOf("some state");
    const signal = AbortSignal.abort(new Error("enough"));
    const stream = exportArchive(store, meta.id, { signal });
    await assert.rejects(readOut(stream), { message: "enough" });
  });

  it("errors when there is no such snapshot", async () => {
    const stream = exportArchive(new MemorySnapshotStore(), "3-10-5");
    await assert.rejects(readOut(stream), SnapshotNotFoundError);
  });

  it("errors when the state is not as long as it should be", async () => {
    for (const length of [9, 11]) {
      const store = new VastStore({ size: 10 }, length);
      await assert.rejects(
        readOut(exportArchive(store, store.meta.id)),
        (error) =>
          error instanceof SnapshotCorruptError && error.reason === "size" &&
          error.actual === length && error.expected === 10,
      );
    }
  });

  it("warns when its meta.json is too long for Vault, and only then", async () => {
    const refused = [
      /^Vault will refuse this archive: its meta\.json has 9\d+ /,
    ];
    for (const [length, expected] of [[9_000, refused], [7_000, []]] as const) {
      const servers = [
        { suffrage: "voter", id: "a".repeat(length), address: "a:1" },
      ] as const;
      const configuration = { servers };
      const { store, meta } = await storeOf("", { ...INIT, configuration });
      const warnings: string[] = [];
      const onWarning = (text: string) => void warnings.push(text);
      await readOut(exportArchive(store, meta.id, { onWarning }));
      assert.equal(warnings.length, expected.length);
      expected.forEach((each, i) => assert.match(warnings[i] ?? "", each));
    }
  });

  it("rejects a level and a time that are out of bounds", () => {
    const store = new MemorySnapshotStore();
    for (const level of [-1, 10, 1.5, NaN]) {
      assert.throws(
        () => exportArchive(store, "3-10-5", { level }),
        RangeError,
      );
    }
    for (const modifiedMs of [-1, 0.5, 8 ** 11 * 1000]) {
      assert.throws(
        () => exportArchive(store, "3-10-5", { modifiedMs }),
        RangeError,
      );
    }
  });
});

/** Lets everything else in this process run. */
function letOthersRun(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** The tar's beginning, of which the export makes at least that much. */
async function head(store: VastStore): Promise<Buffer> {
  const stream = exportArchive(store, store.meta.id, { level: 0 });
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of stream) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > 4096) break;
  }
  const finishFlush = constants.Z_SYNC_FLUSH; // it may be cut off
  return gunzipSync(Buffer.concat(chunks), { finishFlush });
}

/** The bytes between the members meta.json and state.bin, and those after it. */
async function headerOfState(changes: Partial<SnapshotMeta>): Promise<Buffer> {
  return (await head(new VastStore(changes))).subarray(1024);
}
