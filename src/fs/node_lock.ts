/**
 * The lock of a real directory: a file that says who holds it.
 *
 * No system that runs everywhere takes a lock file from a dead process in one
 * step, so there can be a chain of records. The first is at `.lock`; the one
 * that took the lock from the record with token T is at `.lock.T`. The last of
 * the chain holds the lock. Joining the chain is `link()`, which is atomic and
 * fails when the name is taken: of all that want to succeed the same dead
 * holder, one does. It then moves its record to `.lock`.
 *
 * @module
 */

import { link } from "node:fs/promises";
import { dirname } from "node:path/posix";
import { StoreLockedError, systemCode } from "../errors.ts";
import type { FileLock, FileSystem } from "./file_system.ts";
import type { KernelLock } from "./kernel_lock.ts";
import { livenessOf, tokensHeldHere } from "./lock_liveness.ts";
import {
  type LockRecord,
  ownerOf,
  readLockRecord,
  writeLockRecord,
} from "./lock_record.ts";

/** More rounds than this mean that something else is wrong. */
const ROUNDS_MAX = 32;

/** What tests put in the place of the system. */
export interface LockTools {
  readonly hardLink: (from: string, to: string) => Promise<void>;
  readonly livenessOf: typeof livenessOf;
}

const SYSTEM: LockTools = { hardLink: link, livenessOf };

/** A lock file, and what it takes to work on it. */
interface LockSite {
  readonly files: FileSystem;
  readonly path: string;
  readonly tools: LockTools;
}

/** One record of the chain. */
interface ChainLink {
  readonly path: string;
  readonly record: LockRecord;
}

/** Where the one who comes after this chain puts its record. */
function placeAfter(path: string, chain: readonly ChainLink[]): string {
  const last = chain.at(-1);
  return last === undefined ? path : `${path}.${last.record.token}`;
}

async function readChain({ files, path }: LockSite): Promise<ChainLink[]> {
  const chain: ChainLink[] = [];
  const tokens = new Set<string>();
  for (;;) {
    const place = placeAfter(path, chain);
    const record = await readLockRecord(files, place);
    // Only somebody who plays tricks makes a circle.
    if (record === undefined || tokens.has(record.token)) return chain;
    tokens.add(record.token);
    chain.push({ path: place, record });
  }
}

function tokensOf(chain: readonly ChainLink[]): string[] {
  return chain.map(({ record }) => record.token);
}

/** Whether the chain consists of these records now. */
async function isChain(
  site: LockSite,
  tokens: readonly string[],
): Promise<boolean> {
  return tokensOf(await readChain(site)).join() === tokens.join();
}

/** Rejects unless the last of the chain is dead, or there is none. */
async function checkVacant(
  { path, tools }: LockSite,
  last: ChainLink | undefined,
): Promise<void> {
  if (last === undefined) return;
  const { dead, hint } = await tools.livenessOf(last.record, last.path);
  if (dead) return;
  const owner = ownerOf(last.record);
  throw new StoreLockedError(path, owner, hint === undefined ? {} : { hint });
}

/** Writes a record in its place; not at all when the place is taken. */
async function writeInPlace(
  files: FileSystem,
  place: string,
  token: string,
): Promise<KernelLock | undefined> {
  try {
    return await writeLockRecord(files, place, token);
  } catch (error) {
    if (systemCode(error) === "EEXIST") return undefined;
    throw error;
  }
}

/**
 * Gives a new record its place in the chain, if that is free still. The record
 * appears whole or not at all, except where the disk knows no hard links.
 */
async function publish(
  { files, path, tools }: LockSite,
  place: string,
  token: string,
): Promise<KernelLock | undefined> {
  const draft = `${path}.${token}.draft`;
  const kernelLock = await writeLockRecord(files, draft, token);
  try {
    await tools.hardLink(draft, place);
    return kernelLock;
  } catch (error) {
    const code = systemCode(error);
    // Another was faster: it has the place, or has swept the draft away.
    if (code === "EEXIST" || code === "ENOENT") return kernelLock;
    kernelLock?.release();
    return await writeInPlace(files, place, token);
  } finally {
    await files.removeFile(draft).catch(() => {});
  }
}

/** Removes a record if it is still there and the one of `token`. */
async function removeOwn(
  files: FileSystem,
  place: string,
  token: string,
): Promise<void> {
  try {
    const record = await readLockRecord(files, place);
    if (record?.token === token) await files.removeFile(place);
  } catch (error) {
    const lost = error instanceof StoreLockedError ||
      ["ENOENT", "ENOTDIR"].includes(systemCode(error) ?? "");
    if (!lost) throw error;
  }
}

/** What follows the lock file's name in those of claims and drafts. */
const SUFFIX = /^\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(\.draft)?$/;

/**
 * Removes what those who died on their way to the lock have left. What can't be
 * removed is in nobody's way; the next holder tries again.
 */
async function sweep({ files, path }: LockSite): Promise<void> {
  const directory = dirname(path);
  const entries = await files.readDirectory(directory).catch(() => []);
  for (const { name } of entries) {
    const found = `${directory}/${name}`;
    if (!found.startsWith(path)) continue;
    if (!SUFFIX.test(found.slice(path.length))) continue;
    await files.removeFile(found).catch(() => {});
  }
}

function heldLock(
  { files, path }: LockSite,
  token: string,
  kernelLock: KernelLock | undefined,
): FileLock {
  let released: Promise<void> | undefined;
  const release = async () => {
    await removeOwn(files, path, token);
    kernelLock?.release();
    tokensHeldHere.delete(token);
  };
  return {
    release: () =>
      released ??= release().catch((error) => {
        released = undefined; // it is held still, and may be released later
        throw error;
      }),
  };
}

/**
 * Tries to come after a chain whose last holder is dead; `undefined` when the
 * chain has changed since it was read.
 */
async function takeOver(
  site: LockSite,
  chain: readonly ChainLink[],
): Promise<FileLock | undefined> {
  const { files, path } = site;
  const token = crypto.randomUUID();
  const place = placeAfter(path, chain);
  let kernelLock: KernelLock | undefined;
  let lock: FileLock | undefined;
  tokensHeldHere.add(token);
  try {
    kernelLock = await publish(site, place, token);
    // A place in a chain that another has left behind is worth nothing. From
    // here on the chain can't change: its last holder is alive.
    if (!await isChain(site, [...tokensOf(chain), token])) return undefined;
    if (place !== path) await files.rename(place, path);
    await sweep(site);
    return lock = heldLock(site, token, kernelLock);
  } finally {
    if (lock === undefined) {
      await removeOwn(files, place, token).catch(() => {});
      kernelLock?.release();
      tokensHeldHere.delete(token);
    }
  }
}

/**
 * Takes the lock of the file at `path` (absolute, `/`-separated).
 *
 * @throws {StoreLockedError} when a live process holds it, or one that may be
 * alive for all that can be known.
 */
export async function lockFile(
  files: FileSystem,
  path: string,
  tools: LockTools = SYSTEM,
): Promise<FileLock> {
  const site = { files, path, tools };
  // Another round follows only when another process has changed the chain.
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const chain = await readChain(site);
    await checkVacant(site, chain.at(-1));
    // If files were renamed meanwhile, the question was put to the wrong one;
    // and a record that follows a live holder must never be written.
    if (!await isChain(site, tokensOf(chain))) continue;
    const lock = await takeOver(site, chain);
    if (lock !== undefined) return lock;
  }
  throw new StoreLockedError(path, undefined, {
    hint: `it has changed hands ${ROUNDS_MAX} times meanwhile`,
  });
}

/**
 * Whether a live process holds the lock, or one that may be alive for all that
 * can be known. Takes nothing and changes nothing.
 */
export async function isLockHeld(
  files: FileSystem,
  path: string,
): Promise<boolean> {
  try {
    await checkVacant(
      { files, path, tools: SYSTEM },
      (await readChain({ files, path, tools: SYSTEM })).at(-1),
    );
    return false;
  } catch {
    // A lock that may not be read, or can't be understood, may be held.
    return true;
  }
}
