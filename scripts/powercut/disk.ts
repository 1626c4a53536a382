/**
 * A disk whose requests are logged, and the disks that power cuts leave of it,
 * each mounted at the same place.
 *
 * @module
 */

import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { mustRun, run } from "../support/command.ts";
import type { KernelFileSystem } from "./file_systems.ts";
import type { Cut, Entry } from "./log.ts";

/** Where the disks are mounted; the crash tests use the same path. */
export const PLACE = "/srv";

/** A device may be busy for a moment after its file system is unmounted. */
const TRIES = 50;

const DEVICE = fileURLToPath(new URL("device.ts", import.meta.url));

/** A disk with an empty file system, which is made and served. */
export class Disk implements AsyncDisposable {
  readonly #fileSystem: KernelFileSystem;
  /** Where the device's files are. */
  readonly #files: string;
  readonly #device: Deno.ChildProcess;
  #cuts = 0;

  private constructor(
    fileSystem: KernelFileSystem,
    files: string,
    device: Deno.ChildProcess,
  ) {
    this.#fileSystem = fileSystem;
    this.#files = files;
    this.#device = device;
  }

  /** Makes the file system in an empty folder, and starts the device. */
  static async make(
    fileSystem: KernelFileSystem,
    folder: string,
  ): Promise<Disk> {
    const image = join(folder, "initial");
    const files = join(folder, "device");
    await Deno.mkdir(files);
    await Deno.writeFile(image, new Uint8Array());
    await Deno.truncate(image, fileSystem.sizeBytes);
    const [tool = "", ...args] = fileSystem.make;
    await mustRun(tool, [...args, image]);
    const script = ["run", "--allow-all", "--quiet", DEVICE, image, files];
    // Its namespace never has the disk mounted. If it had, and were the last
    // process to be killed, its end would be the end of that mount: the kernel
    // would wait forever for it to take the writes that are left.
    const device = new Deno.Command("unshare", {
      args: ["--mount", Deno.execPath(), ...script],
      stdin: "null",
      stdout: "piped",
    }).spawn();
    const { value } = await device.stdout.getReader().read();
    if (value === undefined) throw new Error("Cannot start the device");
    return new Disk(fileSystem, files, device);
  }

  /** The file that takes marks; see `device.ts`. */
  get control(): string {
    return join(this.#files, "control");
  }

  /** All that was asked of the disk so far. */
  async entries(): Promise<readonly Entry[]> {
    return JSON.parse(await Deno.readTextFile(join(this.#files, "log")));
  }

  /** Uses the disk that is logged. */
  async use<T>(work: () => Promise<T>): Promise<T> {
    return await this.#mounted("disk", work);
  }

  /** Uses the disk that a power cut has left. */
  async useAfter<T>(cut: Cut, work: () => Promise<T>): Promise<T> {
    const number = this.#cuts++;
    const command = `cut ${number} ${JSON.stringify(cut)}`;
    await Deno.writeTextFile(this.control, command, { create: false });
    return await this.#mounted(`image-${number}`, work);
  }

  async #mounted<T>(file: string, work: () => Promise<T>): Promise<T> {
    const { name, options, forget } = this.#fileSystem;
    const all = ["loop", "noatime", ...options].join();
    const path = join(this.#files, file);
    await mustRun("mount", ["-t", name, "-o", all, path, PLACE]);
    const loop = await mountedDevice();
    try {
      await checkFlushes(loop);
      return await work();
    } finally {
      await unmount(PLACE);
      const [tool, ...args] = forget ?? [];
      if (tool !== undefined) await mustRun(tool, [...args, loop]);
    }
  }

  /** Ends the device. */
  async [Symbol.asyncDispose](): Promise<void> {
    await unmount(this.#files);
    await this.#device.status;
  }
}

/** The loop device that is mounted. */
async function mountedDevice(): Promise<string> {
  const mounts = (await Deno.readTextFile("/proc/self/mounts")).split("\n");
  const [device] = mounts.findLast((line) => line.split(" ")[1] === PLACE)
    ?.split(" ") ?? [];
  if (device !== undefined) return device;
  throw new Error(`Cannot find the device that is mounted at ${PLACE}`);
}

/** Checks that the kernel flushes the device for each write that must last. */
async function checkFlushes(loop: string): Promise<void> {
  const queue = `/sys/block/${basename(loop)}/queue`;
  const cache = (await Deno.readTextFile(`${queue}/write_cache`)).trim();
  const fua = (await Deno.readTextFile(`${queue}/fua`)).trim();
  if (cache === "write back" && fua === "0") return;
  throw new Error(
    `The log of ${loop} would be incomplete: found write_cache "${cache}" ` +
      `and fua ${fua}, expected "write back" and 0`,
  );
}

async function unmount(path: string): Promise<void> {
  for (let tries = 1;; tries++) {
    const { ok, output } = await run("umount", [path]);
    if (ok) return;
    if (tries === TRIES) throw new Error(`Cannot unmount ${path}: ${output}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
