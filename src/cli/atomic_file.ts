/** Writes a file that gets its name only when it is whole and checked. */

import { randomUUID } from "node:crypto";
import { realpath } from "node:fs/promises";
import { basename, dirname } from "node:path";
import {
  type FileHandle,
  type FileStat,
  type FileSystem,
  SnapshotError,
  systemCode,
} from "../../mod.ts";
import { plainNodeFileSystem } from "../node/mod.ts";
import { CommandError } from "./failure.ts";
import { warn } from "./output.ts";
import { systemReason } from "./reason.ts";

/** How a file is written. */
export interface AtomicWrite<T> {
  /** Reads the file under its temporary name, and rejects when it is bad. */
  readonly check: (temporaryFile: string) => Promise<T>;
  /** Its permission bits. @default {0o600} */
  readonly mode?: number;
  /** Where the file is. @default {plainNodeFileSystem} */
  readonly fileSystem?: FileSystem;
}

/**
 * Writes the bytes under a temporary name beside the file's, has them checked
 * there, and then renames them to the file's name, which replaces an older file.
 * After a failure, also of the check, the older file is unchanged. Resolves to
 * the result of the check.
 */
export async function writeAtomically<T>(
  file: string,
  bytes: AsyncIterable<Uint8Array>,
  { check, mode = 0o600, fileSystem = plainNodeFileSystem }: AtomicWrite<T>,
): Promise<T> {
  const path = await targetOf(fileSystem, file);
  const temporary = `${path}.${randomUUID().slice(0, 8)}.tmp`;
  let found: T;
  try {
    const made = await fileSystem.open(temporary, "create", mode);
    await writeDurably(made, bytes);
    found = await check(temporary);
    await fileSystem.rename(temporary, path);
  } catch (error) {
    // The temporary file may not exist yet.
    await fileSystem.removeFile(temporary).catch(() => {});
    throw cannotWrite(file, error);
  }
  await syncParent(fileSystem, path);
  return found;
}

/**
 * The path of the file, or of a link's target.
 *
 * @throws {CommandError} when something other than a file is there.
 */
async function targetOf(fs: FileSystem, file: string): Promise<string> {
  const path = fs.resolve(file);
  const { kind } = await statOf(fs, path) ?? { kind: "file" };
  if (kind === "file") return path;
  if (kind === "symlink") {
    try {
      return await targetOf(fs, await realpath(path));
    } catch (error) {
      throw cannotWrite(file, error);
    }
  }
  if (kind === "directory") throw cannotWrite(file, { code: "EISDIR" });
  // A rename would replace /dev/null, if root runs the command.
  throw new CommandError(
    `Cannot write ${file}: not a regular file; give - for stdout`,
  );
}

async function statOf(
  fs: FileSystem,
  path: string,
): Promise<FileStat | undefined> {
  try {
    return await fs.stat(path);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw cannotWrite(path, error);
  }
}

/** Writes and closes the file. */
async function writeDurably(
  file: FileHandle,
  bytes: AsyncIterable<Uint8Array>,
): Promise<void> {
  try {
    let position = 0;
    for await (const chunk of bytes) {
      position += await writeFully(file, chunk, position);
    }
    // Survives: a power cut after the rename. Without it the file could be
    // empty under its final name, and the older file lost.
    await file.sync();
  } catch (error) {
    // The caller needs the first error.
    await file.close().catch(() => {});
    throw error;
  }
  await file.close();
}

/** Writes all of the bytes, however few the system takes at a time. */
async function writeFully(
  file: FileHandle,
  bytes: Uint8Array,
  position: number,
): Promise<number> {
  let done = 0;
  while (done < bytes.length) {
    const count = await file.write(bytes.subarray(done), position + done);
    if (count <= 0) {
      throw new CommandError(
        `Cannot write ${bytes.length - done} bytes: the system took none`,
      );
    }
    done += count;
  }
  return done;
}

/** The codes by which platforms say that they can't sync a directory. */
const NO_DIRECTORY_SYNC: ReadonlySet<string | undefined> = new Set(
  ["EINVAL", "ENOTSUP", "EPERM", "EISDIR"],
);

async function syncParent(fs: FileSystem, path: string): Promise<void> {
  try {
    // Survives: a power cut after the command has said that it is done.
    // Without it the name could be missing, or still be the old file's.
    await fs.syncDirectory(dirname(path));
  } catch (error) {
    const code = systemCode(error);
    if (!NO_DIRECTORY_SYNC.has(code)) throw cannotWrite(path, error);
    warn(
      `Cannot sync directories (${code}): after a power cut ` +
        `${basename(path)} may be missing`,
    );
  }
}

/** Adds the file's name to an error of the system; other errors name theirs. */
function cannotWrite(file: string, error: unknown): unknown {
  const isOurs = error instanceof SnapshotError ||
    error instanceof CommandError;
  if (isOurs || systemCode(error) === undefined) return error;
  return new CommandError(`Cannot write ${file}: ${systemReason(error)}`, {
    cause: error,
  });
}
