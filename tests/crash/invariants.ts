/**
 * The rules that must hold for a store after a power cut.
 *
 * @module
 */

import type { MemoryFileSystem } from "@raft/snapshots/testing";
import type { Expectations } from "./expectations.ts";
import { BASE, type Found, type FoundSnapshot } from "./recovery.ts";

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** Newest first, as the store sorts: by term, index and time. */
export function compareIds(a: string, b: string): number {
  const left = a.split("-").map(BigInt);
  const right = b.split("-").map(BigInt);
  for (const [i, part] of left.entries()) {
    const other = right[i] ?? 0n;
    if (part !== other) return part > other ? -1 : 1;
  }
  return 0;
}

/** Each listed snapshot is whole and has the state that was written. */
function* checkListed(
  { id, state, ok, sealed }: FoundSnapshot,
  expectations: Expectations,
): Generator<string> {
  if (expectations.isCorrupted(id)) {
    if (state !== undefined) yield `${id} was corrupted, and is handed out`;
    if (ok) yield `${id} was corrupted, and verify() has not noticed`;
    return;
  }
  const expected = expectations.contentOf(id);
  if (expected === undefined) yield `${id} is listed, and must not be there`;
  else if (state === undefined) yield `${id} is listed, and corrupt`;
  else if (!same(state, expected)) yield `${id} is listed with a wrong state`;
  if (!ok && !expectations.hasCorruptChecksums(id)) {
    yield `${id} is listed, and verify() reports damage`;
  }
  if (expectations.isSealed(id) && !sealed) {
    yield `${id} has lost its checksums`;
  }
}

/**
 * Every snapshot that was acknowledged is there, unless retention removed it:
 * then there are as many newer ones as are to be kept, at least one of them
 * good. (Retention also counts snapshots that it has not found to be corrupt.)
 */
function* checkRequired(
  listed: readonly string[],
  good: readonly string[],
  expectations: Expectations,
): Generator<string> {
  for (const id of expectations.required) {
    if (good.includes(id)) continue;
    const isNewer = (other: string) => compareIds(other, id) < 0;
    const enough = listed.filter(isNewer).length >= expectations.retain;
    if (enough && good.some(isNewer)) continue;
    yield `${id} was acknowledged, and is lost`;
  }
  // The last one must be there whatever its term, because Raft has truncated
  // its log for it. But one that was published at the same time may have
  // replaced it, also when that one was acknowledged first: a store that is
  // opened again does not know the order.
  const last = expectations.required.at(-1);
  if (last === undefined || good.includes(last)) return;
  const mayReplace = (id: string) =>
    expectations.isBeingPublished(id) ||
    expectations.werePublishedTogether(id, last);
  if (good.some(mayReplace)) return;
  yield `${last} was the last to be acknowledged, and is lost`;
}

function* checkRestored(
  { restored }: Found,
  good: readonly string[],
  expectations: Expectations,
): Generator<string> {
  if (typeof restored !== "string") {
    const { id, state } = restored;
    if (id !== good[0]) yield `${id} was restored, and not ${good[0]}`;
    const expected = expectations.contentOf(id);
    if (expected === undefined || !same(state, expected)) {
      yield `${id} was restored with a wrong state`;
    }
  } else if (good.length > 0) {
    yield `restore() says "${restored}", and there is ${good[0]}`;
  } else if (restored === "nothing usable" && !expectations.hasCorrupted) {
    yield "restore() says that every snapshot is corrupt";
  }
}

const ID = /^\d+-\d+-\d+$/;

/** Each directory with a snapshot's name is listed or marked as corrupt. */
function* checkNames(
  { names, listed }: Found,
  tree: readonly string[],
  expectations: Expectations,
): Generator<string> {
  const known = listed.map(({ id }) => id);
  for (const name of names) {
    if (!ID.test(name) || known.includes(name)) continue;
    const path = `${BASE}/snapshots/${name}`;
    if (tree.includes(`${path}/corrupt`)) continue;
    // It was marked, and was removed because newer ones were quarantined since.
    if (expectations.isCorrupted(name) && !tree.includes(`${path}/`)) continue;
    yield `${name} is there, and is not listed`;
  }
}

/**
 * An imported snapshot has its `archive.origin`; `verify()` checks the content.
 */
function* checkOrigins(
  listed: readonly string[],
  tree: readonly string[],
  expectations: Expectations,
): Generator<string> {
  for (const id of listed.filter((id) => expectations.isImported(id))) {
    if (tree.includes(`${BASE}/snapshots/${id}/archive.origin`)) continue;
    yield `${id} has lost its archive.origin`;
  }
}

const PARTS = ["archive.origin", "blocks.crc64", "meta.json", "state.bin"];

/** Whether a path may be left in `snapshots/`: any other has leaked. */
function mayStay(
  path: string,
  listed: readonly string[],
  expectations: Expectations,
): boolean {
  const prefix = `${BASE}/snapshots/`;
  if (`${prefix}`.startsWith(path)) return true;
  const [name = "", part = "", ...rest] = path.slice(prefix.length).split("/");
  const id = /^(.*)\.corrupt\.tmp$/.exec(name)?.[1] ?? name;
  const isCorrupted = expectations.isCorrupted(id);
  const isOurs = isCorrupted || listed.includes(name);
  const isPart = PARTS.includes(part) || (isCorrupted && part === "corrupt");
  return isOurs && rest.length === 0 && (part === "" || isPart);
}

/**
 * The violations in the findings of a read-only store, before any other store has
 * cleaned up; `corrupt` are the IDs that it calls corrupt.
 */
export function violationsForReader(
  found: Found,
  corrupt: readonly string[],
  expectations: Expectations,
): string[] {
  const good = found.listed.filter(({ state }) => state !== undefined)
    .map(({ id }) => id);
  const wrong = [
    ...found.listed.flatMap((it) => [...checkListed(it, expectations)]),
    ...checkRestored(found, good, expectations),
    ...corrupt.filter((id) => !expectations.isCorrupted(id))
      .map((id) => `${id} is called corrupt, and was never corrupted`),
  ];
  return wrong.map((it) => `read only: ${it}`);
}

/**
 * The snapshots that would be incomplete for Go, which looks for `meta.json` and
 * does not know this library's marks.
 */
export function violationsForGo(
  disk: MemoryFileSystem,
  expectations: Expectations,
): string[] {
  const wrong: string[] = [];
  const tree = disk.tree();
  for (const path of tree) {
    const id = /\/([^/.]+)\/meta\.json$/.exec(path)?.[1] ?? "";
    if (!ID.test(id) || expectations.isCorrupted(id)) continue;
    const state = `${BASE}/snapshots/${id}/state.bin`;
    if (!tree.includes(state)) wrong.push(`for Go, ${id} has no state`);
  }
  return wrong;
}

/**
 * Directories with a snapshot's name that are incomplete and not marked as
 * deleted: a reader would take them for damage. Quarantined snapshots are kept
 * for the operator, so they must be whole, too.
 */
export function partsWithoutMark(tree: readonly string[]): string[] {
  const parts = new Map<string, string[]>();
  for (const path of tree) {
    const [, id, part] = /\/snapshots\/([\d-]+)\/(.+)$/.exec(path) ?? [];
    if (id === undefined || part === undefined) continue;
    parts.set(id, [...parts.get(id) ?? [], part]);
  }
  return [...parts].flatMap(([id, found]) =>
    found.includes("meta.json") || found.includes("deleted")
      ? []
      : [`${id} has only ${found}, and is not marked as deleted`]
  );
}

/**
 * The violations in the findings of a store and in the tree that it leaves; none
 * when all is well.
 */
export function violations(
  found: Found,
  tree: readonly string[],
  expectations: Expectations,
): string[] {
  const listed = found.listed.map(({ id }) => id);
  const good = found.listed.filter(({ state }) => state !== undefined)
    .map(({ id }) => id);
  const leaked = tree.filter((path) =>
    path.startsWith(`${BASE}/`) && !mayStay(path, listed, expectations)
  );
  return [
    ...found.listed.flatMap((it) => [...checkListed(it, expectations)]),
    ...checkNames(found, tree, expectations),
    ...checkRequired(listed, good, expectations),
    ...checkRestored(found, good, expectations),
    ...checkOrigins(listed, tree, expectations),
    ...leaked.map((path) => `${path} has leaked`),
  ];
}

/**
 * The violations in the archives that `export` has written: one that was
 * acknowledged is lost, or one is torn. `read` gives a file, if there is one.
 */
export async function archiveViolations(
  expectations: Expectations,
  read: (path: string) => Promise<Uint8Array | undefined>,
): Promise<string[]> {
  const wrong: string[] = [];
  for (const [path, expected] of expectations.archives) {
    const found = await read(path);
    const isExpected = expected.some((archive) =>
      archive === undefined || found === undefined
        ? archive === found
        : same(archive, found)
    );
    if (isExpected) continue;
    wrong.push(
      `${path} is ${found === undefined ? "lost" : "torn or out of date"}`,
    );
  }
  return wrong;
}
