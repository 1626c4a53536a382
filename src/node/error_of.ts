/**
 * Converts the reason of a failed web stream for Node's streams.
 *
 * @module
 */

import { SnapshotError } from "../errors.ts";
import { describe } from "../text.ts";

/**
 * The reason as an error. A web stream may fail with anything, also with `null`;
 * a Node stream that is destroyed with `null` would end as if all were well.
 */
export function errorOf(reason: unknown, doing: string): Error {
  if (reason instanceof Error) return reason;
  const message = `Cannot ${doing}: ${describe(reason)}`;
  return new SnapshotError(message, { cause: reason });
}
