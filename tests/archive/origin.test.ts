import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { gunzipSync } from "node:zlib";
import {
  DiscardSnapshotStore,
  MemorySnapshotStore,
  openFileSnapshotStore,
  SnapshotError,
  type SnapshotStore,
} from "@raft/snapshots";
import { exportArchive, importArchive } from "@raft/snapshots/archive";
import { crc64 } from "@raft/snapshots/crc64";
import { FaultyFileSystem, MemoryFileSystem } from "@raft/snapshots/testing";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import {
  archive,
  archiveOf,
  members,
  metaText,
  pack,
  STATE,
  tar,
} from "./hand_made.ts";
import { byteStream, readOut, save } from "./stores.ts";

/** An archive that Go wrote, sealed as Vault seals. */
const VAULT = new URL("../fixtures/archives/vault.snap", import.meta.url);

/** Imports the archive; resolves to its ID and to the warnings. */
async function imported(
  store: SnapshotStore,
  file: Uint8Array,
): Promise<{ id: string; warnings: string[] }> {
  const warnings: string[] = [];
  const onWarning = (message: string) => void warnings.push(message);
  const { id } = await importArchive(store, byteStream(file), { onWarning });
  return { id, warnings };
}

async function exported(
  store: SnapshotStore,
  id: string,
): Promise<{ file: Uint8Array; warnings: string[] }> {
  const warnings: string[] = [];
  const onWarning = (message: string) => void warnings.push(message);
  const file = await readOut(exportArchive(store, id, { onWarning }));
  return { file, warnings };
}

async function withStore(
  use: (store: SnapshotStore, directory: string) => Promise<void>,
): Promise<void> {
  const directory = await temporaryDirectory();
  const store = await openFileSnapshotStore(directory);
  try {
    await use(store, directory);
  } finally {
    await store.close();
  }
}

const path = (directory: string, id: string) =>
  join(directory, "snapshots", id, "archive.origin");

/** Makes a 32-bit number in the file greater. */
const addTo = (at: number, difference: number) => (bytes: Buffer) =>
  void bytes.writeUInt32BE(bytes.readUInt32BE(at) + difference, at);

/** The tar's members as one text, which a failed comparison can show. */
const text = (packed: Uint8Array) => gunzipSync(packed).toString("latin1");

describe("the origin of an imported snapshot", () => {
  it("makes Vault's tar again, byte for byte, with its seal and its time", () =>
    withStore(async (store) => {
      const file = await readFile(VAULT);
      const { id, warnings } = await imported(store, file);
      const again = await exported(store, id);
      assert.deepEqual([warnings, again.warnings], [[], []]);
      assert.equal(text(again.file), text(file));
      assert.match(text(again.file), /SHA256SUMS\.sealed/);
    }));

  it("is copied from store to store, also through memory", () =>
    withStore(async (store) => {
      let file: Uint8Array = await readFile(VAULT);
      const first = text(file);
      for (const to of [store, new MemorySnapshotStore(), store]) {
        const { id } = await imported(to, file);
        file = (await exported(to, id)).file;
      }
      assert.equal(text(file), first);
    }));

  it("keeps sums in the order in which Go wrote them", () =>
    withStore(async (store) => {
      const [meta = "", state = ""] = String(members().sums.content)
        .split(/(?<=\n)/);
      const file = archive({ sums: state + meta });
      const { id } = await imported(store, file);
      assert.equal(text((await exported(store, id)).file), text(file));
    }));

  it("survives the closing of the store, and has the permission bits of the state", () =>
    withStore(async (store, directory) => {
      const file = await readFile(VAULT);
      const { id } = await imported(store, file);
      await store.close();
      const modes = await Promise.all(["archive.origin", "state.bin"].map(
        async (name) =>
          (await stat(join(directory, "snapshots", id, name))).mode,
      ));
      assert.equal(modes[0], modes[1]);
      const reopened = await openFileSnapshotStore(directory, {
        readOnly: true,
      });
      const again = await exported(reopened, id);
      await reopened.close();
      assert.equal(text(again.file), text(file));
    }));

  it("does not exist for a snapshot that was not imported", () =>
    withStore(async (store, directory) => {
      const { id } = await save(store, "some state");
      assert.deepEqual(
        (await readdir(join(directory, "snapshots", id))).sort(),
        ["blocks.crc64", "meta.json", "state.bin"],
      );
      assert.deepEqual((await exported(store, id)).warnings, []);
    }));

  it("yields to the time that the caller asks for", () =>
    withStore(async (store) => {
      const { id } = await imported(store, await readFile(VAULT));
      const file = await readOut(
        exportArchive(store, id, { modifiedMs: 1_000_000 }),
      );
      assert.equal(
        text(file).slice(136, 147),
        (1000).toString(8).padStart(11, "0"),
      );
    }));

  it("has a documented layout", () =>
    withStore(async (store, directory) => {
      const { id } = await imported(store, archive());
      const bytes = await readFile(path(directory, id));
      const { meta, sums } = members();
      const header = Buffer.alloc(32);
      header.write("RAFTORIG");
      header.writeUInt32BE(1, 8);
      header.writeUInt32BE(String(meta.content).length, 12);
      header.writeBigUInt64BE(1_700_000_000n, 16);
      header.writeUInt32BE(String(sums.content).length, 24);
      const expected = header.toString("latin1") + meta.content + sums.content;
      assert.equal(bytes.subarray(0, -8).toString("latin1"), expected);
    }));

  it("is reported by verify() when it is damaged, and the state is good", () =>
    withStore(async (store, directory) => {
      const { id } = await imported(store, await readFile(VAULT));
      const good = await readFile(path(directory, id));
      assert.ok((await store.verify(id)).ok);
      for (const at of [0, 9, 40, good.length - 1]) {
        const bad = Buffer.from(good);
        bad[at] = (bad[at] ?? 0) ^ 1;
        await writeFile(path(directory, id), bad);
        const { ok, badOffsets, errors } = await store.verify(id);
        assert.deepEqual(
          [ok, badOffsets, errors.map(({ reason }) => reason)],
          [false, [], ["archive"]],
        );
        assert.match(errors[0]?.message ?? "", /archive\.origin/);
        const { file, warnings } = await exported(store, id);
        assert.match(warnings.join(), /archive\.origin.*-force/);
        assert.doesNotMatch(text(file), /sealed/);
        await readOut(await store.open(id));
      }
      await writeFile(path(directory, id), good.subarray(0, 5));
      assert.equal((await store.verify(id)).ok, false);
      assert.equal((await exported(store, id)).warnings.length, 1);
    }));

  for (
    const [what, forge] of [
      ["begins with another word", (bytes) => void bytes.write("RAFTOTHR")],
      ["is of a newer version", (bytes) => void bytes.writeUInt32BE(2, 8)],
      ["claims a longer meta.json", addTo(12, 1)],
      ["claims a shorter meta.json", addTo(12, -1)],
      ["claims longer sums", addTo(24, 1)],
      ["claims shorter sealed sums", addTo(28, -1)],
      [
        "has a byte too many",
        (bytes) => Buffer.concat([bytes, Buffer.alloc(1)]),
      ],
      ["has a byte too few", (bytes) => bytes.subarray(0, -1)],
      ["ends in its header", (bytes) => bytes.subarray(0, 31)],
      [
        "is longer than it may be",
        (bytes) => {
          const more = 2 * 1024 * 1024;
          addTo(28, more)(bytes);
          return Buffer.concat([bytes, Buffer.alloc(more)]);
        },
      ],
    ] as readonly (readonly [string, (bytes: Buffer) => Buffer | void])[]
  ) {
    it(`is not used when it ${what}, though its CRC is right`, () =>
      withStore(async (store, directory) => {
        const { id } = await imported(store, await readFile(VAULT));
        const good = await readFile(path(directory, id));
        const content = Buffer.from(good.subarray(0, -8));
        const forged = forge(content) ?? content;
        const crc = Buffer.alloc(8);
        crc.writeBigUInt64BE(crc64(forged));
        await writeFile(path(directory, id), Buffer.concat([forged, crc]));
        const { file, warnings } = await exported(store, id);
        assert.match(warnings.join(), /archive\.origin.*-force/);
        assert.doesNotMatch(text(file), /sealed/);
      }));
  }

  for (const code of ["EIO", "EACCES", "EMFILE"]) {
    it(`fails the export when the system can't read it: ${code}`, async () => {
      const fileSystem = new FaultyFileSystem(new MemoryFileSystem());
      const store = await openFileSnapshotStore("/raft", { fileSystem });
      const { id } = await imported(store, await readFile(VAULT));
      fileSystem.inject(({ name, path }) =>
        name === "open" && path.endsWith("archive.origin")
          ? { code }
          : undefined
      );
      await assert.rejects(
        exported(store, id),
        (error) => error instanceof SnapshotError && error.systemCode === code,
      );
      fileSystem.inject();
      assert.match(text((await exported(store, id)).file), /sealed/);
      await store.close();
    });
  }

  it("is not used for another snapshot", () =>
    withStore(async (store, directory) => {
      const one = await imported(store, archive());
      const other = archive({ meta: metaText({ Index: 11 }) });
      const two = await imported(store, other);
      const foreign = await readFile(path(directory, two.id));
      await writeFile(path(directory, one.id), foreign);
      const { file, warnings } = await exported(store, one.id);
      assert.match(warnings.join(), /another snapshot/);
      assert.match(text(file), new RegExp(`"ID":"${one.id}"`));
    }));

  it("fails the export when its sums are of another state", () =>
    withStore(async (store, directory) => {
      const one = await imported(store, archive());
      const state = STATE.toUpperCase();
      const two = await imported(store, archive({ state }));
      const foreign = await readFile(path(directory, two.id));
      await writeFile(path(directory, one.id), foreign);
      await assert.rejects(exported(store, one.id), {
        name: "SnapshotCorruptError",
        reason: "archive",
      });
    }));

  it("causes a warning when it is Vault's and has no seal", () =>
    withStore(async (store) => {
      const file = archive({ meta: metaText({ ID: "bolt-snapshot" }) });
      const { id, warnings } = await imported(store, file);
      assert.match(warnings.join(), /Vault.*-force/);
      assert.match((await exported(store, id)).warnings.join(), /-force/);
    }));

  it("causes a warning when the store can't keep the seal", async () => {
    const { warnings } = await imported(
      new DiscardSnapshotStore(),
      await readFile(VAULT),
    );
    assert.match(warnings.join(), /can't keep SHA256SUMS\.sealed/);
  });

  it("can hold members of the greatest length", () =>
    withStore(async (store) => {
      const meta = metaText().padEnd(1024 * 1024, " ");
      const { state, sums } = members({ meta });
      const sealed = { name: "SHA256SUMS.sealed", content: "x".repeat(8192) };
      const file = archiveOf(
        { name: "meta.json", content: meta },
        state,
        sums,
        sealed,
      );
      const { id, warnings } = await imported(store, file);
      const again = await exported(store, id);
      assert.deepEqual(warnings, []);
      assert.equal(again.warnings.length, 1);
      assert.match(again.warnings[0] ?? "", /its meta\.json has 1048576 bytes/);
      assert.equal(text(again.file), text(file));
    }));

  it("has the time of the archive's ID where the tar's can't be read", () =>
    withStore(async (store) => {
      const { meta, state, sums } = members();
      const packed = tar(meta, state, sums);
      packed.fill(0, 136, 147);
      packed.write(" ".repeat(8), 148);
      const sum = packed.subarray(0, 512).reduce((all, byte) => all + byte, 0);
      packed.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
      const { id } = await imported(store, pack(packed));
      const time = (1_700_000_000).toString(8);
      const { file } = await exported(store, id);
      assert.equal(text(file).slice(136, 147), time.padStart(11, "0"));
    }));
});
