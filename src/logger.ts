/**
 * The log of a store's work.
 *
 * @module
 */

import { printable } from "./text.ts";

/**
 * The log of a store's work: any object like `console`. A message is one line
 * of printable text: control characters in file names and in errors of the
 * system are shown as `\u001b`.
 */
export interface Logger {
  /** Details that help to follow the store's work. */
  debug(message: string): void;
  /** Results that an operator may want to know. */
  info(message: string): void;
  /** Conditions that an operator should look at. */
  warn(message: string): void;
  /** Failures. */
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
 * Calls a callback of the caller's, and ignores its errors and rejections,
 * because they must not decide whether a snapshot is published.
 */
export function callQuietly(call: () => unknown): void {
  try {
    const result = call();
    // A rejection that is not handled would end a Node process.
    if (result !== undefined) Promise.resolve(result).catch(() => {});
  } catch {
    // There is no other place to report this failure to.
  }
}

/**
 * The logger, checked now, because the report of a later failure must not get
 * lost. The errors and rejections of a logger are ignored: they must not decide
 * whether a snapshot is published.
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
