import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { open, readdir } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import {
  type FileHandle,
  type FileSystem,
  openFileSnapshotStore,
  SnapshotPublishError,
} from "@raft/snapshots";
import { nodeFileSystem } from "../../src/fs/node/file_system.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";

const MIB = 1024 * 1024;

const init = {
  term: 1n,
  configuration: { servers: [] },
  configurationIndex: 1n,
} as const;

function zeros(length: number): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new Blob([new Uint8Array(length)]).stream();
}

/** Why no small disk can be made, or `false` when one can. */
function whyNoSmallDisk(): string | false {
  if (process.platform !== "linux") return "needs Linux";
  if (process.getuid?.() !== 0) return "needs root, to mount a small disk";
  const { status } = spawnSync("unshare", ["--mount", "true"]);
  return status === 0 ? false : "needs leave to mount a small disk";
}

/** Uses a disk of 8 MiB. */
async function withSmallDisk(
  path: string,
  use: () => Promise<void>,
): Promise<void> {
  const flags = ["-t", "tmpfs", "-o", "size=8m", "tmpfs", path];
  assert.equal(spawnSync("mount", flags).status, 0);
  try {
    await use();
  } finally {
    assert.equal(spawnSync("umount", ["--lazy", path]).status, 0);
  }
}

/** Fills the disk up, and makes room again. */
async function fillUp(directory: string): Promise<void> {
  const store = await openFileSnapshotStore(directory, { retain: 3 });
  const old = await store.create({ index: 1n, ...init });
  await zeros(2 * MIB).pipeTo(old);
  const sink = await store.create({ index: 2n, ...init });
  const failure = await zeros(16 * MIB).pipeTo(sink).catch((error) => error);
  assert.ok(failure instanceof SnapshotPublishError);
  assert.deepEqual([failure.systemCode, failure.published], ["ENOSPC", false]);
  await assert.rejects(sink.close(), { systemCode: "ENOSPC" });
  const names = await readdir(join(directory, "snapshots"));
  assert.deepEqual(names.filter((name) => !name.startsWith(".lock")), [old.id]);
  assert.ok((await store.verify(old.id)).ok);
  // There is room again: the same store works.
  const next = await store.create({ index: 3n, ...init });
  await zeros(MIB).pipeTo(next);
  assert.ok((await store.verify(next.id)).ok);
  await store.close();
}

describe("a disk that is full", () => {
  it("loses the new snapshot, not the old one", {
    skip: whyNoSmallDisk(),
  }, async (t) => {
    const directory = await temporaryDirectory(t);
    await withSmallDisk(directory, () => fillUp(directory));
  });

  it("is reported even where every write fails", {
    skip: process.platform === "linux" ? false : "needs /dev/full",
  }, async (t) => {
    const directory = await temporaryDirectory(t);
    const store = await openFileSnapshotStore(directory, {
      fileSystem: onFullDevice(),
    });
    const sink = await store.create({ index: 1n, ...init });
    await assert.rejects(zeros(MIB).pipeTo(sink), {
      name: "SnapshotPublishError",
      systemCode: "ENOSPC",
    });
    assert.deepEqual(await store.list(), []);
    await store.close();
  });
});

/** The real file system, but that `state.bin` is the kernel's full device. */
function onFullDevice(): FileSystem {
  return new Proxy(nodeFileSystem, {
    get(target, name: keyof FileSystem) {
      if (name !== "open") return target[name].bind(target);
      return (...args: Parameters<FileSystem["open"]>) =>
        args[0].endsWith("/state.bin")
          ? openFullDevice()
          : target.open(...args);
    },
  });
}

/** The adapter itself opens only regular files. */
async function openFullDevice(): Promise<FileHandle> {
  const device = await open("/dev/full", "w");
  return {
    stat: () => Promise.resolve({ kind: "file", size: 0, modifiedMs: 0 }),
    read: () => Promise.resolve(0),
    write: async (bytes) => (await device.write(bytes)).bytesWritten,
    sync: () => Promise.resolve(),
    close: () => device.close(),
  };
}
