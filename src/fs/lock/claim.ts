/**
 * A record of this process that is to get the lock, with the proofs that its
 * holder is alive: a kernel lock, a socket.
 *
 * @module
 */

import type { FileHandle, FileSystem } from "../file_system.ts";
import { writeFully } from "../io.ts";
import { type KernelLock, takeKernelLock } from "./kernel_lock.ts";
import { namedRecordPath, socketPath } from "./names.ts";
import { recordOfThisProcess } from "./record.ts";
import type { listenAt, LockSocket } from "./socket.ts";

/** A lock file, and the functions to work on it. */
export interface LockSite {
  readonly files: FileSystem;
  /** The lock file. */
  readonly path: string;
  /** Permission bits of the lock's files. */
  readonly mode: number;
  /** Which identity stands for this host. */
  readonly hostId: string | null;
  /** Gives a file a second name. */
  readonly hardLink: (from: string, to: string) => Promise<void>;
  /** Listens on a new socket that has the mode of another file. */
  readonly listenAt: typeof listenAt;
}

/** How a record is written. */
export interface ClaimOptions {
  readonly token: string;
  /** Whether the holder is to listen on a socket. */
  readonly listens: boolean;
  /** Whether the record goes into a name, because the disk is full. */
  readonly inName: boolean;
}

/** A record, with the kernel lock, the socket and the name of its holder. */
export class LockClaim {
  kernelLock: KernelLock | undefined;
  socket: LockSocket | undefined;
  /** The name that holds the record of an empty file. */
  name: string | undefined;

  /**
   * Whether other processes can see for themselves that the lock is given up.
   */
  get isProvable(): boolean {
    return this.kernelLock !== undefined || this.socket !== undefined;
  }

  /** Ends the proofs of life. The name of an empty record stays. */
  async end(): Promise<void> {
    const { socket, kernelLock } = this;
    this.socket = this.kernelLock = undefined;
    kernelLock?.release();
    await socket?.close();
  }

  /** Ends, and removes the name. A name that stays is swept later. */
  async remove(files: FileSystem): Promise<void> {
    await this.end();
    if (this.name !== undefined) {
      await files.removeFile(this.name).catch(() => {});
    }
  }
}

/**
 * Fills a new file. The proofs of life come before the record's first byte, so
 * that every process that can read the record can rely on them; and after the
 * file's name, so that a sweep that removes the socket has removed the file
 * before, which then can't become a record any more.
 */
async function fill(
  site: LockSite,
  opened: { readonly handle: FileHandle; readonly path: string },
  options: ClaimOptions & { readonly claim: LockClaim },
): Promise<void> {
  const { handle, path } = opened;
  const { token, claim } = options;
  claim.kernelLock = await takeKernelLock(path);
  if (options.listens) {
    claim.socket = await site.listenAt(socketPath(site.path, token), path);
  }
  const record = await recordOfThisProcess(site.path, {
    token,
    hostId: site.hostId,
    kernel: claim.kernelLock !== undefined,
    listens: claim.socket !== undefined,
  });
  if (options.inName) {
    const name = namedRecordPath(site.path, record);
    await site.hardLink(path, name);
    claim.name = name;
  } else {
    const text = JSON.stringify(record) + "\n";
    await writeFully(handle, new TextEncoder().encode(text), 0);
  }
  // Survives: a power cut that keeps the name. It would find an empty file,
  // which can't be told from one that is being written.
  await handle.sync();
}

/** Writes a record of this process to a new file at `path`. */
export async function writeClaim(
  site: LockSite,
  path: string,
  options: ClaimOptions,
): Promise<LockClaim> {
  const { files, mode } = site;
  const handle = await files.open(path, "create", mode);
  const claim = new LockClaim();
  try {
    try {
      await fill(site, { handle, path }, { ...options, claim });
    } finally {
      await handle.close();
    }
    return claim;
  } catch (error) {
    // The first error is the one that matters.
    await claim.remove(files).catch(() => {});
    await files.removeFile(path).catch(() => {});
    throw error;
  }
}
