/**
 * Serves a disk as a file, on which a loop device can stand, and logs the writes
 * to it. It runs as a process, so that it answers while the others are
 * blocked. It mounts itself, prints `mounted`, and serves these files:
 *
 * - `disk` is the disk. The loop driver writes to it, and turns each flush of
 *   the block device into an fsync of the file.
 * - `log` has the entries of the log as JSON.
 * - `image-<n>` is the disk as the power cut of that number has left it. Writes to
 *   it are kept until the next one is chosen.
 * - `control` takes commands: `mark <text>` adds a mark to the log, between the
 *   requests that came before it and those that come after it; `cut <n> <json>`
 *   chooses the writes that `image-<n>` has.
 *
 * `unshare --mount deno run -A device.ts INITIAL FOLDER`: the file with the disk
 * as it is in the beginning, and where to mount.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { openSync, readSync, writeSync } from "node:fs";
import process from "node:process";
import {
  type Attributes,
  attributesReply,
  dataOf,
  entryReply,
  Errno,
  formatReply,
  initReply,
  nameOf,
  Opcode,
  openReply,
  parseRequest,
  rangeOf,
  type Request,
  REQUEST_BYTES_MAX,
  writeReply,
} from "./fuse.ts";
import { type Image, readImage } from "./image.ts";
import { type Cut, LoggedDisk } from "./log.ts";

const NODES = { disk: 2, log: 3, control: 4 } as const;
const FIRST_IMAGE_NODE = 100;

/** A body, or an error's number; `undefined` when the request wants no answer. */
type Answer = Uint8Array | number | undefined;

class Device {
  readonly #disk: LoggedDisk;
  readonly #size: number;
  #cut: { readonly node: number; readonly image: Image } | undefined;
  #log: Uint8Array = new Uint8Array();

  constructor(path: string) {
    const { image, size } = readImage(path);
    this.#disk = new LoggedDisk(image);
    this.#size = size;
  }

  answer(request: Request): Answer {
    const { opcode, node } = request;
    switch (opcode) {
      case Opcode.INIT:
        return initReply();
      case Opcode.LOOKUP:
        return this.#lookUp(nameOf(request));
      case Opcode.GETATTR:
      case Opcode.SETATTR:
        return attributesReply(this.#attributes(node));
      case Opcode.OPEN:
        return this.#open(node);
      case Opcode.READ:
        return this.#read(node, rangeOf(request));
      case Opcode.WRITE:
        return this.#write(node, rangeOf(request).offset, dataOf(request));
      case Opcode.FSYNC:
        if (node === NODES.disk) this.#disk.flush();
        return new Uint8Array();
      case Opcode.FLUSH:
      case Opcode.RELEASE:
        return new Uint8Array();
      case Opcode.FORGET:
      case Opcode.BATCH_FORGET:
      case Opcode.INTERRUPT:
        return undefined;
      default:
        // FALLOCATE among them: without discards, every byte is written.
        return Errno.ENOSYS;
    }
  }

  #lookUp(name: string): Answer {
    const number = /^image-(\d+)$/.exec(name)?.[1];
    const node = number === undefined
      ? new Map<string, number>(Object.entries(NODES)).get(name)
      : FIRST_IMAGE_NODE + Number(number);
    return node === undefined
      ? Errno.ENOENT
      : entryReply(this.#attributes(node));
  }

  #attributes(node: number): Attributes {
    const isDisk = node === NODES.disk || node >= FIRST_IMAGE_NODE;
    return { node, size: isDisk ? this.#size : 0 };
  }

  #open(node: number): Answer {
    if (node === NODES.log) {
      const text = JSON.stringify(this.#disk.entries);
      this.#log = new TextEncoder().encode(text);
    }
    return openReply(node === NODES.log || node === NODES.control);
  }

  #read(
    node: number,
    { offset, length }: { readonly offset: number; readonly length: number },
  ): Answer {
    if (node === NODES.disk) return this.#disk.read(offset, length);
    if (node === NODES.log) return this.#log.subarray(offset, offset + length);
    if (node !== this.#cut?.node) return Errno.EIO;
    return this.#cut.image.read(offset, length);
  }

  #write(node: number, offset: number, bytes: Uint8Array): Answer {
    if (node === NODES.disk) this.#disk.write(offset, bytes);
    else if (node === NODES.control) {
      this.#command(new TextDecoder().decode(bytes));
    } else if (node === this.#cut?.node) this.#cut.image.write(offset, bytes);
    else return Errno.EIO;
    return writeReply(bytes.length);
  }

  #command(command: string): void {
    const [, verb, text = ""] = /^(\w+) (.*)$/s.exec(command) ?? [];
    if (verb === "mark") return this.#disk.mark(text);
    const [, number, json] = /^(\d+) (.*)$/s.exec(text) ?? [];
    if (verb !== "cut" || json === undefined) {
      throw new RangeError(`The device has no command ${command}`);
    }
    const image = this.#disk.after(JSON.parse(json) as Cut);
    this.#cut = { node: FIRST_IMAGE_NODE + Number(number), image };
  }
}

/**
 * Mounts a FUSE file system, where the process that has started this one sees
 * it.
 *
 * @returns The descriptor that requests come from and answers go to.
 */
async function mount(folder: string): Promise<number> {
  const fuse = openSync("/dev/fuse", "r+");
  // The kernel is told of a descriptor of the process that mounts: its stdin.
  const options = "fd=0,rootmode=40000,user_id=0,group_id=0";
  const flags = ["-i", "-t", "fuse", "-o", options];
  const namespace = `/proc/${process.ppid}/ns/mnt`;
  const child = spawn(
    "nsenter",
    [`--mount=${namespace}`, "mount", ...flags, "powercut", folder],
    { stdio: [fuse, "inherit", "inherit"] },
  );
  const [code] = await once(child, "exit");
  if (code !== 0) throw new Error(`Cannot mount the device: exit code ${code}`);
  return fuse;
}

/** The length of the next request; `undefined` when there can be no more. */
function receive(fuse: number, buffer: Uint8Array): number | undefined {
  try {
    return readSync(fuse, buffer);
  } catch (error) {
    // The device was unmounted.
    if ((error as NodeJS.ErrnoException).code === "ENODEV") return undefined;
    throw error;
  }
}

/** Answers until it is unmounted. */
function serve(fuse: number, device: Device): void {
  const buffer = new Uint8Array(REQUEST_BYTES_MAX);
  for (;;) {
    const count = receive(fuse, buffer);
    if (count === undefined) return;
    const request = parseRequest(buffer.subarray(0, count));
    const answer = device.answer(request);
    if (answer === undefined) continue;
    const reply = typeof answer === "number"
      ? formatReply(request, answer)
      : formatReply(request, 0, answer);
    writeSync(fuse, reply);
  }
}

const [initial, folder] = Deno.args;
if (initial === undefined || folder === undefined) {
  throw new TypeError("The device needs a file and a folder");
}
const device = new Device(initial);
const fuse = await mount(folder);
console.log("mounted");
serve(fuse, device);
