/**
 * The locks of this process, told apart by the tokens of their records.
 *
 * @module
 */

/** The locks of this process. */
interface OwnTokens {
  readonly held: Set<string>;
  /** Locks that were given up, although the record could not be removed. */
  readonly givenUp: Map<string, "left" | "seen">;
}

// On globalThis, because a program may have loaded this module twice.
const TOKENS: unique symbol = Symbol.for("@raft/snapshots/lock-tokens");
const shared = globalThis as { [TOKENS]?: OwnTokens };
const own = shared[TOKENS] ??= { held: new Set(), givenUp: new Map() };

/** The tokens of the locks that this process holds. */
export const tokensHeldHere: Set<string> = own.held;

/**
 * The tokens of records that this process has given up and could not remove.
 * They are dead, although their process is alive. `"seen"`: a later attempt to
 * take the lock relies on that, so the record must not be touched any more.
 */
export const tokensGivenUpHere: Map<string, "left" | "seen"> = own.givenUp;
