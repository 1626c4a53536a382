/**
 * Removes unfinished snapshots when a store is opened. A Go server takes no lock
 * and may be writing to the same directory: snapshots that it acknowledges must
 * stay whole.
 *
 * @module
 */

import { systemCode } from "../../errors.ts";
import type { Directory } from "./directory.ts";
import { type TemporaryName, temporaryName } from "./names.ts";
import type { RemovalOutcome, Removals } from "./removals.ts";
import type { UnfinishedSnapshots } from "./unfinished.ts";

/** The outcome for a leftover; `"gone"`: it was published or removed meanwhile. */
export type SweepOutcome = RemovalOutcome | "left";

/** The parts of the backend that a sweep uses. */
export interface SweepParts {
  readonly directory: Directory;
  readonly removals: Removals;
  readonly unfinished: UnfinishedSnapshots;
  /** Whether this backend is working on an unfinished snapshot. */
  isUnderWay(snapshot: { readonly id: string; readonly name: string }): boolean;
}

/**
 * Removes the directories that no live process can be writing: the lock proves
 * that for those of this library, their age for those of another program. A
 * failure is reported and does not stop the rest. Resolves to the outcomes by
 * name.
 */
export async function sweepUnfinished(
  parts: SweepParts,
): Promise<Map<string, SweepOutcome>> {
  const outcomes = new Map<string, SweepOutcome>();
  const names = (await parts.unfinished.names()).filter((unfinished) => {
    const name = temporaryName(unfinished);
    const isUnderWay = parts.isUnderWay({ id: unfinished.id, name });
    if (isUnderWay) outcomes.set(name, "left");
    return !isUnderWay;
  });
  const isWriting = ({ state }: TemporaryName) => state === "writing";
  // These come first, because the others are renamed to names of this kind.
  for (const rest of names.filter((name) => !isWriting(name))) {
    const name = temporaryName(rest);
    outcomes.set(name, await remove(parts, name, rest));
  }
  for (const pending of names.filter(isWriting)) {
    outcomes.set(temporaryName(pending), await sweepPending(parts, pending));
  }
  return outcomes;
}

async function sweepPending(
  parts: SweepParts,
  pending: TemporaryName,
): Promise<SweepOutcome> {
  const { directory, unfinished } = parts;
  const name = temporaryName(pending);
  try {
    if (await unfinished.isForeignAndYoung(pending)) {
      const changedWithinMs = unfinished.foreignTmpAgeMs;
      const { id } = pending;
      directory.report({ type: "leftAlone", id, name, changedWithinMs });
      return "left";
    }
    const renamed = await takeAway(directory, pending);
    return renamed === undefined
      ? "gone"
      : await remove(parts, renamed, pending);
  } catch (error) {
    directory.report({
      type: "failed",
      operation: "sweep",
      id: pending.id,
      name: directory.at(name),
      error,
    });
    return "failed";
  }
}

/**
 * Renames the directory before it removes the files: a Go server that is still
 * writing then fails to publish it, and keeps its log. With the files removed
 * under its name, Go would publish and acknowledge a snapshot that lacks some
 * of them.
 *
 * Nothing is synced: after a power cut that brings the name back, no process is
 * left that could publish it. Resolves to the new name, or to `undefined` when
 * the snapshot has been published or removed meanwhile.
 */
async function takeAway(
  directory: Directory,
  pending: TemporaryName,
): Promise<string | undefined> {
  const name = temporaryName(pending);
  const renamed = temporaryName({ id: pending.id, state: "deleted" });
  try {
    const { fileSystem } = directory;
    await fileSystem.rename(directory.at(name), directory.at(renamed));
    return renamed;
  } catch (error) {
    const code = systemCode(error);
    if (code === "ENOENT") return undefined;
    // A directory in the lower layer of an overlayfs can't be renamed. It came
    // with an image, so no process is writing it.
    if (code === "EXDEV") return name;
    throw error;
  }
}

async function remove(
  { directory, removals }: SweepParts,
  name: string,
  leftover: TemporaryName,
): Promise<RemovalOutcome> {
  const outcome = await removals.removeTemporary(name);
  if (outcome === "removed") {
    directory.report({
      type: "cleanedUp",
      id: leftover.id,
      name: temporaryName(leftover),
      state: leftover.state === "corrupt" ? "quarantined" : leftover.state,
    });
  }
  return outcome;
}
