/**
 * The few assertions that the conformance checks need, so that they run under
 * every test runner, and without one.
 *
 * @module
 */

/**
 * Throws unless the condition holds; `what` is the expectation as a sentence.
 */
export function assert(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(`Not so: ${what}`);
}

/** Compares two values, deeply, and by their types. */
export function assertEqual(
  actual: unknown,
  expected: unknown,
  what: string,
): void {
  const [found, wanted] = [show(actual), show(expected)];
  if (found === wanted) return;
  throw new Error(`Wrong ${what}: found ${found}, expected ${wanted}`);
}

/** A class of errors. */
type ErrorClass = abstract new (...args: never[]) => Error;

/** Waits for a rejection with an error of that class. */
export async function assertRejects(
  promise: Promise<unknown>,
  expected: ErrorClass,
  what: string,
): Promise<void> {
  const error = await rejection(promise, what);
  if (error instanceof expected) return;
  throw new Error(
    `Wrong error: ${what} rejected with ${String(error)}, ` +
      `expected ${expected.name}`,
    { cause: error },
  );
}

/** The reason with which a promise is rejected. */
export async function rejection(
  promise: Promise<unknown>,
  what: string,
): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error(`Not so: ${what} rejects`);
}

/** A value as text, the same for equal values only. */
function show(value: unknown): string {
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "string") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(show).join(", ")}]`;
  if (value instanceof Uint8Array) return `bytes [${value.join(" ")}]`;
  if (typeof value !== "object" || value === null) return String(value);
  const entries = Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1);
  const fields = entries.map(([key, field]) => `${key}: ${show(field)}`);
  return `{ ${fields.join(", ")} }`;
}
