/**
 * Locks that the kernel holds for a process and releases when the process ends
 * in any way. Only Deno offers them (`flock`); they need only the permission
 * for the file. They are not used on Windows, where the lock would keep others
 * from reading the file, and so from learning who holds it. (Not run on
 * Windows.)
 *
 * @module
 */

import { systemCode } from "../../errors.ts";
import { deno, type DenoFile } from "../../runtime/deno.ts";

/** A lock that the kernel holds until it is released or the process ends. */
export interface KernelLock {
  release(): void;
}

type Outcome = DenoFile | "busy" | "missing" | "unsupported";

async function lockOpenFile(
  file: DenoFile,
  exclusive: boolean,
): Promise<Outcome> {
  try {
    const locked = await file.tryLock?.(exclusive);
    if (locked === true) return file;
    return locked === false ? "busy" : "unsupported";
  } catch {
    return "unsupported"; // as on some network file systems
  }
}

/** Opens a file and locks it; the caller must close a file that it returns. */
async function openLocked(path: string, exclusive: boolean): Promise<Outcome> {
  if (deno === undefined || deno.build.os === "windows") return "unsupported";
  let file: DenoFile;
  try {
    file = await deno.open(path, { read: true, write: exclusive });
  } catch (error) {
    if (systemCode(error) === "ENOENT") return "missing";
    throw error;
  }
  const outcome = await lockOpenFile(file, exclusive);
  if (outcome !== file) file.close();
  return outcome;
}

/**
 * Locks a file that no other process knows yet; `undefined` where that is not
 * possible.
 */
export async function takeKernelLock(
  path: string,
): Promise<KernelLock | undefined> {
  const outcome = await openLocked(path, true);
  if (typeof outcome === "string") return undefined;
  return { release: () => outcome.close() };
}

/** Whether a live process has the lock; `undefined` when that can't be told. */
export async function isKernelLocked(
  path: string,
): Promise<boolean | undefined> {
  // A shared lock, so that two processes that check at the same time don't
  // mistake each other for the holder.
  const outcome = await openLocked(path, false);
  if (outcome === "unsupported") return undefined;
  if (typeof outcome !== "string") outcome.close();
  return outcome === "busy";
}
