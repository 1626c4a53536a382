/**
 * Reports unfinished snapshots in a bucket to an operator, and removes them.
 *
 * @module
 */

import type { BackendInspection } from "../../backend/backend.ts";
import type {
  CleanReport,
  UnfinishedSnapshot,
} from "../../snapshot/inspection.ts";
import { compareNewestFirst } from "../../snapshot/id.ts";
import type { Found, FoundSnapshot } from "./catalog.ts";
import { type BucketParts, isInGrace, isOlder } from "./parts.ts";
import { sweep, type SweepOutcome, type SweepRule } from "./sweep.ts";

/** Reports everything that is not published. */
export function inspectFound(
  parts: BucketParts,
  { snapshots, foreign }: Found,
  isOwn: (id: string) => boolean,
): BackendInspection {
  const all = [...snapshots.values()]
    .sort((a, b) => compareNewestFirst(a.id, b.id));
  return {
    unfinished: all.flatMap((found) => {
      const state = stateOf(found);
      return state === undefined
        ? []
        : [describe(parts, found, state, isOwn(found.id))];
    }),
    quarantined: all.filter(({ state }) => state === "quarantined")
      .map(({ id }) => ({ id, name: id })),
    foreign,
    lock: undefined,
  };
}

function stateOf(
  { state }: FoundSnapshot,
): UnfinishedSnapshot["state"] | undefined {
  if (state === "writing") return state;
  return state === "deleted" || state === "abandoned" ? "deleted" : undefined;
}

function describe(
  parts: BucketParts,
  found: FoundSnapshot,
  state: UnfinishedSnapshot["state"],
  isOwn: boolean,
): UnfinishedSnapshot {
  const { sweepAfterMs } = parts.options;
  const isOld = isOlder(parts, found.modified, sweepAfterMs);
  return {
    id: found.id,
    name: found.id,
    state,
    // The parts of a state that is being written are not listed.
    size: state === "writing" ? undefined : found.size,
    changedAt: new Date(found.modified),
    isForeign: state === "writing" && !isOwn,
    mayBeUnderWay: state === "writing"
      ? isOwn || !isOld
      : isInGrace(parts, found),
  };
}

/**
 * Removes unfinished snapshots that are not under way, and reports the
 * outcomes.
 */
export async function cleanFound(
  parts: BucketParts,
  found: Found,
  rule: SweepRule,
): Promise<CleanReport> {
  const { unfinished } = inspectFound(parts, found, rule.isOwn);
  const writing = unfinished.filter(({ state }) => state === "writing");
  const outcomes = await sweep(parts, found, rule);
  const thoseOf = (outcome: SweepOutcome) =>
    writing.filter(({ id }) => (outcomes.get(id) ?? "left") === outcome);
  return {
    removed: thoseOf("removed"),
    left: thoseOf("left"),
    failed: thoseOf("failed"),
  };
}
