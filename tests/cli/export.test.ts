import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { spawnSync } from "node:child_process";
import { readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { setImmediate } from "node:timers";
import { openFileSnapshotStore } from "@raft/snapshots";
import { exportArchive, readArchive } from "@raft/snapshots/archive";
import { archive, metaText } from "../archive/hand_made.ts";
import { save } from "../archive/stores.ts";
import { bytes } from "../support/random.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import {
  endBySignal,
  makeStore,
  raftSnapshots,
  startRaftSnapshots,
} from "./raft_snapshots.ts";

/** A store of one snapshot, and a folder for archives beside it. */
async function setUp(
  state: string | Uint8Array<ArrayBuffer> = "some state",
): Promise<{ store: string; id: string; folder: string }> {
  const store = await temporaryDirectory();
  const [id = ""] = await makeStore(store, [state]);
  return { store, id, folder: await temporaryDirectory() };
}

async function stateIn(archive: string): Promise<Uint8Array> {
  const file = new Blob([await readFile(archive) as BlobPart]);
  const source = await readArchive(file.stream());
  return new Uint8Array(await new Response(source).arrayBuffer());
}

describe("raft-snapshots export", () => {
  it("makes an archive that only its owner can read", async () => {
    const state = bytes(2_000_000, 3);
    const { store, id, folder } = await setUp(state);
    const file = join(folder, "backup.snap");
    const { code, stdout, stderr } = await raftSnapshots(
      ["export", store, id, file],
    );
    assert.deepEqual([code, stderr], [0, ""]);
    assert.equal(stdout, `exported ${id} to ${file} (1.9 MiB)\n`);
    assert.deepEqual(await stateIn(file), state);
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    assert.deepEqual(await readdir(folder), ["backup.snap"]);
  });

  it("writes nothing but the archive to stdout when the file is -", async () => {
    const { store, id, folder } = await setUp();
    const file = join(folder, "by the library");
    const opened = await openFileSnapshotStore(store, { readOnly: true });
    const exported = exportArchive(opened, id);
    await writeFile(
      file,
      Buffer.from(await new Response(exported).arrayBuffer()),
    );
    await opened.close();
    const child = startRaftSnapshots(["export", store, id, "-"]);
    const chunks: Uint8Array[] = [];
    assert.ok(child.stdout);
    for await (const chunk of child.stdout) chunks.push(chunk);
    assert.deepEqual(Buffer.concat(chunks), await readFile(file));
  });

  it("prints JSON, and stores at level 0", async () => {
    const { store, id, folder } = await setUp("0".repeat(100_000));
    const file = join(folder, "backup.snap");
    const { code, stdout } = await raftSnapshots(
      ["export", store, id, file, "--level", "0", "--json"],
    );
    assert.equal(code, 0);
    const told = JSON.parse(stdout);
    assert.deepEqual([told.id, told.size, told.file], [id, 100_000, file]);
    assert.equal(told.fileSize, (await stat(file)).size);
    assert.ok(told.fileSize > 100_000);
  });

  it("replaces a file, and the one that a link leads to", async () => {
    const { store, id, folder } = await setUp();
    const [file, link] = [join(folder, "backup.snap"), join(folder, "link")];
    await writeFile(file, "an older backup");
    await symlink(file, link);
    const { code } = await raftSnapshots(["export", store, id, link]);
    assert.equal(code, 0);
    assert.equal((await stateIn(file)).length, "some state".length);
    assert.deepEqual((await readdir(folder)).sort(), ["backup.snap", "link"]);
    assert.deepEqual(await stateIn(link), await stateIn(file));
  });

  it("keeps the old file when the snapshot is corrupt", async () => {
    const { store, id, folder } = await setUp("some state");
    const file = join(folder, "backup.snap");
    await writeFile(file, "an older backup");
    const path = join(store, "snapshots", id, "state.bin");
    await writeFile(path, "some stale");
    const { code, stdout, stderr } = await raftSnapshots(
      ["export", store, id, file],
    );
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(stderr, /^raft-snapshots: Cannot trust .*state\.bin.*\n$/);
    assert.equal(await readFile(file, "utf8"), "an older backup");
    assert.deepEqual(await readdir(folder), ["backup.snap"]);
  });

  it("makes no file when it fails", async () => {
    const { store, id, folder } = await setUp();
    const cases: readonly (readonly [number, RegExp, readonly string[]])[] = [
      [1, /Cannot find snapshot 1-2-3 /, [store, "1-2-3", join(folder, "f")]],
      [2, /Cannot use "nonsense" /, [store, "nonsense", join(folder, "f")]],
      [1, /Cannot write .*: is a directory\n/, [store, id, folder]],
      [1, /Cannot write .*: no such file or directory\n/, [
        store,
        id,
        join(folder, "no", "f"),
      ]],
      [1, /Cannot read .*: no such file or directory\n/, [
        join(folder, "no"),
        id,
        "f",
      ]],
      [2, /--level/, [store, id, join(folder, "f"), "--level", "10"]],
      [2, /--json/, [store, id, "-", "--json"]],
    ];
    await Promise.all(cases.map(async ([expected, message, args]) => {
      const { code, stdout, stderr } = await raftSnapshots(["export", ...args]);
      assert.deepEqual([code, stdout], [expected, ""], stderr);
      assert.match(stderr, message);
    }));
    assert.deepEqual(await readdir(folder), []);
  });

  const skip = process.platform === "win32";
  it("does not replace a pipe", { skip }, async () => {
    const { store, id, folder } = await setUp();
    const pipe = join(folder, "pipe");
    spawnSync("mkfifo", [pipe]);
    const { code, stderr } = await raftSnapshots(["export", store, id, pipe]);
    assert.equal(code, 1);
    assert.match(stderr, /not a regular file; give - for stdout\n$/);
    assert.ok((await stat(pipe)).isFIFO());
  });

  it("leaves nothing behind when it is interrupted", async () => {
    const { store, id, folder } = await setUp(bytes(48 * 1024 ** 2, 1));
    const child = startRaftSnapshots(
      ["export", store, id, join(folder, "backup.snap"), "--level", "9"],
    );
    while ((await readdir(folder)).length === 0) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    const { code } = await endBySignal(child, "SIGINT");
    assert.equal(code, 130);
    assert.deepEqual(await readdir(folder), []);
  });

  it("warns when Vault will not read the archive, also on the way to stdout", async () => {
    const { folder } = await setUp();
    const directory = await temporaryDirectory();
    const store = await openFileSnapshotStore(directory);
    const servers = [
      { suffrage: "voter", id: "a".repeat(9_000), address: "a:1" },
    ] as const;
    const { id } = await save(store, "state", {
      index: 1n,
      term: 1n,
      configuration: { servers },
      configurationIndex: 1n,
    });
    await store.close();
    for (const target of [join(folder, "backup.snap"), "-"]) {
      const { code, stderr } = await raftSnapshots(
        ["export", directory, id, target],
      );
      assert.equal(code, 0);
      assert.match(
        stderr,
        /Vault will refuse this archive: its meta\.json has \d+ bytes/,
      );
    }
  });

  it("warns that Vault needs -force when a snapshot of Vault has lost its seal, also on the way to stdout", async () => {
    const { store, folder } = await setUp();
    const file = join(folder, "vault.snap");
    await writeFile(file, archive({ meta: metaText({ ID: "bolt-snapshot" }) }));
    const imported = await raftSnapshots(["import", store, file]);
    assert.equal(imported.code, 0);
    const id = imported.stdout.trim();
    for (const target of [join(folder, "again.snap"), "-"]) {
      const { code, stderr } = await raftSnapshots(
        ["export", store, id, target],
      );
      assert.equal(code, 0);
      assert.match(stderr, /without SHA256SUMS\.sealed: .* restore -force/);
    }
  });

  it("does not warn when the seal of a snapshot of Vault was kept", async () => {
    const { store, folder } = await setUp();
    const { stdout } = await raftSnapshots([
      "import",
      store,
      fileURLToPath(
        new URL("../fixtures/archives/vault.snap", import.meta.url),
      ),
    ]);
    const { stderr } = await raftSnapshots(
      ["export", store, stdout.trim(), join(folder, "again.snap")],
    );
    assert.doesNotMatch(stderr, /-force/);
  });

  it("says in its help when Vault needs -force", async () => {
    const { stdout } = await raftSnapshots(["export", "--help"]);
    assert.match(
      stdout.replace(/\s+/g, " "),
      /SHA256SUMS\.sealed.* warns: .* restore -force/,
    );
  });
});
