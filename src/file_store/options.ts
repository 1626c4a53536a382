/**
 * The options of a file store, and the checks of what callers pass.
 *
 * @module
 */

import type { FileSystem } from "../fs/file_system.ts";
import { nodeFileSystem } from "../fs/node/file_system.ts";
import { printable } from "../text.ts";

/**
 * Where a store reports what it does: any object like `console`. A message is
 * one line of printable text: control characters in file names and in errors of
 * the system are shown as `\u001b`.
 */
export interface Logger {
  /** What helps to follow the store's work. */
  debug(message: string): void;
  /** What an operator may want to know. */
  info(message: string): void;
  /** What an operator should look at. */
  warn(message: string): void;
  /** What went wrong. */
  error(message: string): void;
}

/** Options of `openFileSnapshotStore()`. */
export interface FileSnapshotStoreOptions {
  /**
   * How many snapshots to keep; an integer of 1 or more.
   * `Number.MAX_SAFE_INTEGER` keeps all of them. @default {2}
   */
  readonly retain?: number;
  /** The file operations to use. @default {the real file system} */
  readonly fileSystem?: FileSystem;
  /** Where to report. @default {warnings and errors go to the console} */
  readonly logger?: Logger;
  /** Takes no lock, cleans nothing up, writes nothing. @default {false} */
  readonly readOnly?: boolean;
  /**
   * Whether opening removes what was left unfinished. Snapshots of this library
   * go at once, because the lock proves that their writer has ended. Of what
   * another program was writing, see {@linkcode foreignTmpAgeMs}.
   *
   * @default {true}
   */
  readonly sweep?: boolean;
  /**
   * A `.tmp` directory of a program that knows no lock, such as a Go server, is
   * left alone as long as the directory or a file in it was changed less than
   * so many milliseconds ago, or later than now; 0 or more. The program may
   * still be writing it.
   *
   * @default {3_600_000} an hour
   */
  readonly foreignTmpAgeMs?: number;
  /** The time in milliseconds since 1970. @default {Date.now} */
  readonly clock?: () => number;
  /** Permission bits of new files. @default {0o600} */
  readonly fileMode?: number;
  /**
   * Which identity stands for the host in the lock, instead of the host's name
   * and the run of its kernel. A lock that was left by a dead process of the
   * same identity is taken over; give it where one machine or container comes
   * back under another name, such as a StatefulSet's or a volume's name. Two
   * machines must never have the same. @default {undefined}
   */
  readonly hostId?: string | undefined;
  /** Permission bits of new directories. @default {0o700} */
  readonly directoryMode?: number;
  /**
   * Bytes that are written and checked at a time; from 512 to 64 MiB. A stream
   * holds a handful of such blocks in memory. @default {1 MiB}
   */
  readonly blockSize?: number;
}

/** The options with every default filled in. */
export type ResolvedOptions =
  & Required<Omit<FileSnapshotStoreOptions, "hostId">>
  & { readonly hostId: string | undefined };

/** Smallest block in bytes. */
export const BLOCK_SIZE_MIN = 512;
/** Largest block in bytes: a stream holds a handful of them. */
export const BLOCK_SIZE_MAX = 64 * 1024 * 1024;

/** The lock's record has to hold it. */
const HOST_ID_LENGTH_MAX = 256;

const BLOCK_SIZE_DEFAULT = 1024 * 1024;

/** Longer than a live writer is silent for, shorter than a disk takes to fill. */
const FOREIGN_TMP_AGE_MS_DEFAULT = 60 * 60 * 1000;

const QUIET_LOGGER: Logger = {
  debug() {},
  info() {},
  warn: (message) => console.warn(message),
  error: (message) => console.error(message),
};

/**
 * Fills in the defaults.
 *
 * @throws {TypeError} when an option has the wrong type.
 * @throws {RangeError} when a number is out of its bounds.
 */
export function resolveOptions(
  options: FileSnapshotStoreOptions,
): ResolvedOptions {
  const clock = options.clock ?? Date.now;
  if (typeof clock !== "function") {
    throw new TypeError(
      `Cannot use the option clock: found ${typeof clock}, expected a function`,
    );
  }
  const sweep = options.sweep ?? true;
  if (typeof sweep !== "boolean") {
    throw new TypeError(
      `Cannot use the option sweep: found ${typeof sweep}, expected a boolean`,
    );
  }
  return {
    retain: requireInteger("retain", options.retain ?? 2, 1),
    fileSystem: options.fileSystem ?? nodeFileSystem,
    logger: guardLogger(options.logger ?? QUIET_LOGGER),
    readOnly: options.readOnly ?? false,
    sweep,
    foreignTmpAgeMs: requireInteger(
      "foreignTmpAgeMs",
      options.foreignTmpAgeMs ?? FOREIGN_TMP_AGE_MS_DEFAULT,
      0,
    ),
    clock,
    hostId: requireHostId(options.hostId),
    fileMode: requireInteger("fileMode", options.fileMode ?? 0o600, 0, 0o777),
    directoryMode: requireInteger(
      "directoryMode",
      options.directoryMode ?? 0o700,
      0,
      0o777,
    ),
    blockSize: requireInteger(
      "blockSize",
      options.blockSize ?? BLOCK_SIZE_DEFAULT,
      BLOCK_SIZE_MIN,
      BLOCK_SIZE_MAX,
    ),
  };
}

/**
 * The logger, checked: when it is needed something has gone wrong, which must
 * not get lost; and a logger that throws or rejects must not decide what becomes
 * of a snapshot.
 */
function guardLogger(logger: Logger): Logger {
  const guard = (level: keyof Logger) => {
    if (typeof logger[level] !== "function") {
      throw new TypeError(
        `Cannot use the option logger: found no ${level}(), expected a function`,
      );
    }
    return (message: string) => {
      try {
        const result: unknown = logger[level](printable(message));
        // A rejection that is not handled would end a Node process.
        if (result !== undefined) Promise.resolve(result).catch(() => {});
      } catch {
        // A logger that fails leaves nothing to report its failure to.
      }
    };
  };
  return {
    debug: guard("debug"),
    info: guard("info"),
    warn: guard("warn"),
    error: guard("error"),
  };
}

/** An identity of nothing would be the same for all hosts: an unset variable. */
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

function requireInteger(
  name: string,
  value: number,
  min: number,
  max = Number.MAX_SAFE_INTEGER,
): number {
  if (typeof value !== "number") {
    throw new TypeError(
      `Cannot use the option ${name}: found ${typeof value}, expected a number`,
    );
  }
  if (Number.isSafeInteger(value) && value >= min && value <= max) return value;
  throw new RangeError(
    `Cannot use the option ${name}: found ${value}, ` +
      `expected an integer from ${min} to ${max}`,
  );
}
