/**
 * What was left unfinished in `snapshots/`, and whether another program may
 * still be writing it.
 *
 * @module
 */

import { systemCode } from "../errors.ts";
import type { FileStat } from "../fs/file_system.ts";
import type { StoreContext } from "./context.ts";
import { exists } from "../fs/io.ts";
import { type TemporaryName, temporaryName } from "../snapshot/id.ts";
import { readNames } from "./scan.ts";

/** A snapshot, a deletion or a seal that has not come to its end. */
export interface Unfinished extends TemporaryName {
  /** The size of its files in bytes. */
  readonly bytes: number;
  /** When it was last changed, in milliseconds since 1970. */
  readonly changedMs: number;
  /** Whether this library has made it: the lock tells whether it is under way. */
  readonly isOurs: boolean;
  /** Whether another program may be writing it, which its age tells. */
  readonly isForeignAndYoung: boolean;
}

/** What is unfinished, newest first. What was set aside as corrupt is not. */
export async function findUnfinished(
  context: StoreContext,
): Promise<Unfinished[]> {
  const found: Unfinished[] = [];
  for (const name of await unfinishedNames(context)) {
    const unfinished = await lookAt(context, name);
    if (unfinished !== undefined) found.push(unfinished);
  }
  return found;
}

/**
 * Looks at one; one that may not be read is shown with 0 bytes, because it must
 * not hide the others. Resolves to nothing when it has been finished or removed
 * since its name was read.
 */
async function lookAt(
  context: StoreContext,
  name: TemporaryName,
): Promise<Unfinished | undefined> {
  let [bytes, changedMs, ours] = [0, -Infinity, false];
  try {
    for await (const { kind, size, modifiedMs } of statsOf(context, name)) {
      if (kind === "file") bytes += size;
      changedMs = Math.max(changedMs, modifiedMs);
    }
    ours = await isOurs(context, name);
  } catch (error) {
    const code = systemCode(error);
    if (code !== "EACCES" && code !== "EPERM") throw error;
  }
  if (changedMs === -Infinity) return undefined;
  return {
    ...name,
    bytes,
    changedMs,
    isOurs: ours,
    isForeignAndYoung: !ours && isYoung(context, changedMs),
  };
}

/** The names of what is unfinished, newest first. */
export async function unfinishedNames(
  context: StoreContext,
): Promise<TemporaryName[]> {
  const { temporary } = await readNames(context);
  return temporary.filter(({ state }) => state !== "corrupt");
}

/**
 * Whether another program may be writing it: it is not ours, and the directory
 * or a file in it was changed less than `foreignTmpAgeMs` ago.
 */
export async function isForeignAndYoung(
  context: StoreContext,
  name: TemporaryName,
): Promise<boolean> {
  if (await isOurs(context, name)) return false;
  for await (const { modifiedMs } of statsOf(context, name)) {
    if (isYoung(context, modifiedMs)) return true;
  }
  return false;
}

/** Whether this library has made it: Go never makes `blocks.crc64`. */
async function isOurs(
  context: StoreContext,
  name: TemporaryName,
): Promise<boolean> {
  // Go deletes in place and never seals: the other names are ours.
  if (name.state !== "writing") return true;
  const path = `${context.path}/${temporaryName(name)}`;
  return await exists(context.fileSystem, `${path}/blocks.crc64`);
}

/** A clock that goes wrong, and a time that is yet to come, make it young. */
function isYoung(context: StoreContext, modifiedMs: number): boolean {
  return !(context.clock() - modifiedMs >= context.foreignTmpAgeMs);
}

/** The directory, and what is in it; nothing when it is gone. */
async function* statsOf(
  context: StoreContext,
  name: TemporaryName,
): AsyncGenerator<FileStat> {
  const { fileSystem, path } = context;
  const directory = `${path}/${temporaryName(name)}`;
  const own = await ifThere(fileSystem.stat(directory));
  if (own === undefined) return;
  yield own;
  const entries = await ifThere(fileSystem.readDirectory(directory)) ?? [];
  for (const entry of entries) {
    const stat = await ifThere(fileSystem.stat(`${directory}/${entry.name}`));
    if (stat !== undefined) yield stat;
  }
}

async function ifThere<T>(looking: Promise<T>): Promise<T | undefined> {
  try {
    return await looking;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}
