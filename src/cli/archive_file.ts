/** Reads an archive from a file or stdin to its end, and checks it. */

import { type ArchiveMeta, readArchive } from "../archive/mod.ts";
import { Crc64 } from "../crc64/mod.ts";
import { openInput } from "./input.ts";
import { startProgress } from "./progress.ts";

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

/** How an archive is checked. */
export interface CheckOptions {
  /** The archive's name in messages. @default {the file} */
  readonly name?: string;
  readonly signal?: AbortSignal;
  /** Gets the state; not to be trusted before all of it is read. */
  readonly take?: (chunk: Uint8Array) => Promise<void> | void;
}

/**
 * Reads a whole archive.
 *
 * @throws {SnapshotArchiveError} when the archive is bad.
 */
export async function checkArchive(
  file: string,
  options: CheckOptions = {},
): Promise<CheckedArchive> {
  const { name = file, signal, take = () => {} } = options;
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
    for await (const chunk of source) {
      crc.update(chunk);
      await take(chunk);
    }
    return { meta: source.meta, crc: crc.digest(), fileSize, unchecked };
  } finally {
    progress.stop();
    input.close();
  }
}
