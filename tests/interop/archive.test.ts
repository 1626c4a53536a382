/**
 * HashiCorp's own `raft-snapshot` and this library read each other's archives,
 * and write the same ones.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { it } from "node:test";
import { gunzipSync } from "node:zlib";
import type { SnapshotMeta } from "@raft/snapshots";
import { exportArchive, importArchive } from "@raft/snapshots/archive";
import { ByteReader } from "../../src/archive/byte_reader.ts";
import { readEntry } from "../../src/archive/tar_reader.ts";
import { encodeHeader } from "../../src/archive/tar_writer.ts";
import { bytes } from "../support/random.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import { type Ask, describeWithGo } from "./go_program.ts";
import { type Case, MATRIX } from "./matrix.ts";
import {
  caseForGo,
  readOut,
  RETAIN_ALL,
  sha256,
  wellFormed,
  withStore,
  writeCase,
} from "./states.ts";
import { fieldsOf, fromBase64, metaFromWire, toBase64 } from "./wire.ts";

const CASES = MATRIX.map(wellFormed);

/** The compressed bytes are not compared, so the fastest level is enough. */
const FAST = { level: 1 };

/** raft-snapshot refuses a longer meta.json, even one that it wrote itself. */
const GO_META_BYTES = 8_192;

/** The file as a web stream. */
async function open(path: string): Promise<ReadableStream<Uint8Array>> {
  return new Blob([await readFile(path) as BlobPart]).stream();
}

async function save(
  path: string,
  archive: ReadableStream<Uint8Array>,
): Promise<void> {
  await writeFile(
    path,
    new Uint8Array(await new Response(archive).arrayBuffer()),
  );
}

/** How long the meta.json is, which is the first member. */
function metaLength(packed: Uint8Array): number {
  return parseInt(new TextDecoder().decode(packed.subarray(124, 135)), 8);
}

/** When the members were modified. */
function modifiedMs(packed: Uint8Array): number {
  const digits = new TextDecoder().decode(packed.subarray(136, 147));
  return parseInt(digits, 8) * 1000;
}

/** The fields that an archive keeps: all but the ID. */
function content(
  { index, term, configuration, configurationIndex, size, crc, peers }:
    SnapshotMeta,
) {
  return { index, term, configuration, configurationIndex, size, crc, peers };
}

/** Go reads the archive's content, within its limit. */
async function checkWithGo(
  ask: Ask,
  path: string,
  meta: SnapshotMeta,
  one: Case,
): Promise<void> {
  if (metaLength(gunzipSync(await readFile(path))) >= GO_META_BYTES) {
    const limit = /read max specified bytes \(8192\)/;
    await assert.rejects(ask("archive.read", { path }), limit);
    return;
  }
  const read = await ask("archive.read", { path });
  const found = { ...metaFromWire(read.meta), crc: meta.crc };
  assert.deepEqual(found, fieldsOf(meta));
  assert.equal(read.length, one.content.length);
  assert.equal(
    read.sha256,
    sha256(bytes(one.content.length, one.content.seed)),
  );
}

describeWithGo("an archive", (ask) => {
  for (const one of CASES) {
    it(`is the same when we write it as when Go does, and both read it: ${one.name}`, async (t) => {
      const base = await temporaryDirectory(t);
      const [theirs, ours] = [join(base, "go.snap"), join(base, "ts.snap")];
      const { id } = await ask("store.create", {
        ...caseForGo(one),
        base,
        retain: 1,
      });
      await ask("archive.write", {
        ...{ base, id, path: theirs, retain: 1, level: 1, sealed: false },
      });
      const expected = gunzipSync(await readFile(theirs));
      const meta = await withStore(base, async (store) => {
        const options = { ...FAST, modifiedMs: modifiedMs(expected) };
        await save(ours, exportArchive(store, id, options));
        const [meta] = await store.list();
        assert.ok(meta !== undefined);
        return meta;
      }, { readOnly: true });
      assert.equal(
        Buffer.compare(gunzipSync(await readFile(ours)), expected),
        0,
      );
      await checkWithGo(ask, ours, meta, one);
      await checkWithGo(ask, theirs, meta, one);

      for (const path of [ours, theirs]) {
        await withStore(await temporaryDirectory(t), async (store) => {
          const imported = await importArchive(store, await open(path));
          assert.deepEqual(content(imported), content(meta));
          const state = await readOut(await store.open(imported.id));
          assert.equal(
            sha256(state),
            sha256(bytes(one.content.length, one.content.seed)),
          );
        });
      }
    });
  }

  it("goes from our directory to Go's tools and back to our directory", async (t) => {
    const base = await temporaryDirectory(t);
    const [one] = CASES;
    assert.ok(one !== undefined);
    await withStore(base, async (store) => {
      const written = await writeCase(store, one);
      const path = join(base, "ts.snap");
      await save(path, exportArchive(store, written.id));
      await checkWithGo(ask, path, written, one);
      const packed = join(base, "go.snap");
      await ask("archive.write", {
        ...{ base, id: written.id, path: packed, retain: RETAIN_ALL },
        ...{ level: 9, sealed: false },
      });
      const imported = await importArchive(store, await open(packed));
      assert.deepEqual(content(imported), content(written));
    });
  });

  it("keeps its origin beside a snapshot that Go lists, opens and reaps", async (t) => {
    const base = await temporaryDirectory(t);
    const [one] = CASES;
    assert.ok(one !== undefined);
    const { id: first } = await ask("store.create", {
      ...caseForGo(one),
      base,
      retain: 1,
    });
    const path = join(base, "vault.snap");
    await ask("archive.write", {
      ...{ base, id: first, path, retain: 1, level: 1, sealed: true },
    });
    const { id } = await withStore(
      base,
      async (store) => await importArchive(store, await open(path)),
    );
    const directory = join(base, "snapshots", id);
    assert.ok((await readdir(directory)).includes("archive.origin"));

    const go = { base, retain: RETAIN_ALL };
    const listed = await ask("store.list", go);
    assert.deepEqual(listed.map((wire) => metaFromWire(wire)?.id), [id, first]);
    const opened = await ask("store.open", { ...go, id });
    assert.equal(opened.length, one.content.length);
    const { length, seed } = one.content;
    assert.equal(opened.sha256, sha256(bytes(length, seed)));
    const newer = { ...caseForGo(one), index: "99999", base, retain: 1 };
    const { id: last } = await ask("store.create", newer);
    await ask("store.reap", { base, retain: 1 });
    assert.deepEqual(await readdir(join(base, "snapshots")), [last]);
  });

  for (const level of [0, 1, 6, 9]) {
    it(`of Go's level ${level}, sealed as Vault does, is read`, async (t) => {
      const base = await temporaryDirectory(t);
      const one = CASES[6];
      assert.ok(one !== undefined);
      const { id } = await ask("store.create", {
        ...caseForGo(one),
        base,
        retain: 1,
      });
      const path = join(base, "vault.snap");
      await ask("archive.write", {
        ...{ base, id, path, retain: 1, level, sealed: true },
      });
      const unchecked: string[] = [];
      await withStore(await temporaryDirectory(t), async (store) => {
        const { size } = await importArchive(store, await open(path), {
          onUnchecked: (member) => unchecked.push(member),
        });
        assert.equal(size, one.content.length);
      });
      assert.deepEqual(unchecked, ["SHA256SUMS.sealed"]);
    });
  }
});

describeWithGo("a tar header", (ask) => {
  it("is Go's for every size and time, also from 8 GiB on", async () => {
    const sizes = [0, 1, 511, 512, 513, 2 ** 31, 2 ** 32]
      .concat([8 ** 11 - 1, 8 ** 11, 8 ** 11 + 1, 1e10, 99_999_999_999])
      .concat([2 ** 40, Number.MAX_SAFE_INTEGER]);
    const times = [0, 1, 1_700_000_000, 2 ** 31, 2 ** 32, 8 ** 11 - 1];
    for (const name of ["meta.json", "state.bin", "SHA256SUMS"]) {
      const theirs = await ask("archive.headers", {
        name,
        sizes: sizes.map(String),
        modified: times.map(String),
      });
      const ours = sizes.flatMap((size) =>
        times.map((modified) =>
          toBase64(encodeHeader({ name, size, modified }))
        )
      );
      assert.deepEqual(ours, theirs);
      for (const [i, header] of theirs.entries()) {
        const entry = await readEntry(readerOf(fromBase64(header)));
        const size = sizes[Math.floor(i / times.length)];
        assert.deepEqual({ ...entry, type: "0" }, { ...entry, name, size });
      }
    }
  });
});

describeWithGo("a real Raft node's archive", (ask) => {
  it("is imported, and ours is restored by another node", async (t) => {
    const base = await temporaryDirectory(t);
    const [from, to] = [
      await startNode(ask, join(base, "from")),
      await startNode(ask, join(base, "to")),
    ];
    const commands = Array.from({ length: 500 }, (_, i) => `key ${i}=<${i}>`);
    await ask("node.apply", { address: from, commands });
    const { state } = await ask("node.state", { address: from });
    assert.equal(state.split("\n").length, 501);

    const theirs = join(base, "go.snap");
    await ask("archive.snapshot", { address: from, path: theirs });
    const ours = join(base, "ts.snap");
    await withStore(join(base, "backups"), async (store) => {
      const { id } = await importArchive(store, await open(theirs));
      assert.equal(await new Response(await store.open(id)).text(), state);
      await save(ours, exportArchive(store, id));
    });

    await ask("node.apply", { address: to, commands: ["to be=gone"] });
    await ask("archive.restore", { address: to, path: ours });
    const restored = await ask("node.state", { address: to });
    assert.ok(restored.state === state);
    for (const address of [from, to]) await ask("node.stop", { address });
  });
});

function readerOf(data: Uint8Array): ByteReader {
  const chunks = [data];
  return new ByteReader(() => Promise.resolve(chunks.shift()));
}

/** A node that leads itself: it starts from a snapshot that says so. */
async function startNode(ask: Ask, base: string): Promise<string> {
  const [address = ""] = await ask("node.listen", { count: 1 });
  await withStore(base, async (store) => {
    const sink = await store.create({
      index: 5n,
      term: 2n,
      configuration: { servers: [{ suffrage: "voter", id: "n", address }] },
      configurationIndex: 1n,
    });
    await sink.close();
  });
  await ask("node.start", { id: "n", address, base, retain: 2, term: "2" });
  return await ask("node.leader", { addresses: [address] });
}
