/**
 * The simplest way to authorize a request: a secret that both sides know.
 *
 * @module
 */

/** The characters that RFC 6750 allows in a token. */
const TOKEN = /^[\w\-.~+/]+=*$/;

const SCHEME = /^bearer +/i;

/**
 * Makes an `authorize` for `snapshotHandler()` that wants the header
 * `authorization: Bearer TOKEN`. The time of the comparison does not show how
 * much of a wrong token is right. Over plain HTTP anyone on the way can read
 * the token: use TLS.
 *
 * @throws {RangeError} when the token is empty, or has characters that no bearer
 * token can have.
 *
 * @example Serve clients that know the token
 * ```ts
 * import { MemorySnapshotStore } from "@raft/snapshots";
 * import { bearerToken, snapshotHandler } from "@raft/snapshots/http";
 *
 * const handler = snapshotHandler(new MemorySnapshotStore(), {
 *   authorize: bearerToken("c2VjcmV0"),
 * });
 * ```
 */
export function bearerToken(token: string): (request: Request) => boolean {
  if (!TOKEN.test(token)) {
    const found = token === "" ? "an empty text" : "other characters";
    throw new RangeError(
      `Cannot use the token: found ${found}, expected letters, digits and ` +
        "-._~+/, with = only at the end",
    );
  }
  const expected = new TextEncoder().encode(token);
  return ({ headers }) => {
    const value = headers.get("authorization") ?? "";
    if (!SCHEME.test(value)) return false;
    const found = new TextEncoder().encode(value.replace(SCHEME, ""));
    return isSame(found, expected);
  };
}

/** Looks at every byte, also when the first is wrong. */
function isSame(found: Uint8Array, expected: Uint8Array): boolean {
  let difference = found.length ^ expected.length;
  for (let i = 0; i < expected.length; i++) {
    difference |= (found[i] ?? 0) ^ (expected[i] ?? 0);
  }
  return difference === 0;
}
