/**
 * What a lock file says: one line of JSON about the process that holds it.
 *
 * @module
 */

import process from "node:process";
import { StoreLockedError, systemCode } from "../errors.ts";
import type { FileHandle, FileSystem, LockOwner } from "./file_system.ts";
import { type KernelLock, takeKernelLock } from "./kernel_lock.ts";
import { hostName, incarnationOf, runtimeName } from "./process_identity.ts";

/** The content of a lock file. */
export interface LockRecord extends LockOwner {
  /** A UUID that only this taking of the lock has. */
  readonly token: string;
  /** Tells the holder from a later process of the same number, if it could. */
  readonly started: string | null;
  /** Whether the kernel too holds a lock on the file for the holder. */
  readonly kernel: boolean;
}

const SIZE_MAX = 4096;
/** The token becomes part of a file name: let nothing else in. */
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

function isStringOrNull(value: unknown): boolean {
  return value === null || typeof value === "string";
}

function isLockRecord(value: unknown): value is LockRecord {
  if (typeof value !== "object" || value === null) return false;
  const { pid, host, runtime, since, token, started, kernel } =
    value as Partial<Record<keyof LockRecord, unknown>>;
  return Number.isSafeInteger(pid) && Number(pid) > 0 &&
    isStringOrNull(host) && typeof runtime === "string" &&
    typeof since === "number" && typeof token === "string" &&
    UUID.test(token) && isStringOrNull(started) &&
    typeof kernel === "boolean";
}

/** The record of a line, or `undefined` when it is something else. */
export function parseLockRecord(text: string): LockRecord | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isLockRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The part of a record that others are told. */
export function ownerOf(record: LockRecord): LockOwner {
  const { pid, host, runtime, since } = record;
  return { pid, host, runtime, since };
}

async function readAll(handle: FileHandle): Promise<Uint8Array> {
  const buffer = new Uint8Array(SIZE_MAX);
  let size = 0;
  for (;;) {
    const count = await handle.read(buffer.subarray(size), size);
    if (count === 0) return buffer.subarray(0, size);
    size += count;
  }
}

async function readText(
  files: FileSystem,
  path: string,
): Promise<string | undefined> {
  try {
    const handle = await files.open(path, "read");
    try {
      return new TextDecoder().decode(await readAll(handle));
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/**
 * Reads the record at `path`; `undefined` when there is none.
 *
 * A record is synced before it gets its name, so neither a crash nor a power
 * cut leaves half of one. What can't be read as a record is somebody else's, or
 * is being written at this moment where the disk knows no hard links: that is
 * for a person to decide.
 *
 * @throws {StoreLockedError} when the file holds anything but a record.
 */
export async function readLockRecord(
  files: FileSystem,
  path: string,
): Promise<LockRecord | undefined> {
  const text = await readText(files, path);
  if (text === undefined) return undefined;
  const record = parseLockRecord(text);
  if (record !== undefined) return record;
  throw new StoreLockedError(path, undefined, {
    hint: "it holds no lock record, so nobody can be asked; " +
      "remove it once no process uses the directory",
  });
}

async function writeText(handle: FileHandle, text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  let written = 0;
  while (written < bytes.length) {
    written += await handle.write(bytes.subarray(written), written);
  }
}

async function recordOfThisProcess(
  token: string,
  kernel: boolean,
): Promise<LockRecord> {
  return {
    pid: process.pid,
    host: hostName(),
    runtime: runtimeName(),
    since: Date.now(),
    token,
    started: (await incarnationOf(process.pid))?.started ?? null,
    kernel,
  };
}

/**
 * Writes a record of this process to a new file. The kernel's lock, where there
 * is one, is on the file before its first byte: whoever can read the record can
 * rely on the lock.
 */
export async function writeLockRecord(
  files: FileSystem,
  path: string,
  token: string,
): Promise<KernelLock | undefined> {
  const handle = await files.open(path, "create");
  let kernelLock: KernelLock | undefined;
  try {
    kernelLock = await takeKernelLock(path);
    const record = await recordOfThisProcess(token, kernelLock !== undefined);
    await writeText(handle, JSON.stringify(record) + "\n");
    // Without it, a power cut may leave the name with an empty file, which
    // nobody could tell from one that is being written.
    await handle.sync();
    return kernelLock;
  } catch (error) {
    kernelLock?.release();
    await files.removeFile(path).catch(() => {});
    throw error;
  } finally {
    await handle.close();
  }
}
