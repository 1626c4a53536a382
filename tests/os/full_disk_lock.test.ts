/** A store is opened where not one block is free: to restore, and to make room. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { readdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { describe, it } from "node:test";
import { openFileSnapshotStore, StoreLockedError } from "@raft/snapshots";
import { runtime } from "../support/runtime.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";

const HOLDER = new URL("./lock_holder.ts", import.meta.url);

const init = {
  term: 1n,
  configuration: { servers: [] },
  configurationIndex: 1n,
} as const;

/** Why no small disk can be made, or `false` when one can. */
function whyNoSmallDisk(): string | false {
  if (process.platform !== "linux") return "needs Linux";
  if (process.getuid?.() !== 0) return "needs root, to mount a small disk";
  const { status } = spawnSync("unshare", ["--mount", "true"]);
  return status === 0 ? false : "needs leave to mount a small disk";
}

/** How to make each kind of disk, of which not all may be there. */
const DISKS: Readonly<Record<string, (directory: string) => string>> = {
  tmpfs: (directory) => `mount -t tmpfs -o size=2m tmpfs ${directory}/disk`,
  ext4: (directory) =>
    `truncate -s 8m ${directory}/image && ` +
    `mkfs.ext4 -q -m 0 ${directory}/image && ` +
    `mount -o loop ${directory}/image ${directory}/disk`,
};

/** Uses a small disk. */
async function onDisk(
  directory: string,
  command: string,
  use: (disk: string) => Promise<void>,
): Promise<void> {
  const disk = join(directory, "disk");
  const line = `mkdir ${disk} && ${command}`;
  const { status, stderr } = spawnSync("sh", ["-c", line]);
  assert.equal(status, 0, String(stderr));
  try {
    await use(disk);
  } finally {
    assert.equal(spawnSync("umount", ["--lazy", disk]).status, 0);
  }
}

/** Leaves not one block. */
async function fill(disk: string): Promise<void> {
  for (const [i, size] of [65536, 4096, 1024, 1].entries()) {
    for (let j = 0;; j++) {
      try {
        await writeFile(join(disk, `filler-${i}-${j}`), new Uint8Array(size));
      } catch (error) {
        assert.equal((error as { code?: string }).code, "ENOSPC");
        break;
      }
    }
  }
}

/** Opens the store in a process that is killed; what it said. */
async function killHolder(
  disk: string,
  whileHeld: () => Promise<void>,
): Promise<void> {
  const child = runtime.spawnScript(HOLDER, [disk], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const closed = once(child, "close");
  try {
    assert.ok(child.stdout !== null);
    const lines = createInterface({ input: child.stdout });
    const { value } = await lines[Symbol.asyncIterator]().next();
    assert.equal(value, "open", "the store was not opened");
    await whileHeld();
  } finally {
    child.kill("SIGKILL");
    await closed;
  }
}

/** All that an operator does there. */
async function useFullStore(disk: string): Promise<void> {
  const before = await openFileSnapshotStore(disk, { retain: 5 });
  for (const index of [1n, 2n, 3n]) {
    const sink = await before.create({ index, ...init });
    await new Blob(["state"]).stream().pipeTo(sink);
  }
  await before.close();
  await fill(disk);
  const locked = () =>
    assert.rejects(openFileSnapshotStore(disk), StoreLockedError);

  await killHolder(disk, locked);
  const lockFile = join(disk, "snapshots", ".lock");
  assert.equal((await stat(lockFile)).size, 0, "the disk was not full");
  const store = await openFileSnapshotStore(disk, { retain: 1 });
  await locked();
  const restored = await store.restore(async (source) => {
    assert.equal(await new Response(source).text(), "state");
  });
  assert.equal(restored?.index, 3n);
  const [, second] = await store.list();
  await store.delete(second?.id ?? "");
  await store.reap();
  assert.deepEqual((await store.list()).map(({ index }) => index), [3n]);
  await store.close();
  const names = await readdir(join(disk, "snapshots"));
  assert.deepEqual(names, [restored?.id]);
  await rm(join(disk, "filler-0-0"), { force: true });
  await (await openFileSnapshotStore(disk)).close();
}

describe("a store on a full disk", () => {
  for (const [kind, command] of Object.entries(DISKS)) {
    it(
      `is locked, restored, emptied and taken over from a dead process on ${kind}`,
      {
        skip: whyNoSmallDisk(),
      },
      async (t) => {
        const directory = await temporaryDirectory(t);
        await onDisk(directory, command(directory), useFullStore);
      },
    );
  }
});
