/**
 * Errors in the form of the system's, for conditions that an adapter detects
 * itself.
 *
 * @module
 */

/** The meaning of the codes that the adapters raise by themselves. */
const MEANINGS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EBADF: "bad file descriptor",
  EBUSY: "resource busy or locked",
  EEXIST: "file already exists",
  EINVAL: "invalid argument",
  EIO: "input/output error",
  EISDIR: "illegal operation on a directory",
  ELOOP: "too many symbolic links encountered",
  ENOENT: "no such file or directory",
  ENOSPC: "no space left on device",
  ENOTDIR: "not a directory",
  ENOTEMPTY: "directory not empty",
  EXDEV: "cross-device link not permitted",
  EPERM: "operation not permitted",
};

/** An error of the system. Callers go by its `code`. */
export interface SystemError extends Error {
  /** The POSIX name of the condition, such as `"ENOENT"`. */
  readonly code: string;
  /** The operation that failed, such as `"open"`. */
  readonly syscall: string;
  /** The path of the operation. */
  readonly path: string;
}

/** Makes an error in the form that `node:fs` gives them. */
export function systemError(
  code: string,
  syscall: string,
  path: string,
): SystemError {
  const meaning = MEANINGS[code] ?? "unknown error";
  const error = new Error(`${code}: ${meaning}, ${syscall} '${path}'`);
  return Object.assign(error, { code, syscall, path });
}
