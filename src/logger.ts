/**
 * Where a store reports what it does.
 *
 * @module
 */

import { printable } from "./text.ts";

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

/** Reports warnings and errors on the console. */
export const CONSOLE_LOGGER: Logger = {
  debug() {},
  info() {},
  warn: (message) => console.warn(message),
  error: (message) => console.error(message),
};

/**
 * Calls a function of the caller's that is told of something. It must not decide
 * what becomes of a snapshot, whether it throws or rejects.
 */
export function callQuietly(call: () => unknown): void {
  try {
    const result = call();
    // A rejection that is not handled would end a Node process.
    if (result !== undefined) Promise.resolve(result).catch(() => {});
  } catch {
    // There is nothing left to report this failure to.
  }
}

/**
 * The logger, checked: when it is needed something has gone wrong, which must
 * not get lost; and a logger that throws or rejects must not decide what becomes
 * of a snapshot.
 *
 * @throws {TypeError} when a method is missing.
 */
export function guardLogger(logger: Logger): Logger {
  const guard = (level: keyof Logger) => {
    if (typeof logger[level] !== "function") {
      throw new TypeError(
        `Cannot use the option logger: found no ${level}(), expected a function`,
      );
    }
    return (message: string) =>
      callQuietly(() => logger[level](printable(message)));
  };
  return {
    debug: guard("debug"),
    info: guard("info"),
    warn: guard("warn"),
    error: guard("error"),
  };
}
