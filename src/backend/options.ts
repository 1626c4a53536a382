/**
 * Checks of options, for the store and for backends.
 *
 * @module
 */

import { quote } from "../text.ts";

/**
 * An option that is an integer from `min` to `max`.
 *
 * @throws {TypeError} when it is not a number.
 * @throws {RangeError} when it is out of its bounds.
 */
export function requireInteger(
  name: string,
  value: number,
  min: number,
  max: number = Number.MAX_SAFE_INTEGER,
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

/** A timer of more milliseconds would fire at once. */
export const TIMER_MS_MAX: number = 2 ** 31 - 1;

/**
 * An option in milliseconds that a timer may get, `min` or more.
 *
 * @throws {TypeError} when it is not a number.
 * @throws {RangeError} when it is out of its bounds.
 */
export function requireMs(name: string, value: number, min = 1): number {
  return requireInteger(name, value, min, TIMER_MS_MAX);
}

/** The types that options can have, by the result of `typeof`. */
interface OptionTypes {
  readonly boolean: boolean;
  readonly function: (...args: never[]) => unknown;
}

/**
 * An option of the given type.
 *
 * @throws {TypeError} when it has another type.
 */
export function requireType<T extends OptionTypes[keyof OptionTypes]>(
  name: string,
  value: T,
  type: keyof OptionTypes,
): T {
  const found: string = typeof value;
  if (found === type) return value;
  throw new TypeError(
    `Cannot use the option ${name}: found ${found}, expected a ${type}`,
  );
}

/**
 * An option that is one of a few texts.
 *
 * @throws {TypeError} when it is none of them.
 */
export function requireOneOf<T extends string>(
  name: string,
  value: T,
  allowed: readonly T[],
): T {
  if (allowed.includes(value)) return value;
  throw new TypeError(
    `Cannot use the option ${name}: found ${quote(String(value))}, ` +
      `expected ${allowed.map((each) => `"${each}"`).join(" or ")}`,
  );
}
