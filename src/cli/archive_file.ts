/** Reads an archive from a file or stdin to its end, and checks it. */

import { stat } from "node:fs/promises";
import { type ArchiveMeta, readArchive } from "../archive/mod.ts";
import { Crc64 } from "../crc64/mod.ts";
import { isBucket } from "./buckets.ts";
import { CommandError, exitCodeOf } from "./failure.ts";
import { openInput } from "./input.ts";
import { startProgress } from "./progress.ts";
import { systemReason } from "./reason.ts";

/** An archive that has passed every check. */
export interface CheckedArchive {
  /** The snapshot's metadata. */
  readonly meta: ArchiveMeta;
  /** CRC-64/XZ of its state, which an archive does not have. */
  readonly crc: bigint;
  /** The archive's own length in bytes. */
  readonly fileSize: number;
  /** The members that could not be checked. */
  readonly unchecked: readonly string[];
}

/**
 * Whether a path is that of an archive, and not of a store: everything but a
 * directory counts as an archive, and `-` is an archive on stdin.
 */
export async function isArchive(path: string): Promise<boolean> {
  if (path === "-") return true;
  if (isBucket(path)) return false;
  try {
    return !(await stat(path)).isDirectory();
  } catch (error) {
    throw new CommandError(`Cannot read ${path}: ${systemReason(error)}`, {
      cause: error,
      exitCode: exitCodeOf(error),
    });
  }
}

/**
 * Reads a whole archive; messages call it `name`.
 *
 * @throws {SnapshotArchiveError} when the archive is bad.
 */
export async function checkArchive(
  file: string,
  options: { readonly name?: string; readonly signal?: AbortSignal } = {},
): Promise<CheckedArchive> {
  const { name = file, signal } = options;
  const input = await openInput(file, signal);
  const progress = startProgress(`Checking ${name}`);
  const crc = new Crc64();
  const unchecked: string[] = [];
  let fileSize = 0;
  try {
    const counted = async function* () {
      for await (const chunk of input.chunks()) {
        fileSize += chunk.length;
        yield chunk;
      }
    };
    const source = await readArchive(counted(), {
      onProgress: ({ done, total }) => progress.update(done, total),
      onUnchecked: (member) => unchecked.push(member),
    });
    for await (const chunk of source) crc.update(chunk);
    return { meta: source.meta, crc: crc.digest(), fileSize, unchecked };
  } finally {
    progress.stop();
    input.close();
  }
}
