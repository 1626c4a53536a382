/**
 * `list()`: finds the snapshots, and which of them can be used (`getSnapshots`
 * in Go's `file_snapshot.go`). Nothing that a place may contain is an error
 * here; but an error of the process or of the place is one, because a list with
 * a part left out would look complete.
 *
 * @module
 */

import type { BackendNames, Look } from "../backend/backend.ts";
import { requireType } from "../backend/options.ts";
import { type OptionNames, requireKnown } from "../option_names.ts";
import { allSettled } from "../backend/all_settled.ts";
import type { SnapshotError } from "../errors.ts";
import { isSnapshotError } from "../is_snapshot_error.ts";
import { newestFirst } from "../snapshot/id.ts";
import type { ListEntry } from "../snapshot/listing.ts";
import type { SnapshotMeta } from "../snapshot/types.ts";
import { concernsSnapshot } from "./error_scope.ts";
import { readHeader } from "./header.ts";
import type { StoreParts } from "./parts.ts";
import { checkStateSize } from "./state.ts";

type Parts = Pick<StoreParts, "backend" | "report" | "metas" | "newestFirst">;

/** How many snapshots are looked into side by side. */
const CONCURRENCY = 16;

/** The result of looking at one published snapshot. */
export type ScannedSnapshot = UsableSnapshot | UnusableSnapshot;

interface UsableSnapshot {
  readonly id: string;
  readonly meta: SnapshotMeta;
}

interface UnusableSnapshot {
  readonly id: string;
  readonly error: SnapshotError;
}

/** The names in the place; those of snapshots newest first. */
export async function readNames(
  { backend, newestFirst: order }: Pick<StoreParts, "backend" | "newestFirst">,
): Promise<BackendNames> {
  const names = await backend.names();
  return {
    ...names,
    published: await order.sort(backend, names.published),
    quarantined: newestFirst(names.quarantined),
  };
}

/**
 * Looks at snapshots that were just listed, a few at a time.
 *
 * @throws {StoreAccessError} when that fails for a reason that is not about one
 * of them.
 */
export async function scan(
  parts: Parts,
  ids: readonly string[],
): Promise<ScannedSnapshot[]> {
  const results = new Array<ScannedSnapshot>(ids.length);
  const known = await readKnown(parts, ids);
  let next = 0;
  const work = async () => {
    try {
      while (next < ids.length) {
        const i = next++;
        const id = ids[i] as string;
        const meta = known.get(id);
        results[i] = meta === undefined
          ? await scanOne(parts, id)
          : { id, meta };
      }
    } catch (error) {
      // Stops the other workers.
      next = ids.length;
      throw error;
    }
  };
  await allSettled(Array.from({ length: CONCURRENCY }, work));
  return results;
}

/** The metadata that is kept, of those snapshots that have not changed since. */
async function readKnown(
  { backend, metas }: Parts,
  ids: readonly string[],
): Promise<ReadonlyMap<string, SnapshotMeta>> {
  const known = new Map<string, SnapshotMeta>();
  const kept = ids.filter((id) => metas.has(id));
  if (kept.length === 0) return known;
  const versions = await backend.versions(kept);
  for (const [i, id] of kept.entries()) {
    const meta = metas.get(id, versions[i]);
    if (meta !== undefined) known.set(id, meta);
  }
  return known;
}

/** The metadata of a snapshot, whose state has the length in it. */
export async function statSnapshot(
  parts: Pick<Parts, "backend" | "report">,
  id: string,
  look: Look = { isListed: false },
): Promise<SnapshotMeta> {
  const { meta } = await readHeader(parts, id, look);
  await checkStateSize(parts, meta, look);
  return meta;
}

async function scanOne(parts: Parts, id: string): Promise<ScannedSnapshot> {
  const { backend, metas } = parts;
  const look = { isListed: true };
  try {
    const meta = await statSnapshot(parts, id, look);
    metas.note(backend.versionRead(look), meta);
    return { id, meta };
  } catch (error) {
    if (concernsSnapshot(error)) return { id, error };
    throw error;
  }
}

/** More rounds than this mean that the place never comes to rest. */
const ROUNDS_MAX = 256;

/** As long as a snapshot is found in each. */
const ROUNDS_WITH_SOME_MAX = 8;

/** The contents of a place, with a result for every published snapshot. */
interface Listing {
  readonly names: BackendNames;
  /** Those that are still published, newest first. */
  readonly results: readonly ScannedSnapshot[];
}

/** Looks at every published snapshot. */
async function look(parts: Parts): Promise<Listing> {
  const looked = new Map<string, ScannedSnapshot>();
  let names = await readNames(parts);
  // A process that removes an old snapshot has published a newer one before.
  // Names that were read in between have the old one but not the newer one; if
  // the old one then vanishes, a full store would look empty. So the names are
  // read again.
  for (let round = 1;; round++) {
    const fresh = names.published.filter((id) => isGone(looked.get(id)));
    for (const each of await scan(parts, fresh)) looked.set(each.id, each);
    if (!fresh.some((id) => isGone(looked.get(id)))) break;
    // If some snapshots remain, the list was true at one time. Only an empty
    // list could be wrong at all times.
    const isUsed = names.published.some((id) => isUsable(looked.get(id)));
    if (round >= (isUsed ? ROUNDS_WITH_SOME_MAX : ROUNDS_MAX)) break;
    names = await readNames(parts);
  }
  parts.metas.keepOnly(names.published);
  const results = names.published.map((id) => looked.get(id));
  return { names, results: results.filter((it) => it !== undefined) };
}

/** Options of `list()`. */
export interface ListOptions {
  readonly unusable?: boolean | undefined;
}

const LIST_OPTIONS: OptionNames<ListOptions> = { unusable: true };

/** The usable snapshots, or every one. */
export async function listSnapshots(
  parts: Parts,
  options: ListOptions,
): Promise<SnapshotMeta[] | ListEntry[]> {
  requireKnown(options, LIST_OPTIONS);
  const { unusable = false } = options;
  return requireType("unusable", unusable, "boolean")
    ? await listEntries(parts)
    : await listUsable(parts);
}

/** The usable snapshots, newest first; each that is passed over is reported. */
async function listUsable(parts: Parts): Promise<SnapshotMeta[]> {
  const { report } = parts;
  const { names, results } = await look(parts);
  for (const name of names.foreign) {
    report({ type: "ignored", name, state: "foreign" });
  }
  for (const { id, state } of names.unfinished) {
    report({ type: "ignored", name: id, state });
  }
  for (const id of names.quarantined) {
    report({ type: "ignored", name: id, state: "quarantined" });
  }
  const usable = results.filter(isUsable);
  for (const result of results) {
    if (isUsable(result)) continue;
    // A removed snapshot is reported only when no other is left.
    if (isGone(result) && usable.length > 0) continue;
    report({ type: "rejected", operation: "list", ...result });
  }
  return usable.map(({ meta }) => meta);
}

/** Every snapshot, newest first, also those that can't be used. */
async function listEntries(parts: Parts): Promise<ListEntry[]> {
  const { names, results } = await look(parts);
  const quarantined = names.quarantined.map((id): ListEntry => (
    { id, state: "quarantined" }
  ));
  return [...results.flatMap(toEntries), ...quarantined]
    .sort((a, b) => parts.newestFirst.compare(a.id, b.id));
}

/** The entry of a result; none when the snapshot has been removed meanwhile. */
function toEntries(result: ScannedSnapshot): ListEntry[] {
  if (isUsable(result)) return [{ ...result, state: "usable" }];
  const { id, error } = result;
  if (isSnapshotError(error, "ERR_SNAPSHOT_CORRUPT")) {
    return [{ id, state: "corrupt", error }];
  }
  if (isSnapshotError(error, "ERR_SNAPSHOT_UNREADABLE")) {
    return [{ id, state: "unreadable", error }];
  }
  return isSnapshotError(error, "ERR_SNAPSHOT_VERSION_UNSUPPORTED")
    ? [{ id, state: "unsupported", error }]
    : [];
}

function isUsable(
  result: ScannedSnapshot | undefined,
): result is UsableSnapshot {
  return result !== undefined && "meta" in result;
}

/** Whether it has not been looked at, or has been removed meanwhile. */
function isGone(result: ScannedSnapshot | undefined): boolean {
  return result === undefined ||
    ("error" in result &&
      isSnapshotError(result.error, "ERR_SNAPSHOT_NOT_FOUND"));
}
