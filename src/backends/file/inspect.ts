/**
 * Reports the contents of `snapshots/` beside published snapshots, and the
 * holder of the lock.
 *
 * @module
 */

import type { BackendInspection } from "../../backend/backend.ts";
import type {
  StoreLock,
  UnfinishedSnapshot,
} from "../../snapshot/inspection.ts";
import type { Directory } from "./directory.ts";
import type { Marks } from "./marks.ts";
import { temporaryName } from "./names.ts";
import { readNames } from "./read_names.ts";
import {
  isUnfinished,
  type Unfinished,
  type UnfinishedSnapshots,
} from "./unfinished.ts";

/** The parts of the backend that are inspected. */
export interface InspectedParts {
  readonly directory: Directory;
  readonly marks: Marks;
  readonly unfinished: UnfinishedSnapshots;
  /** Whether this backend is working on an unfinished snapshot. */
  isUnderWay(snapshot: Pick<UnfinishedSnapshot, "id" | "name">): boolean;
  /** Whether this backend has taken the lock. */
  readonly hasLock: boolean;
  /** The identity of this host in the lock. */
  readonly hostId: string | undefined;
}

/** Looks into the directory; takes no lock and changes nothing. */
export async function inspectDirectory(
  parts: InspectedParts,
): Promise<BackendInspection> {
  const { directory, marks, unfinished } = parts;
  const { temporary, foreign } = await readNames(directory, marks);
  const found = await unfinished.lookAt(temporary.filter(isUnfinished));
  // Read after the names, because a program takes the lock before it begins a
  // snapshot.
  const lock = await readStoreLock(parts);
  return {
    unfinished: found.map((each) => toSnapshot(parts, each, lock)),
    quarantined: temporary.filter((name) => !isUnfinished(name)).map((name) => (
      { id: name.id, name: temporaryName(name) }
    )),
    foreign,
    lock,
  };
}

async function readStoreLock(
  { directory, hasLock, hostId }: InspectedParts,
): Promise<StoreLock | undefined> {
  const path = directory.at(".lock");
  const lock = await directory.fileSystem.readLock(path, { hostId });
  if (lock === undefined) return undefined;
  const { owner, holder, hint } = lock;
  if (holder !== "here") return { owner, holder, hint };
  return { owner, holder: hasLock ? "own" : "alive", hint };
}

function toSnapshot(
  { isUnderWay }: InspectedParts,
  unfinished: Unfinished,
  lock: StoreLock | undefined,
): UnfinishedSnapshot {
  const { id, state, size, changedMs, isForeign, isYoung } = unfinished;
  const name = temporaryName(unfinished);
  const isLockedByOther = lock !== undefined &&
    lock.holder !== "own" && lock.holder !== "dead";
  const mayBeUnderWay = isForeign
    ? isYoung
    : isUnderWay({ id, name }) || isLockedByOther || mayBeReaped(unfinished);
  const changedAt = new Date(changedMs);
  return {
    id,
    name,
    state,
    size,
    // A disk can give a time that is out of the range of a Date.
    changedAt: Number.isNaN(changedAt.getTime()) ? undefined : changedAt,
    isForeign,
    mayBeUnderWay,
  };
}

/** A Go server that reaps removes the files first, and the directory last. */
function mayBeReaped({ inPlace, size, isYoung }: Unfinished): boolean {
  return inPlace === true && size === 0 && isYoung;
}
