/** What commands say of the unfinished snapshots in a store. */

import { FileBackend } from "../backends/file/file_backend.ts";
import { temporaryName } from "../backends/file/names.ts";
import type { FileBackendOptions } from "../backends/file/options.ts";
import type { Unfinished } from "../backends/file/unfinished.ts";
import { nodeFileSystem } from "../fs/node/file_system.ts";
import { isLockHeld } from "../fs/lock/chain.ts";
import { describe } from "../text.ts";
import { formatSize } from "./format.ts";
import { warn } from "./output.ts";
import { shellQuote } from "./shell_quote.ts";

/** An unfinished snapshot, deletion or seal in a store. */
export interface Leftover extends Unfinished {
  /** Its name in `snapshots/`. */
  readonly name: string;
  /** Whether a program may still be working on it. */
  readonly mayBeUnderWay: boolean;
}

/** The store in `directory` as the library's own parts see it. */
export function backendOf(
  directory: string,
  options: FileBackendOptions = {},
): FileBackend {
  return new FileBackend(directory, { ...options, sweep: false });
}

/** Finds all that is unfinished; takes no lock and changes nothing. */
export async function findLeftovers(
  backend: FileBackend,
  hostId?: string,
): Promise<Leftover[]> {
  const found = await backend.findUnfinished();
  if (found.length === 0) return [];
  const lock = `${backend.place}/snapshots/.lock`;
  const isLocked = await isLockHeld(nodeFileSystem, lock, hostId);
  return found.map((unfinished) => {
    const { isOurs, isForeignAndYoung } = unfinished;
    const isUnderWay = isLocked || mayBeReaped(unfinished);
    return {
      ...unfinished,
      name: temporaryName(unfinished),
      mayBeUnderWay: isOurs ? isUnderWay : isForeignAndYoung,
    };
  });
}

/** A Go server that reaps removes the files first, and the directory last. */
function mayBeReaped({ inPlace, bytes, isYoung }: Unfinished): boolean {
  return inPlace === true && bytes === 0 && isYoung;
}

/**
 * Reports on stderr, in one line, what a crash has left in a store, and gives all
 * that is unfinished. What may be under way is not a reason to warn.
 */
export async function tellLeftovers(directory: string): Promise<Leftover[]> {
  try {
    const found = await findLeftovers(backendOf(directory));
    const left = found.filter(({ mayBeUnderWay }) => !mayBeUnderWay);
    const others = found.length - left.length;
    if (left.length === 0) return found;
    warn(
      `${summarize(left)}, left by a crash; ` +
        `raft-snapshots clean ${shellQuote(directory)} removes them` +
        (others === 0 ? "" : `; ${others} more may be under way`),
    );
    return found;
  } catch (error) {
    // The command's own work does not depend on this.
    warn(`Cannot look for unfinished snapshots: ${describe(error)}`);
    return [];
  }
}

/** Such as `6 unfinished snapshots, 145.0 MiB`. */
export function summarize(leftovers: readonly Leftover[]): string {
  const count = leftovers.length;
  const bytes = leftovers.reduce((sum, leftover) => sum + leftover.bytes, 0);
  const isPending = ({ state }: Leftover) => state === "writing";
  const kinds = leftovers.every(isPending)
    ? ["snapshot"]
    : ["snapshot", "deletion"];
  const what = kinds.map((kind) => count === 1 ? kind : `${kind}s`).join(
    " or ",
  );
  return `${count} unfinished ${what}, ${formatSize(bytes)}`;
}

/** A leftover as `--json` prints it. */
export function leftoverJson(leftover: Leftover): Record<string, unknown> {
  const { id, state, bytes, changedMs, mayBeUnderWay } = leftover;
  return { id, state, bytes, changedAt: formatTime(changedMs), mayBeUnderWay };
}

/** In ISO 8601; `null` for a time beyond the range of `Date`. */
export function formatTime(ms: number): string | null {
  const time = new Date(ms);
  return Number.isNaN(time.getTime()) ? null : time.toISOString();
}
