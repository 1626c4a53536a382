/**
 * The names beside a lock file. On a full disk a name is also where a record
 * is kept: a file without data needs no block.
 *
 * @module
 */

import { systemCode } from "../../errors.ts";
import { node } from "../../runtime/node.ts";
import type { FileSystem } from "../file_system.ts";
import { type LockRecord, parseLockRecord } from "./record.ts";

const TOKEN = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";

/** The rest of a name beside the lock file that begins with its name. */
const SUFFIX = new RegExp(`^\\.(${TOKEN})(\\.draft|\\.sock|~[^/]*)?$`);

/** A name that was found. */
interface FoundName {
  readonly path: string;
  readonly token: string;
  /** `undefined` for a record in the chain. */
  readonly kind: string | undefined;
}

/**
 * The path of a record that has no place yet. The suffix must stay, because
 * other versions of this library look for it.
 */
export function pendingPath(lockPath: string, token: string): string {
  return `${lockPath}.${token}.draft`;
}

/** The socket that a holder listens on. */
export function socketPath(lockPath: string, token: string): string {
  return `${lockPath}.${token}.sock`;
}

/** A file's identity, whatever its name; `undefined` when it is gone. */
async function inodeOf(path: string): Promise<string | undefined> {
  try {
    const { dev, ino } = await node.fs.promises.lstat(path, { bigint: true });
    return `${dev}:${ino}`;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/**
 * The second name of an empty record's file, which holds the record instead.
 * The names of host and runtime are left out, because a name is short.
 */
export function namedRecordPath(lockPath: string, record: LockRecord): string {
  const { token, pid, since, boot, namespace, started } = record;
  const { diskType, device, kernel, listens } = record;
  const fields = [
    pid,
    since,
    boot ?? "",
    namespace ?? "",
    started?.split("/").at(-1) ?? "",
    diskType ?? "",
    device ?? "",
    Number(kernel),
    Number(listens),
  ];
  return `${lockPath}.${token}~${fields.join("~")}`;
}

function orNull(field: string | undefined): string | null {
  return field === undefined || field === "" ? null : field;
}

function numberOrNull(field: string | undefined): number | null {
  return field === undefined || field === "" ? null : Number(field);
}

function recordOfName({ token, kind = "" }: FoundName): LockRecord | undefined {
  const [, pid, since, boot, namespace, ticks, ...rest] = kind.split("~");
  const [diskType, device, kernel, listens] = rest;
  return parseLockRecord(JSON.stringify({
    token,
    pid: Number(pid),
    since: Number(since),
    boot: orNull(boot),
    namespace: orNull(namespace),
    started: orNull(ticks) === null ? null : `${boot}/${ticks}`,
    diskType: numberOrNull(diskType),
    device: numberOrNull(device),
    kernel: kernel === "1",
    listens: listens === "1",
    host: null,
    hostId: null,
    runtime: "unknown runtime, because the disk was full",
  }));
}

/** The names beside a lock file that belong to it. */
export async function namesBeside(
  files: FileSystem,
  lockPath: string,
): Promise<FoundName[]> {
  const directory = node.path.posix.dirname(lockPath);
  const found: FoundName[] = [];
  for (const { name } of await files.readDirectory(directory)) {
    const path = `${directory}/${name}`;
    if (!path.startsWith(lockPath)) continue;
    const [, token, kind] = SUFFIX.exec(path.slice(lockPath.length)) ?? [];
    if (token !== undefined) found.push({ path, token, kind });
  }
  return found;
}

/** The record of an empty file, by the other name that the file has. */
export async function recordOfEmptyFile(
  files: FileSystem,
  lockPath: string,
  place: string,
): Promise<LockRecord | undefined> {
  const inode = await inodeOf(place);
  for (const found of await namesBeside(files, lockPath)) {
    if (!found.kind?.startsWith("~")) continue;
    if (await inodeOf(found.path) === inode) return recordOfName(found);
  }
  return undefined;
}
