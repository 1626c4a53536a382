/**
 * Rejects options that do not exist: a misspelt `retian` would otherwise leave
 * the default in force without a warning.
 *
 * @module
 */

import { quote } from "./text.ts";

/** The names of all options; the compiler requires each one of the interface. */
export type OptionNames<T> = { readonly [Name in keyof T]-?: true };

/**
 * Checks that the caller gave no other options than these. An option that is
 * `undefined` counts as left out.
 *
 * @throws {TypeError} when an option does not exist, or `options` is not an
 * object.
 */
export function requireKnown<T extends object>(
  options: T,
  names: OptionNames<T>,
): void {
  if (typeof options !== "object" || options === null) {
    const found = options === null ? "null" : typeof options;
    throw new TypeError(
      `Cannot use options: found ${found}, expected an object`,
    );
  }
  const unknown = Object.entries(options).find(([name, value]) =>
    value !== undefined && !Object.hasOwn(names, name)
  );
  if (unknown === undefined) return;
  throw new TypeError(
    `Cannot use the option ${quote(unknown[0])}: unknown, expected one of ` +
      Object.keys(names).join(", "),
  );
}

/** The options that have one of these names. */
export function pickOptions<T extends object>(
  options: T,
  names: OptionNames<T>,
): T {
  return Object.fromEntries(
    Object.entries(options).filter(([name]) => Object.hasOwn(names, name)),
  ) as T;
}
