/** Finds the snapshot that must not be removed. */

import { SnapshotNotFoundError, type SnapshotReader } from "../../mod.ts";
import { checkSnapshot } from "./check_snapshot.ts";
import { type Finding, stateOf } from "./finding.ts";

/** The result of the search for the newest good snapshot. */
export interface NewestGood {
  /** The newest one that is good; `undefined` when none of them is. */
  readonly id: string | undefined;
  /** The newer ones, which are bad or could not be checked. */
  readonly passedOver: readonly Finding[];
}

/** Reads snapshots, in the order that is given, until one is good. */
export async function findNewestGood(
  store: SnapshotReader,
  newestFirst: readonly string[],
  signal?: AbortSignal,
): Promise<NewestGood> {
  const passedOver: Finding[] = [];
  for (const id of newestFirst) {
    try {
      const finding = await checkSnapshot(store, id, signal);
      if (stateOf(finding) === "ok") return { id, passedOver };
      passedOver.push(finding);
    } catch (error) {
      // Another program has removed it meanwhile.
      if (!(error instanceof SnapshotNotFoundError)) throw error;
    }
  }
  return { id: undefined, passedOver };
}
