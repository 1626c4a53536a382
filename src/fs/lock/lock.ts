/**
 * The lock of a real directory: a file that names its holder.
 *
 * No system that runs everywhere takes a lock file from a dead process in one
 * step, so there can be a chain of records. The first is at `.lock`; the one
 * that took the lock from the record with token T is at `.lock.T`. The last of
 * the chain holds the lock. Joining the chain is `link()`, which is atomic and
 * fails when the name is taken: so exactly one process can succeed a dead
 * holder. It then moves its record to `.lock`.
 *
 * @module
 */

import { systemCode } from "../../errors.ts";
import { LockHeldError } from "../lock_held_error.ts";
import { isFull } from "../../system_code.ts";
import type { FileLock, FileSystem } from "../file_system.ts";
import { tokensGivenUpHere, tokensHeldHere } from "./held_tokens.ts";
import {
  type ChainLink,
  checkVacant,
  isChain,
  type LockFileOptions,
  placeAfter,
  readChain,
  readRecord,
  siteOf,
  tokensOf,
} from "./chain.ts";
import { type LockClaim, type LockSite, writeClaim } from "./claim.ts";
import { namesBeside, pendingPath } from "./names.ts";
import { ownerOf } from "./record.ts";

/** More rounds than this mean that something else is wrong. */
const ROUNDS_MAX = 32;

/** A record that is to get a place in the chain. */
interface Candidate {
  readonly token: string;
  readonly inName: boolean;
}

/** Writes a record in its place; not at all when the place is taken. */
async function writeInPlace(
  site: LockSite,
  place: string,
  token: string,
): Promise<LockClaim | undefined> {
  try {
    return await writeClaim(site, place, {
      token,
      // Without a pending file, a sweep could remove the socket of the winner.
      listens: false,
      inName: false,
    });
  } catch (error) {
    if (systemCode(error) === "EEXIST") return undefined;
    throw error;
  }
}

/**
 * Gives a new record its place in the chain, if that is still free. The record
 * appears whole or not at all, except where the disk knows no hard links.
 */
async function takePlace(
  site: LockSite,
  place: string,
  { token, inName }: Candidate,
): Promise<LockClaim | undefined> {
  const { files, path } = site;
  const pending = pendingPath(path, token);
  const claim = await writeClaim(site, pending, {
    token,
    listens: true,
    inName,
  });
  try {
    await site.hardLink(pending, place);
    return claim;
  } catch (error) {
    const code = systemCode(error);
    // Another process has taken the place first, or has swept the pending file.
    // Or the link was made but reported as failed, as NFS may do. The chain
    // shows which.
    if (code === "EEXIST" || code === "ENOENT") return claim;
    // The record that others could find goes first, then the socket that it
    // names.
    await removeOwn(site, place, token);
    await claim.remove(files);
    return await writeInPlace(site, place, token);
  } finally {
    await files.removeFile(pending).catch(() => {});
  }
}

/** Removes a record if it is still there and the one of `token`. */
async function removeOwn(
  site: LockSite,
  place: string,
  token: string,
): Promise<void> {
  try {
    const record = await readRecord(site, place);
    if (record?.token === token) await site.files.removeFile(place);
  } catch (error) {
    const lost = error instanceof LockHeldError ||
      ["ENOENT", "ENOTDIR"].includes(systemCode(error) ?? "");
    if (!lost) throw error;
  }
}

/**
 * Removes the files of processes that died while they took the lock, and the
 * sockets of dead holders. A file that can't be removed blocks no other process;
 * the next holder tries again.
 */
async function removeDeadClaims(
  { files, path }: LockSite,
  ownToken: string,
): Promise<void> {
  const names = await namesBeside(files, path).catch(() => []);
  for (const { path: found, token } of names) {
    if (token === ownToken) continue;
    try {
      // A process makes its pending file before its socket, and can't win
      // without that file: so the socket of a later holder is never swept.
      await removeIfThere(files, pendingPath(path, token));
      await removeIfThere(files, found);
    } catch {
      continue;
    }
  }
}

async function removeIfThere(files: FileSystem, path: string): Promise<void> {
  try {
    await files.removeFile(path);
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw error;
  }
}

/** Gives a lock up, also when its file can't be removed. */
async function release(
  site: LockSite,
  token: string,
  claim: LockClaim,
): Promise<void> {
  try {
    await removeOwn(site, site.path, token);
  } catch (error) {
    tokensGivenUpHere.set(token, "left");
    await claim.end();
    throw error;
  }
  await claim.remove(site.files);
  tokensHeldHere.delete(token);
}

function heldLock(
  site: LockSite,
  token: string,
  claim: LockClaim,
): Pick<FileLock, "release"> {
  // Others may have seen it end already, and be about to take the lock.
  const { isProvable } = claim;
  let released: Promise<void> | undefined;
  const releaseAgain = async () => {
    if (isProvable || tokensGivenUpHere.get(token) === "seen") return;
    tokensGivenUpHere.delete(token);
    await release(site, token, claim);
  };
  const start = () =>
    tokensGivenUpHere.has(token) ? releaseAgain() : release(site, token, claim);
  return {
    release: () =>
      released ??= start().catch((error) => {
        released = undefined; // may be tried again
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
  inName: boolean,
): Promise<FileLock | undefined> {
  const { files, path } = site;
  const token = crypto.randomUUID();
  const place = placeAfter(path, chain);
  let claim: LockClaim | undefined;
  let lock: FileLock | undefined;
  tokensHeldHere.add(token);
  try {
    claim = await takePlace(site, place, { token, inName });
    // A place in a chain that is out of date is worthless. From here on the
    // chain can't change, because its last holder is alive.
    if (claim === undefined) return undefined;
    if (!await isChain(site, [...tokensOf(chain), token])) return undefined;
    if (place !== path) await files.rename(place, path);
    await removeDeadClaims(site, token);
    const dead = chain.at(-1)?.record;
    const takenOverFrom = dead && ownerOf(dead);
    return lock = { ...heldLock(site, token, claim), takenOverFrom };
  } finally {
    if (lock === undefined) await withdraw(site, place, { token, claim });
  }
}

/** Removes a record that did not get the lock, or whose holder has failed. */
async function withdraw(
  site: LockSite,
  place: string,
  { token, claim }: {
    readonly token: string;
    readonly claim?: LockClaim | undefined;
  },
): Promise<void> {
  try {
    await removeOwn(site, place, token);
    await claim?.remove(site.files);
  } catch {
    // The caller needs the error that led here. The record counts as dead.
    tokensGivenUpHere.set(token, "left");
    await claim?.end();
  }
  tokensHeldHere.delete(token);
}

/** Takes over; on a full disk, with a record that needs no block. */
async function takeOverAnyhow(
  site: LockSite,
  chain: readonly ChainLink[],
): Promise<FileLock | undefined> {
  try {
    return await takeOver(site, chain, false);
  } catch (error) {
    if (!isFull(error)) throw error;
    return await takeOver(site, chain, true);
  }
}

/**
 * Takes the lock of the file at `path` (absolute, `/`-separated).
 *
 * @throws {LockHeldError} when a live process holds the lock, or one whose end
 * can't be proven.
 */
export async function lockFile(
  files: FileSystem,
  path: string,
  options: LockFileOptions = {},
): Promise<FileLock> {
  const site = siteOf(files, path, options);
  // Another round follows only when another process has changed the chain.
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const chain = await readChain(site);
    await checkVacant(site, chain.at(-1));
    // If files were renamed meanwhile, the wrong holder was checked, and a
    // record that follows a live holder must never be written.
    if (!await isChain(site, tokensOf(chain))) continue;
    const lock = await takeOverAnyhow(site, chain);
    if (lock !== undefined) return lock;
  }
  throw new LockHeldError(path, {
    hint: `the lock has changed hands ${ROUNDS_MAX} times meanwhile`,
  });
}
