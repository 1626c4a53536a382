/**
 * Faults: which file operation fails, and how.
 *
 * @module
 */

/** The operations of a file system, its handles and its locks. */
export type OperationName =
  | "makeDirectory"
  | "open"
  | "readDirectory"
  | "stat"
  | "rename"
  | "removeFile"
  | "removeDirectory"
  | "holdDirectory"
  | "syncDirectory"
  | "lock"
  | "readLock"
  | "release"
  | "statHandle"
  | "read"
  | "write"
  | "sync"
  | "close";

/** One call of the file system or of a handle. */
export interface Operation {
  /** How many operations there were before it. */
  readonly index: number;
  /** The method. */
  readonly name: OperationName;
  /** The path; for a handle, the one that it was opened by. */
  readonly path: string;
  /** The new name, for `rename`. */
  readonly to?: string | undefined;
}

/** The fault of an operation. All fields that are given apply. */
export interface Fault {
  /**
   * The operation does not begin before this is settled, and fails if this
   * rejects.
   */
  readonly wait?: PromiseLike<unknown> | undefined;
  /** The system's code that the operation fails with, such as `"ENOSPC"`. */
  readonly code?: string | undefined;
  /**
   * Whether it fails before it has done anything, or after it has done
   * everything. A `close` releases the handle either way, and an `open` or
   * `lock` that fails leaves nothing open or locked.
   *
   * @default {"before"}
   */
  readonly when?: "before" | "after" | undefined;
  /** The most bytes that a `read` or `write` deals with. */
  readonly length?: number | undefined;
}

/** Decides before each operation which fault it has, if any. */
export type Injector = (operation: Operation) => Fault | undefined;

/** Fails the operation of that index, before it has done anything. */
export function failAt(index: number, code: string): Injector {
  return (operation) => operation.index === index ? { code } : undefined;
}

/** Options of {@linkcode failOn}. */
export interface FailOnOptions extends Pick<Fault, "when"> {
  /**
   * How often the operation fails before it succeeds again. @default {Infinity}
   */
  readonly times?: number | undefined;
  /**
   * Fails only paths that match; for a `rename`, either path. @default {/^/}
   */
  readonly path?: RegExp | undefined;
}

/** Fails the operations of that name. */
export function failOn(
  name: OperationName,
  code: string,
  options: FailOnOptions = {},
): Injector {
  const { times = Infinity, path = /^/, when = "before" } = options;
  let left = times;
  return (operation) => {
    const paths = [operation.path, operation.to ?? operation.path];
    if (operation.name !== name || left <= 0) return undefined;
    // search(), because test() of a global expression remembers its last match.
    if (paths.every((it) => it.search(path) === -1)) return undefined;
    left--;
    return { code, when };
  };
}
