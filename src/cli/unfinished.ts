/** The messages of commands about unfinished snapshots in a store. */

import type { SnapshotStore, UnfinishedSnapshot } from "../../mod.ts";
import { formatSize } from "./format.ts";
import { note, warn } from "./output.ts";
import { messageOf } from "./reason.ts";
import { shellQuote } from "./shell_quote.ts";
import { type ReadingOptions, withStoreToRead } from "./stores.ts";

/** Finds all that is unfinished; takes no lock and changes nothing. */
export async function findUnfinished(
  directory: string,
  options: ReadingOptions = {},
): Promise<readonly UnfinishedSnapshot[]> {
  const inspect = (store: SnapshotStore) => store.inspect();
  return (await withStoreToRead(directory, inspect, options)).unfinished;
}

/**
 * Reports the remains of a crash on stderr, in one line, and gives all
 * unfinished snapshots. Snapshots that may be under way cause no warning.
 */
export async function tellUnfinished(
  directory: string,
): Promise<readonly UnfinishedSnapshot[]> {
  try {
    const found = await findUnfinished(directory);
    const left = found.filter(({ mayBeUnderWay }) => !mayBeUnderWay);
    const others = found.length - left.length;
    if (left.length === 0) return found;
    note(
      `${summarize(left)}, left by a crash; ` +
        `raft-snapshots clean ${shellQuote(directory)} removes them` +
        (others === 0 ? "" : `; ${others} more may be under way`),
    );
    return found;
  } catch (error) {
    // The command's own work does not depend on this.
    warn(`Cannot look for unfinished snapshots: ${messageOf(error)}`);
    return [];
  }
}

/** Such as `6 unfinished snapshots, 145.0 MiB`. */
export function summarize(snapshots: readonly UnfinishedSnapshot[]): string {
  const count = snapshots.length;
  const bytes = snapshots.reduce((sum, { size = 0 }) => sum + size, 0);
  const kinds = snapshots.every(({ state }) => state === "writing")
    ? ["snapshot"]
    : ["snapshot", "deletion"];
  const what = kinds.map((kind) => count === 1 ? kind : `${kind}s`).join(
    " or ",
  );
  return `${count} unfinished ${what}, ${formatSize(bytes)}`;
}
