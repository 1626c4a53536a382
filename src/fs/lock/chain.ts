/**
 * The chain of records that begins at a lock file, and who holds the lock by
 * it. How the chain comes about is said in `node_lock.ts`.
 *
 * @module
 */

import { LockHeldError } from "../lock_held_error.ts";
import { node } from "../../runtime/node.ts";
import type { FileSystem, LockOptions } from "../file_system.ts";
import type { LockSite } from "./claim.ts";
import { livenessOf } from "./liveness.ts";
import { recordOfEmptyFile, socketPath } from "./names.ts";
import { type LockRecord, ownerOf, readLockRecord } from "./record.ts";
import { listenAt } from "./socket.ts";

/** What tests put in the place of the system. */
export interface LockTools extends Pick<LockSite, "hardLink" | "listenAt"> {
  readonly livenessOf: typeof livenessOf;
}

/** How to take a lock, and by what. */
export interface LockFileOptions extends LockOptions {
  readonly tools?: LockTools;
}

const SYSTEM: LockTools = {
  hardLink: (from, to) => node.fs.promises.link(from, to),
  listenAt,
  livenessOf,
};

/** A lock file with all that it takes to take the lock. */
export type Site = LockSite & LockTools;

/** A lock file, with the defaults of its options. */
export function siteOf(
  files: FileSystem,
  path: string,
  { mode = 0o600, hostId, tools = SYSTEM }: LockFileOptions = {},
): Site {
  return { files, path, mode, hostId: hostId ?? null, ...tools };
}

/** One record of the chain. */
export interface ChainLink {
  readonly path: string;
  readonly record: LockRecord;
}

/** Where the one who comes after this chain puts its record. */
export function placeAfter(path: string, chain: readonly ChainLink[]): string {
  const last = chain.at(-1);
  return last === undefined ? path : `${path}.${last.record.token}`;
}

/** The record at a place, which may be that of a full disk. */
export function readRecord(
  { files, path }: LockSite,
  place: string,
): Promise<LockRecord | undefined> {
  const ofEmptyFile = () => recordOfEmptyFile(files, path, place);
  return readLockRecord(files, place, ofEmptyFile);
}

export async function readChain(site: LockSite): Promise<ChainLink[]> {
  const chain: ChainLink[] = [];
  const tokens = new Set<string>();
  for (;;) {
    const place = placeAfter(site.path, chain);
    const record = await readRecord(site, place);
    // Only a person who plays tricks makes a circle.
    if (record === undefined || tokens.has(record.token)) return chain;
    tokens.add(record.token);
    chain.push({ path: place, record });
  }
}

export function tokensOf(chain: readonly ChainLink[]): string[] {
  return chain.map(({ record }) => record.token);
}

/** Whether the chain consists of these records now. */
export async function isChain(
  site: LockSite,
  tokens: readonly string[],
): Promise<boolean> {
  return tokensOf(await readChain(site)).join() === tokens.join();
}

/** Rejects unless the last of the chain is dead, or there is none. */
export async function checkVacant(
  site: Site,
  last: ChainLink | undefined,
): Promise<void> {
  if (last === undefined) return;
  const { path, hostId } = site;
  const { dead, hint } = await site.livenessOf(last.record, {
    path: last.path,
    socket: socketPath(path, last.record.token),
    hostId,
  });
  if (dead) return;
  const owner = ownerOf(last.record);
  throw new LockHeldError(path, { owner, hint });
}

/**
 * Whether a live process holds the lock, or one that may be alive for all that
 * can be known. `hostId` identifies this host. Takes nothing and changes
 * nothing.
 */
export async function isLockHeld(
  files: FileSystem,
  path: string,
  hostId?: string,
): Promise<boolean> {
  try {
    const site = siteOf(files, path, { hostId });
    await checkVacant(site, (await readChain(site)).at(-1));
    return false;
  } catch {
    // A lock that may not be read, or can't be understood, may be held.
    return true;
  }
}
