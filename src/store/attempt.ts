/**
 * One attempt to restore a snapshot: calls the caller's function, and checks
 * that it has read the snapshot.
 *
 * @module
 */

import { isSnapshotError } from "../is_snapshot_error.ts";
import { badState } from "../snapshot/block_checker.ts";
import type {
  Restorer,
  SnapshotMeta,
  SnapshotSource,
} from "../snapshot/types.ts";
import type { OpenSourceOptions } from "./open.ts";
import type { MadeSource } from "./source.ts";

/** How the store opens a snapshot. */
export type Open = (
  id: string,
  options: OpenSourceOptions,
) => Promise<SnapshotSource>;

/** The result of an attempt that did not fail. */
export interface Attempt {
  /** The snapshot. */
  readonly meta: SnapshotMeta;
  /**
   * Set when the caller's function has settled without having read the
   * snapshot, which is a bug in it.
   */
  readonly unread?: TypeError | undefined;
}

/**
 * Calls the function with the snapshot; resolves to `undefined` when the
 * snapshot does not exist any more.
 */
export async function attempt(
  open: Open,
  id: string,
  restore: Restorer,
): Promise<Attempt | undefined> {
  let made: MadeSource | undefined;
  const onMade = (source: MadeSource) => made = source;
  const source = await open(id, { onMade }).catch((error) => {
    if (isSnapshotError(error, "ERR_SNAPSHOT_NOT_FOUND")) return undefined;
    throw error;
  });
  if (source === undefined || made === undefined) return undefined;
  return await call(restore, source, made);
}

async function call(
  restore: Restorer,
  source: SnapshotSource,
  made: MadeSource,
): Promise<Attempt> {
  const { meta } = source;
  let failure: { readonly error: unknown } | undefined;
  try {
    await restore(source);
  } catch (error) {
    failure = { error };
  }
  const isDone = isRead(made, meta);
  const unread = unreadError(made, meta);
  // Closes the state if it was not read to its end.
  void made.abort(unread);
  // The source's failure comes first: the function may have hidden it, or
  // wrapped it in an error of its own.
  throwFailure(made, meta);
  if (failure !== undefined) throw failure.error;
  return isDone ? { meta } : { meta, unread };
}

/** @throws {unknown} the error of a failed read or check. */
function throwFailure({ end }: MadeSource, meta: SnapshotMeta): void {
  if (end?.how === "failed") throw end.reason;
  // The function need not read an empty state, so its CRC is checked here.
  if (meta.size === 0 && meta.crc !== 0n) throw badState(meta, 0n);
}

/**
 * Whether the function has read the snapshot: every byte, each of which was
 * checked before it was handed out, or less if it cancelled the source with a
 * reason.
 */
function isRead({ taken, end }: MadeSource, { size }: SnapshotMeta): boolean {
  return taken === size || (end?.how === "cancelled" && isGiven(end.reason));
}

/**
 * Whether a cancellation has a reason. `break` in a loop gives none, and
 * `destroy()` of a Node stream gives `null`; `tee()` passes on an array of two.
 */
function isGiven(reason: unknown): boolean {
  return Array.isArray(reason)
    ? reason.some(isGiven)
    : (reason ?? null) !== null;
}

function unreadError(
  { taken }: MadeSource,
  { id, size }: SnapshotMeta,
): TypeError {
  return new TypeError(
    `Cannot take snapshot ${id} as restored: the function given to restore() ` +
      `settled after ${taken} of ${size} bytes were read, expected all; return ` +
      "or await the promise of the read, or cancel the source with a reason",
  );
}
