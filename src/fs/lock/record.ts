/**
 * The content of a lock file: one line of JSON about the process that holds it.
 *
 * @module
 */

import { readFully } from "../../bytes.ts";
import { systemCode } from "../../errors.ts";
import type { LockOwner } from "../../lock_owner.ts";
import type { FileSystem } from "../file_system.ts";
import { withFile } from "../io.ts";
import { LockHeldError } from "../lock_held_error.ts";
import { type DiskIdentity, diskOf } from "./disk_identity.ts";
import {
  bootId,
  hostName,
  incarnationOf,
  pidNamespace,
  runtimeName,
} from "../../runtime/process_identity.ts";
import { node } from "../../runtime/node.ts";

/** The content of a lock file. */
export interface LockRecord extends LockOwner, DiskIdentity {
  /** A UUID, new each time that a lock is taken. */
  readonly token: string;
  /** The identity that the user gave to the host. */
  readonly hostId: string | null;
  /** The boot of the kernel that the holder runs on. */
  readonly boot: string | null;
  /** The namespace in which the process ID and the start are valid. */
  readonly namespace: string | null;
  /**
   * The start of the holder, which tells it from a later process of the same
   * ID; `null` where it is unknown.
   */
  readonly started: string | null;
  /** Whether the kernel too holds a lock on the file for the holder. */
  readonly kernel: boolean;
  /** Whether the holder listens on a socket. */
  readonly listens: boolean;
}

const SIZE_MAX = 4096;
/** The token becomes part of a file name, so only UUIDs are accepted. */
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

type Check = (value: unknown) => boolean;

const isString: Check = (value) => typeof value === "string";
const isNumber: Check = (value) => typeof value === "number";
const isBoolean: Check = (value) => typeof value === "boolean";
const orNull = (check: Check): Check => (value) =>
  value === null || check(value);

const CHECKS: Readonly<Record<keyof LockRecord, Check>> = {
  pid: (value) => Number.isSafeInteger(value) && Number(value) > 0,
  host: orNull(isString),
  runtime: isString,
  since: isNumber,
  token: (value) => isString(value) && UUID.test(String(value)),
  hostId: orNull(isString),
  boot: orNull(isString),
  namespace: orNull(isString),
  started: orNull(isString),
  diskType: orNull(isNumber),
  device: orNull(isNumber),
  kernel: isBoolean,
  listens: isBoolean,
};

function isLockRecord(value: unknown): value is LockRecord {
  if (typeof value !== "object" || value === null) return false;
  const fields = value as Readonly<Record<string, unknown>>;
  return Object.entries(CHECKS).every(([name, check]) => check(fields[name]));
}

/** The record in a line, or `undefined` when the line is not a record. */
export function parseLockRecord(text: string): LockRecord | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isLockRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The part of a record that messages and events show. */
export function ownerOf(record: LockRecord): LockOwner {
  const { pid, host, runtime, since } = record;
  return { pid, host, runtime, since };
}

async function readText(
  files: FileSystem,
  path: string,
): Promise<string | undefined> {
  try {
    return await withFile(await files.open(path, "read"), async (file) => {
      const bytes = new Uint8Array(SIZE_MAX);
      const size = await readFully(file, bytes, 0);
      return new TextDecoder().decode(bytes.subarray(0, size));
    });
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** Finds the record of an empty file by another way. */
export type FindRecord = (path: string) => Promise<LockRecord | undefined>;

/**
 * Reads the record at `path`; `undefined` when there is none.
 *
 * A record is synced before it gets its name, so neither a crash nor a power
 * cut leaves half of one. A file that can't be read as a record belongs to
 * another program, or is being written at this moment on a disk without hard
 * links. The operator must decide which.
 *
 * @throws {LockHeldError} when the file holds anything but a record.
 */
export async function readLockRecord(
  files: FileSystem,
  path: string,
  ofEmptyFile: FindRecord,
): Promise<LockRecord | undefined> {
  const text = await readText(files, path);
  if (text === undefined) return undefined;
  const record = text === "" ? await ofEmptyFile(path) : parseLockRecord(text);
  if (record !== undefined) return record;
  throw new LockHeldError(path, {
    hint: "the file holds no lock record, so its holder can't be checked; " +
      "remove it once no process uses the directory",
  });
}

/** The fields of a record that its writer decides. */
export type Claim = Pick<
  LockRecord,
  "token" | "hostId" | "kernel" | "listens"
>;

/** A record of this process, for a lock file in the directory of `path`. */
export async function recordOfThisProcess(
  path: string,
  claim: Claim,
): Promise<LockRecord> {
  const { pid } = node.process;
  const [boot, namespace, incarnation, disk] = await Promise.all([
    bootId(),
    pidNamespace(),
    incarnationOf(pid),
    diskOf(node.path.posix.dirname(path)),
  ]);
  return {
    pid,
    host: hostName(),
    runtime: runtimeName(),
    since: Date.now(),
    boot,
    namespace,
    started: incarnation?.started ?? null,
    ...disk,
    ...claim,
  };
}
