/**
 * The options of a directory as a place for snapshots.
 *
 * @module
 */

import type { OptionNames } from "../../option_names.ts";
import { requireInteger, requireType } from "../../backend/options.ts";
import type { FileSystem } from "../../fs/file_system.ts";
import type { LockOwner } from "../../lock_owner.ts";
import { nodeFileSystem } from "../../fs/node/file_system.ts";

/** Options of a directory that snapshots are kept in. */
export interface FileBackendOptions {
  /** The file operations to use. @default {the real file system} */
  readonly fileSystem?: FileSystem | undefined;
  /**
   * Whether opening removes unfinished snapshots. Those of this library are
   * removed at once, because the lock proves that their writer has ended. For
   * those of other programs see {@linkcode foreignTmpAgeMs}.
   *
   * @default {true}
   */
  readonly sweep?: boolean | undefined;
  /**
   * A `.tmp` directory of a program that does not use the lock, such as a Go
   * server, is left alone while the directory or a file in it was changed less
   * than this many milliseconds ago, or in the future; 0 or more. The program
   * may still be writing it.
   *
   * @default {3_600_000} an hour
   */
  readonly foreignTmpAgeMs?: number | undefined;
  /** Permission bits of new files. @default {0o600} */
  readonly fileMode?: number | undefined;
  /** Permission bits of new directories. @default {0o700} */
  readonly directoryMode?: number | undefined;
  /**
   * The identity of the host in the lock, instead of the host's name and the
   * boot of its kernel. A lock that was left by a dead process of the same
   * identity is taken over; give it where one machine or container comes back
   * under another name, such as a StatefulSet's or a volume's name. Two
   * machines must never have the same identity. @default {undefined}
   */
  readonly hostId?: string | undefined;
  /**
   * A holder of the lock that can't be seen from here, as `inspect()` gives it,
   * and that a person has found to be gone: the lock is taken from it. One that
   * is seen alive keeps the lock. @default {undefined}
   */
  readonly takeLockFrom?: LockOwner | undefined;
}

/** Their names. */
export const FILE_BACKEND_OPTIONS: OptionNames<FileBackendOptions> = {
  fileSystem: true,
  sweep: true,
  foreignTmpAgeMs: true,
  fileMode: true,
  directoryMode: true,
  hostId: true,
  takeLockFrom: true,
};

/** The options with every default filled in. */
export interface ResolvedFileBackendOptions {
  readonly fileSystem: FileSystem;
  readonly sweep: boolean;
  readonly foreignTmpAgeMs: number;
  readonly fileMode: number;
  readonly directoryMode: number;
  readonly hostId: string | undefined;
  readonly takeLockFrom: LockOwner | undefined;
}

/** The lock's record has to hold it. */
const HOST_ID_LENGTH_MAX = 256;

/**
 * Longer than a live writer makes no change, shorter than a disk takes to fill.
 */
const FOREIGN_TMP_AGE_MS_DEFAULT = 60 * 60 * 1000;

/**
 * Fills in the defaults.
 *
 * @throws {TypeError} when an option has the wrong type.
 * @throws {RangeError} when a number is out of its bounds.
 */
export function resolveFileBackendOptions(
  options: FileBackendOptions,
): ResolvedFileBackendOptions {
  const mode = (name: "fileMode" | "directoryMode", fallback: number) =>
    requireInteger(name, options[name] ?? fallback, 0, 0o777);
  return {
    fileSystem: options.fileSystem ?? nodeFileSystem,
    sweep: requireType("sweep", options.sweep ?? true, "boolean"),
    foreignTmpAgeMs: requireInteger(
      "foreignTmpAgeMs",
      options.foreignTmpAgeMs ?? FOREIGN_TMP_AGE_MS_DEFAULT,
      0,
    ),
    fileMode: mode("fileMode", 0o600),
    directoryMode: mode("directoryMode", 0o700),
    hostId: requireHostId(options.hostId),
    takeLockFrom: options.takeLockFrom,
  };
}

/**
 * An empty identity, such as that of an unset variable, would be the same for
 * all hosts.
 */
function requireHostId(hostId: string | undefined): string | undefined {
  if (hostId === undefined) return undefined;
  if (typeof hostId !== "string") {
    throw new TypeError(
      `Cannot use the option hostId: found ${typeof hostId}, expected a string`,
    );
  }
  if (hostId.length > 0 && hostId.length <= HOST_ID_LENGTH_MAX) return hostId;
  throw new RangeError(
    `Cannot use the option hostId: found ${hostId.length} characters, ` +
      `expected 1 to ${HOST_ID_LENGTH_MAX}`,
  );
}
