/**
 * The chain of records that begins at a lock file, and who holds the lock by
 * it. `lock.ts` explains how the chain comes about.
 *
 * @module
 */

import { type LockHeldDetails, LockHeldError } from "../lock_held_error.ts";
import type { LockOwner } from "../../lock_owner.ts";
import { node } from "../../runtime/node.ts";
import { isOutOfResources } from "../../system_code.ts";
import { describe } from "../../text.ts";
import type { FileSystem, LockOptions, LockState } from "../file_system.ts";
import type { LockSite } from "./claim.ts";
import { tokensGivenUpHere } from "./held_tokens.ts";
import { type Liveness, livenessOf } from "./liveness.ts";
import { recordOfEmptyFile, socketPath } from "./names.ts";
import { type LockRecord, ownerOf, readLockRecord } from "./record.ts";
import { listenAt } from "./socket.ts";

/** The parts of the system that tests replace. */
export interface LockTools extends Pick<LockSite, "hardLink" | "listenAt"> {
  readonly livenessOf: typeof livenessOf;
}

/** The options and tools for taking a lock. */
export interface LockFileOptions extends LockOptions {
  readonly tools?: LockTools;
}

const SYSTEM: LockTools = {
  hardLink: (from, to) => node.fs.promises.link(from, to),
  listenAt,
  livenessOf,
};

/** A lock file, and the tools for taking it. */
export type Site = LockSite & LockTools & Pick<LockOptions, "takeFrom">;

/** A lock file, with the defaults of its options. */
export function siteOf(
  files: FileSystem,
  path: string,
  { mode = 0o600, hostId, takeFrom, tools = SYSTEM }: LockFileOptions = {},
): Site {
  return { files, path, mode, hostId: hostId ?? null, takeFrom, ...tools };
}

/** One record of the chain. */
export interface ChainLink {
  readonly path: string;
  readonly record: LockRecord;
}

/** The place for the next record of the chain. */
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
    // A circle never comes about by itself: a person or program has made it.
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

/** Finds out whether the holder that a record of the chain names is alive. */
function checkHolder({ path, hostId, livenessOf }: Site, last: ChainLink) {
  return livenessOf(last.record, {
    path: last.path,
    socket: socketPath(path, last.record.token),
    hostId,
  });
}

/** Whether a person has found the holder to be gone, who can't be seen. */
function isGivenUp({ takeFrom }: Site, owner: LockOwner): boolean {
  return takeFrom !== undefined && takeFrom.pid === owner.pid &&
    takeFrom.host === owner.host && takeFrom.since === owner.since;
}

/** Rejects unless the chain is empty or its last holder is dead. */
export async function checkVacant(
  site: Site,
  last: ChainLink | undefined,
): Promise<void> {
  if (last === undefined) return;
  const liveness = await checkHolder(site, last);
  const { dead, hint } = liveness;
  if (dead) return;
  const owner = ownerOf(last.record);
  if (holderOf(liveness) === "unknown" && isGivenUp(site, owner)) return;
  throw new LockHeldError(site.path, { owner, hint });
}

/** See `FileSystem.readLock()`. */
export async function readLock(
  files: FileSystem,
  path: string,
  options: LockFileOptions = {},
): Promise<LockState | undefined> {
  const site = siteOf(files, path, options);
  try {
    const last = (await readChain(site)).at(-1);
    if (last === undefined) return undefined;
    const owner = ownerOf(last.record);
    // Not checked, because this process would look as if it still held the
    // lock.
    if (tokensGivenUpHere.has(last.record.token)) {
      return { owner, holder: "dead", hint: undefined };
    }
    const liveness = await checkHolder(site, last);
    return { owner, holder: holderOf(liveness), hint: liveness.hint };
  } catch (error) {
    if (isOutOfResources(error)) throw error;
    const hint = (error as LockHeldDetails | undefined)?.hint ??
      describe(error);
    return { owner: undefined, holder: "unknown", hint };
  }
}

function holderOf({ dead, here, hint }: Liveness): LockState["holder"] {
  if (dead) return "dead";
  if (here) return "here";
  // There is advice only where neither life nor death is proven.
  return hint === undefined ? "alive" : "unknown";
}
