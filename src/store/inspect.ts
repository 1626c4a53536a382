/**
 * `inspect()`: reports the contents of a place beside published snapshots.
 * `clean()`: removes those that a crash has left.
 *
 * @module
 */

import type { BackendInspection, BackendNames } from "../backend/backend.ts";
import { placeError } from "../backend/errors.ts";
import { requireInteger } from "../backend/options.ts";
import { type OptionNames, requireKnown } from "../option_names.ts";
import { compareNewestFirst } from "../snapshot/id.ts";
import type {
  CleanOptions,
  CleanReport,
  StoreInspection,
} from "../snapshot/inspection.ts";
import type { StoreParts } from "./parts.ts";

/** A directory of another program may hold millions of names. */
const FOREIGN_MAX = 1000;

/** Inspects all that is not published. */
export async function inspectStore(
  { backend }: Pick<StoreParts, "backend">,
): Promise<StoreInspection> {
  const { unfinished, quarantined, foreign, lock } = backend.canInspect
    ? await backend.inspect()
    : ofNames(await backend.names());
  return {
    place: backend.place,
    unfinished: [...unfinished].sort(newestFirst),
    quarantined: [...quarantined].sort(newestFirst),
    foreign: [...foreign].sort().slice(0, FOREIGN_MAX),
    foreignCount: foreign.length,
    lock,
  };
}

function newestFirst(a: { readonly id: string }, b: { readonly id: string }) {
  return compareNewestFirst(a.id, b.id);
}

/** An inspection by names only, for a backend without `inspect()`. */
function ofNames(names: BackendNames): BackendInspection {
  return {
    unfinished: names.unfinished.map((name) => ({
      ...name,
      name: name.id,
      size: undefined,
      changedAt: undefined,
      isForeign: false,
      mayBeUnderWay: true,
    })),
    quarantined: names.quarantined.map((id) => ({ id, name: id })),
    foreign: names.foreign,
    lock: undefined,
  };
}

const CLEAN_OPTIONS: OptionNames<CleanOptions> = { olderThanMs: true };

/** Removes unfinished snapshots that are not under way. */
export async function cleanStore(
  { backend, exclusive }: Pick<StoreParts, "backend" | "exclusive">,
  options: CleanOptions,
): Promise<CleanReport> {
  requireKnown(options, CLEAN_OPTIONS);
  const { olderThanMs } = options;
  if (olderThanMs !== undefined) requireInteger("olderThanMs", olderThanMs, 0);
  if (!backend.canClean) {
    const { unfinished } = await inspectStore({ backend });
    return { removed: [], left: unfinished, failed: [] };
  }
  try {
    return await exclusive.run(() => backend.clean(olderThanMs));
  } catch (error) {
    backend.assertOpen();
    throw placeError(`clean ${backend.place}`, error);
  }
}
