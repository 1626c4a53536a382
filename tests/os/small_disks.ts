/** Small disks of several kinds, to be filled up. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { open, rm } from "node:fs/promises";
import { delimiter, join } from "node:path";
import process from "node:process";
import { isFull } from "../../src/system_code.ts";

/** A kind of disk. */
export interface SmallDisk {
  /** The kernel's name of the file system. */
  readonly fileSystem: string;
  /** The programs that it needs. */
  readonly programs: readonly string[];
  /** The shell's commands that make it from `image` and mount it at `disk`. */
  readonly commands: readonly string[];
  /** Whether there is room for names when there is none for data. */
  readonly hasRoomForNames: boolean;
}

/** All kinds. A quota is one of the file system's own, which binds root too. */
export const SMALL_DISKS: Readonly<Record<string, SmallDisk>> = {
  tmpfs: {
    fileSystem: "tmpfs",
    programs: [],
    commands: ["mount -t tmpfs -o size=2m tmpfs disk"],
    hasRoomForNames: true,
  },
  ext4: {
    fileSystem: "ext4",
    programs: ["mkfs.ext4"],
    commands: [
      "truncate -s 8m image",
      "mkfs.ext4 -q -m 0 image",
      "mount -o loop image disk",
    ],
    hasRoomForNames: true,
  },
  xfs: {
    fileSystem: "xfs",
    programs: ["mkfs.xfs"],
    commands: [
      "truncate -s 304m image",
      "mkfs.xfs -q image",
      "mount -o loop image disk",
    ],
    hasRoomForNames: false,
  },
  btrfs: {
    fileSystem: "btrfs",
    programs: ["mkfs.btrfs"],
    commands: [
      "truncate -s 128m image",
      "mkfs.btrfs -q image",
      "mount -o loop image disk",
    ],
    hasRoomForNames: true,
  },
  "btrfs with a quota": {
    fileSystem: "btrfs",
    programs: ["mkfs.btrfs", "btrfs"],
    commands: [
      "truncate -s 128m image",
      "mkfs.btrfs -q image",
      "mount -o loop image disk",
      "btrfs quota enable disk",
      "btrfs qgroup limit 2m disk",
    ],
    hasRoomForNames: false,
  },
};

function isInstalled(program: string): boolean {
  const folders = process.env["PATH"]?.split(delimiter) ?? [];
  return folders.some((folder) => existsSync(join(folder, program)));
}

/** Why such a disk can't be made, or `false` when it can. */
export function whyNoSmallDisk(kind: SmallDisk): string | false {
  if (process.platform !== "linux") return "needs Linux";
  if (process.getuid?.() !== 0) return "needs root, to mount a small disk";
  const { status } = spawnSync("unshare", ["--mount", "true"]);
  if (status !== 0) return "needs leave to mount a small disk";
  const known = readFileSync("/proc/filesystems", "utf8").split(/\s+/);
  if (!known.includes(kind.fileSystem)) return `needs ${kind.fileSystem}`;
  const missing = kind.programs.find((program) => !isInstalled(program));
  return missing === undefined ? false : `needs ${missing}`;
}

/** Uses a small disk, made in `directory`. */
export async function onSmallDisk(
  directory: string,
  kind: SmallDisk,
  use: (disk: string) => Promise<void>,
): Promise<void> {
  const line = ["mkdir disk", ...kind.commands].join(" && ");
  const made = spawnSync("sh", ["-c", line], { cwd: directory });
  const disk = join(directory, "disk");
  try {
    assert.equal(made.status, 0, String(made.stderr));
    await use(disk);
  } finally {
    const { status } = spawnSync("umount", ["--lazy", disk]);
    assert.ok(status === 0 || made.status !== 0);
  }
}

/** Leaves not one block. */
export async function fill(disk: string): Promise<void> {
  const file = await open(join(disk, "filler"), "w");
  for (const size of [1024 * 1024, 65536, 4096, 1024, 1]) {
    try {
      for (;;) {
        await file.write(new Uint8Array(size));
        // Btrfs and XFS may promise more than they have until then.
        await file.sync();
      }
    } catch (error) {
      assert.ok(isFull(error), String(error));
    }
  }
  await file.close();
}

/** Makes room again. */
export async function makeRoom(disk: string): Promise<void> {
  await rm(join(disk, "filler"));
}
