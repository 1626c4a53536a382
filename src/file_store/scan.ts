/**
 * Looking into the `snapshots/` directory: which snapshots are there, and which
 * of them can be used (`getSnapshots` in Go's `file_snapshot.go`). Nothing that a
 * directory may contain is an error here; but an error of the process or of the
 * place is one, because a list with a part left out would look complete.
 *
 * @module
 */

import { type SnapshotError, SnapshotNotFoundError } from "../errors.ts";
import type { SnapshotMeta } from "../snapshot/types.ts";
import { describe } from "../text.ts";
import { allSettled, type StoreContext } from "./context.ts";
import { concernsSnapshot, placeError } from "./error_scope.ts";
import { FILES_MAX } from "./file_limit.ts";
import {
  compareNewestFirst,
  parseId,
  parseTemporaryName,
  type TemporaryName,
} from "../snapshot/id.ts";
import { checkStateSize, loadSnapshot } from "./load.ts";
import { readMarks } from "./marks.ts";

/** What the directory's names say, with no file opened yet. */
export interface DirectoryNames {
  /** Published snapshots, newest first; their content is not looked at. */
  readonly ids: readonly string[];
  /** Directories that are not published, newest first. */
  readonly temporary: readonly TemporaryName[];
  /** Everything else that the store did not put there. */
  readonly foreign: readonly string[];
}

/** What came of looking at one published snapshot. */
export type ScannedSnapshot =
  | { readonly id: string; readonly meta: SnapshotMeta }
  | { readonly id: string; readonly error: SnapshotError };

/** Names of files that the lock puts beside the snapshots. */
const LOCK_FILE = /^\.lock/;

/**
 * Reads the names in `snapshots/`.
 *
 * @throws {StoreAccessError} when it can't be read.
 */
export async function readNames(
  context: StoreContext,
): Promise<DirectoryNames> {
  const ids: string[] = [];
  const temporary: TemporaryName[] = [];
  const foreign: string[] = [];
  for (const { name, kind } of await readEntries(context)) {
    const ours = parseTemporaryName(name);
    if (kind === "directory" && parseId(name) !== undefined) ids.push(name);
    else if (kind === "directory" && ours !== undefined) temporary.push(ours);
    else if (!LOCK_FILE.test(name)) foreign.push(name);
  }
  const marks = await readMarks(context, ids);
  for (const [id, state] of marks) temporary.push({ id, state, inPlace: true });
  ids.sort(compareNewestFirst);
  temporary.sort((a, b) => compareNewestFirst(a.id, b.id));
  return { ids: ids.filter((id) => !marks.has(id)), temporary, foreign };
}

async function readEntries(context: StoreContext) {
  try {
    return await context.fileSystem.readDirectory(context.path);
  } catch (error) {
    throw placeError(`read ${context.path}`, error);
  }
}

/**
 * Looks at every published snapshot, newest first, a few at a time.
 *
 * @throws {StoreAccessError} when that fails for a reason that is not about one
 * of them.
 */
export async function scan(
  context: StoreContext,
  ids: readonly string[],
): Promise<ScannedSnapshot[]> {
  const results = new Array<ScannedSnapshot>(ids.length);
  let next = 0;
  const work = async () => {
    try {
      while (next < ids.length) {
        const i = next++;
        results[i] = await look(context, ids[i] as string);
      }
    } catch (error) {
      // The others need not go through the rest.
      next = ids.length;
      throw error;
    }
  };
  await allSettled(Array.from({ length: FILES_MAX }, work));
  return results;
}

async function look(
  context: StoreContext,
  id: string,
): Promise<ScannedSnapshot> {
  try {
    const { meta } = await loadSnapshot(context, id);
    await checkStateSize(context, meta);
    return { id, meta };
  } catch (error) {
    if (concernsSnapshot(error)) return { id, error };
    throw error;
  }
}

/** More rounds than this mean that the directory never comes to rest. */
const ROUNDS_MAX = 256;

/** As long as a snapshot is found in each. */
const ROUNDS_WITH_SOME_MAX = 8;

/** The usable snapshots, newest first; each that is passed over is reported. */
export async function listUsable(
  context: StoreContext,
): Promise<SnapshotMeta[]> {
  const looked = new Map<string, ScannedSnapshot>();
  let names = await readNames(context);
  // A process that removes a snapshot which was there has published a newer one
  // before, which was not: to go without both would be to call a full store
  // empty.
  for (let round = 1;; round++) {
    const fresh = names.ids.filter((id) => isGone(looked.get(id)));
    for (const each of await scan(context, fresh)) looked.set(each.id, each);
    if (!fresh.some((id) => isGone(looked.get(id)))) break;
    // A snapshot without those that vanished beside it was all there was at one
    // time; only none at all would be wrong at any time.
    const isUsed = names.ids.some((id) => isUsable(looked.get(id)));
    if (round >= (isUsed ? ROUNDS_WITH_SOME_MAX : ROUNDS_MAX)) break;
    names = await readNames(context);
  }
  for (const name of names.foreign) {
    context.logger.warn(`Skipping ${context.path}/${name}: not a snapshot`);
  }
  for (const { id, state } of names.temporary) {
    context.logger.debug(`Skipping snapshot ${id}: ${state}`);
  }
  const results = names.ids.map((id) => looked.get(id));
  const usable = results.filter(isUsable);
  for (const result of results) {
    if (result === undefined || isUsable(result)) continue;
    // One that has been removed is missed only when there is not another.
    if (isGone(result) && usable.length > 0) continue;
    context.logger.warn(
      `Skipping snapshot ${result.id}: ${describe(result.error)}`,
    );
  }
  return usable.map(({ meta }) => meta);
}

function isUsable(
  result: ScannedSnapshot | undefined,
): result is ScannedSnapshot & { readonly meta: SnapshotMeta } {
  return result !== undefined && "meta" in result;
}

/** Whether it has not been looked at, or has been removed meanwhile. */
function isGone(result: ScannedSnapshot | undefined): boolean {
  return result === undefined ||
    ("error" in result && result.error instanceof SnapshotNotFoundError);
}
