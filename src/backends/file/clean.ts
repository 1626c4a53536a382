/**
 * Removes unfinished snapshots from an open store.
 *
 * @module
 */

import type { CleanReport } from "../../snapshot/inspection.ts";
import { inspectDirectory, type InspectedParts } from "./inspect.ts";
import {
  type SweepOutcome,
  type SweepParts,
  sweepUnfinished,
} from "./sweep.ts";

/**
 * Sweeps, and resolves to the outcome of each; those that are gone are left
 * out.
 */
export async function cleanDirectory(
  parts: InspectedParts & SweepParts,
): Promise<CleanReport> {
  const { unfinished } = await inspectDirectory(parts);
  const outcomes = await sweepUnfinished(parts);
  const thoseOf = (outcome: SweepOutcome) =>
    unfinished.filter(({ name }) => outcomes.get(name) === outcome);
  return {
    removed: thoseOf("removed"),
    left: thoseOf("left"),
    failed: thoseOf("failed"),
  };
}
