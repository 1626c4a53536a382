/**
 * The kernel's file systems: how to make and mount each of them.
 *
 * @module
 */

import { run } from "../support/command.ts";
import type { Range } from "./log.ts";

/** A file system of the kernel. */
export interface KernelFileSystem {
  readonly name: string;
  /** Makes one in a file. */
  readonly make: readonly string[];
  /** Its own mount options. */
  readonly options: readonly string[];
  /** The least that its tools accept, or a little more. */
  readonly sizeBytes: number;
  /**
   * Ranges that are never torn: the kernel does not mount a file system whose
   * superblock does not match its checksum.
   */
  readonly superblocks: readonly Range[];
  /** The Debian package that has the tools. */
  readonly package: string;
  /** Makes the kernel forget a disk that is unmounted; its path is added. */
  readonly forget?: readonly string[];
}

const KIB = 1024;
const MIB = 1024 * KIB;

/** All that are tried. Discards are off: the log would miss them. */
export const fileSystems: readonly KernelFileSystem[] = [
  {
    name: "ext4",
    make: [
      ...["mkfs.ext4", "-q", "-F", "-b", "4096", "-E"],
      "lazy_itable_init=0,lazy_journal_init=0,nodiscard",
    ],
    // By default ext4 syncs a file that is renamed over another. That is turned
    // off, because other file systems do not.
    options: ["nodiscard", "noauto_da_alloc"],
    sizeBytes: 64 * MIB,
    superblocks: [{ offset: KIB, length: KIB }],
    package: "e2fsprogs",
  },
  {
    name: "xfs",
    make: ["mkfs.xfs", "-q", "-f", "-K"],
    options: ["nodiscard", "nouuid"],
    sizeBytes: 304 * MIB,
    superblocks: [], // it has the length of a sector
    package: "xfsprogs",
  },
  {
    name: "btrfs",
    make: ["mkfs.btrfs", "-q", "-f", "-K"],
    options: ["nodiscard"],
    sizeBytes: 128 * MIB,
    superblocks: [
      { offset: 64 * KIB, length: 4 * KIB },
      { offset: 64 * MIB, length: 4 * KIB },
    ],
    package: "btrfs-progs",
    // The kernel takes an older image for a second, stale copy of the newer.
    forget: ["btrfs", "device", "scan", "--forget"],
  },
];

async function isInKernel(name: string): Promise<boolean> {
  const known = await Deno.readTextFile("/proc/filesystems");
  return known.split("\n").some((line) => line.trim() === name);
}

/** Whether a command exists. */
async function exists(command: string): Promise<boolean> {
  return (await run("sh", ["-c", `command -v ${command}`])).ok;
}

/**
 * Prepares the machine to make and mount a file system; installs its tools where
 * that is possible.
 *
 * @returns Why it can't; `undefined` when it can.
 */
export async function prepare(
  { name, make: [tool = ""], package: packageName }: KernelFileSystem,
): Promise<string | undefined> {
  if (!await isInKernel(name)) {
    await exists("modprobe") && await run("modprobe", [name]);
  }
  if (!await isInKernel(name)) return `this kernel has no ${name}`;
  if (await exists(tool)) return undefined;
  if (!await exists("apt-get")) return `${tool} is missing`;
  const install = ["install", "-y", "--no-install-recommends", packageName];
  const first = await run("apt-get", install);
  // The lists of packages may be missing or old.
  if (!first.ok) await run("apt-get", ["update"]);
  const second = first.ok ? first : await run("apt-get", install);
  return second.ok && await exists(tool)
    ? undefined
    : `${tool} is missing, and apt-get cannot install ${packageName}`;
}
