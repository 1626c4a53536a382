/**
 * The codes of the system's errors, by the same names on every runtime.
 *
 * @module
 */

/**
 * Codes that Node and Deno have no name for, by the numbers that Linux gives
 * them; 69 is macOS's, as its headers have it (not run there). (A number that
 * another system uses for something else is of a code that has a name there.)
 */
const UNNAMED: ReadonlyMap<number, string> = new Map([
  [61, "ENODATA"],
  [69, "EDQUOT"],
  [74, "EBADMSG"],
  [117, "EUCLEAN"],
  [121, "EREMOTEIO"],
  [122, "EDQUOT"],
]);

/** The fields that an error of the system may have. */
interface SystemFields {
  readonly code?: unknown;
  readonly errno?: unknown;
  readonly message?: unknown;
}

function numberIn(text: unknown, pattern: RegExp): number {
  return typeof text === "string" ? Number(pattern.exec(text)?.[1]) : NaN;
}

/** The number of an error for which its runtime has no name. */
function numberOf({ code, errno, message }: SystemFields): number {
  // Node, of every operation.
  if (code !== undefined && code !== "UNKNOWN") {
    return numberIn(code, /^Unknown system error -(\d+)$/);
  }
  // Deno, of an operation on a path, and of one on an open file, which gives
  // the number in its message only.
  return typeof errno === "number"
    ? -errno
    : numberIn(message, /\(os error (\d+)\)$/);
}

/** The code of a system error that has none, or no better one than a number. */
export function unnamedCode(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null) return undefined;
  return UNNAMED.get(numberOf(error));
}

/** Errors can be their own cause; chains of real ones are short. */
const CAUSES_MAX = 16;

/** An error and its causes, the nearest first. */
export function* withCauses(error: unknown): Generator<unknown, void, void> {
  let each = error;
  for (let i = 0; i < CAUSES_MAX && each !== undefined; i++) {
    yield each;
    // Node's error for all addresses of a host has the error of each.
    each = fieldOf(each, "cause") ?? fieldOf(fieldOf(each, "errors"), "0");
  }
}

/** A field of a value that may be anything, whose getter may throw. */
function fieldOf(value: unknown, name: string): unknown {
  try {
    return (value as Record<string, unknown> | null | undefined)?.[name];
  } catch {
    return undefined;
  }
}

/** The code of one error, whatever its causes have. */
function ownCode(error: unknown): string | undefined {
  try {
    const named = unnamedCode(error);
    if (named !== undefined) return named;
  } catch {
    // The error has a getter that throws.
  }
  const code = fieldOf(error, "code");
  // Codes with that prefix are those of libraries: this one's, and Node's.
  return typeof code === "string" && !code.startsWith("ERR_")
    ? code
    : undefined;
}

/**
 * The code of the system (`"ENOENT"`) that an error or the nearest of its causes
 * has, such as an error of a {@linkcode FileSystem}; `undefined` when none has
 * one. Codes that Node or Deno have only a number for (`EDQUOT`, `EUCLEAN`) get
 * their names. The errors of this library have it in `systemCode`.
 *
 * @example Tell a missing file from one that can't be read
 * ```ts
 * import { systemCode } from "@raft/snapshots";
 * import { nodeFileSystem } from "@raft/snapshots/node";
 * import assert from "node:assert/strict";
 *
 * try {
 *   await nodeFileSystem.stat("/no/such/file");
 * } catch (error) {
 *   assert.equal(systemCode(error), "ENOENT");
 * }
 * ```
 */
export function systemCode(error: unknown): string | undefined {
  for (const each of withCauses(error)) {
    const code = ownCode(each);
    if (code !== undefined) return code;
  }
  return undefined;
}

/**
 * Whether this process, or the machine, has run out of descriptors or memory.
 * Such an error says nothing about the file that was to be opened.
 */
export function isOutOfResources(error: unknown): boolean {
  const code = systemCode(error) ?? "";
  return ["EMFILE", "ENFILE", "ENOMEM", "ENOBUFS"].includes(code);
}

/** Whether the disk, or the user's quota on it, is full. */
export function isFull(error: unknown): boolean {
  return ["ENOSPC", "EDQUOT"].includes(systemCode(error) ?? "");
}
