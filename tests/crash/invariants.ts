/**
 * What must hold whenever the power was cut.
 *
 * @module
 */

import type { MemoryFileSystem } from "@raft/snapshots/testing";
import type { Ledger } from "./expectations.ts";
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

/** Nothing that is listed is partial or wrong. */
function* checkListed(
  { id, state, ok, sealed }: FoundSnapshot,
  ledger: Ledger,
): Generator<string> {
  if (ledger.isSpoiled(id)) {
    if (state !== undefined) yield `${id} was spoiled, and is handed out`;
    if (ok) yield `${id} was spoiled, and verify() has not noticed`;
    return;
  }
  const expected = ledger.contentOf(id);
  if (expected === undefined) yield `${id} is listed, and must not be there`;
  else if (state === undefined) yield `${id} is listed, and corrupt`;
  else if (!same(state, expected)) yield `${id} is listed with a wrong state`;
  if (!ok && !ledger.isBlemished(id)) {
    yield `${id} is listed, and verify() finds fault with it`;
  }
  if (ledger.isSealed(id) && !sealed) yield `${id} has lost its checksums`;
}

/**
 * Every snapshot that was acknowledged is there, unless retention made it give
 * way: then there are as many newer ones as are to be kept, a good one among
 * them. (Retention counts what it knows nothing bad of.)
 */
function* checkOwed(
  listed: readonly string[],
  good: readonly string[],
  ledger: Ledger,
): Generator<string> {
  for (const id of ledger.owed) {
    if (good.includes(id)) continue;
    const isNewer = (other: string) => compareIds(other, id) < 0;
    const enough = listed.filter(isNewer).length >= ledger.retain;
    if (enough && good.some(isNewer)) continue;
    yield `${id} was acknowledged, and is lost`;
  }
  // Whatever its term: Raft has deleted its log on the strength of it. But its
  // place may have been taken by one that was published at the same time.
  const last = ledger.owed.at(-1);
  if (last === undefined || good.includes(last)) return;
  if (good.some((id) => ledger.isBeingPublished(id))) return;
  yield `${last} was the last to be acknowledged, and is lost`;
}

function* checkRestored(
  { restored }: Found,
  good: readonly string[],
  ledger: Ledger,
): Generator<string> {
  if (typeof restored !== "string") {
    const { id, state } = restored;
    if (id !== good[0]) yield `${id} was restored, and not ${good[0]}`;
    const expected = ledger.contentOf(id);
    if (expected === undefined || !same(state, expected)) {
      yield `${id} was restored with a wrong state`;
    }
  } else if (good.length > 0) {
    yield `restore() says "${restored}", and there is ${good[0]}`;
  } else if (restored === "nothing usable" && !ledger.hasSpoiled) {
    yield "restore() says that all there is is broken";
  }
}

const ID = /^\d+-\d+-\d+$/;

/** Nothing that has a snapshot's name is less than one, or marked as corrupt. */
function* checkNames(
  { names, listed }: Found,
  tree: readonly string[],
  ledger: Ledger,
): Generator<string> {
  const known = listed.map(({ id }) => id);
  for (const name of names) {
    if (!ID.test(name) || known.includes(name)) continue;
    const path = `${BASE}/snapshots/${name}`;
    if (tree.includes(`${path}/corrupt`)) continue;
    // It was marked, and gave way to newer ones that were quarantined since.
    if (ledger.isSpoiled(name) && !tree.includes(`${path}/`)) continue;
    yield `${name} is there, and not fit to be listed`;
  }
}

/** What is damaged in it, verify() finds; here it must be there. */
function* checkOrigins(
  listed: readonly string[],
  tree: readonly string[],
  ledger: Ledger,
): Generator<string> {
  for (const id of listed.filter((id) => ledger.isImported(id))) {
    if (tree.includes(`${BASE}/snapshots/${id}/archive.origin`)) continue;
    yield `${id} has lost what it has kept of its archive`;
  }
}

const PARTS = ["archive.origin", "blocks.crc64", "meta.json", "state.bin"];

/** Whether something may be left in `snapshots/`: all else has leaked. */
function mayStay(
  path: string,
  listed: readonly string[],
  ledger: Ledger,
): boolean {
  const prefix = `${BASE}/snapshots/`;
  if (`${prefix}`.startsWith(path)) return true;
  const [name = "", part = "", ...rest] = path.slice(prefix.length).split("/");
  const aside = /^(.*)\.corrupt\.tmp$/.exec(name)?.[1] ?? name;
  const isSpoiled = ledger.isSpoiled(aside);
  const isOurs = isSpoiled || listed.includes(name);
  const isPart = PARTS.includes(part) || (isSpoiled && part === "corrupt");
  return isOurs && rest.length === 0 && (part === "" || isPart);
}

/**
 * What is wrong with what a store finds that is opened to read only, before any
 * other has cleaned up; `corrupt` are the IDs that it calls corrupt.
 */
export function violationsForReader(
  found: Found,
  corrupt: readonly string[],
  ledger: Ledger,
): string[] {
  const good = found.listed.filter(({ state }) => state !== undefined)
    .map(({ id }) => id);
  const wrong = [
    ...found.listed.flatMap((it) => [...checkListed(it, ledger)]),
    ...checkRestored(found, good, ledger),
    ...corrupt.filter((id) => !ledger.isSpoiled(id))
      .map((id) => `${id} is called corrupt, and was never spoiled`),
  ];
  return wrong.map((it) => `read only: ${it}`);
}

/**
 * What Go, which looks for `meta.json` and knows no marks, would find to be less
 * than a snapshot.
 */
export function violationsForGo(
  disk: MemoryFileSystem,
  ledger: Ledger,
): string[] {
  const wrong: string[] = [];
  const tree = disk.tree();
  for (const path of tree) {
    const id = /\/([^/.]+)\/meta\.json$/.exec(path)?.[1] ?? "";
    if (!ID.test(id) || ledger.isSpoiled(id)) continue;
    const state = `${BASE}/snapshots/${id}/state.bin`;
    if (!tree.includes(state)) wrong.push(`for Go, ${id} has no state`);
  }
  return wrong;
}

/**
 * What is part of a snapshot under its name, with no mark that says that it is
 * to be removed: every reader would take it for damage. What is quarantined is
 * kept for the operator, so it must be whole, too.
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
      : [`of ${id} there is only ${found}, and it is not marked as deleted`]
  );
}

/**
 * What is wrong with what a store has found, and with the tree that it has left
 * behind; nothing when all is well.
 */
export function violations(
  found: Found,
  tree: readonly string[],
  ledger: Ledger,
): string[] {
  const listed = found.listed.map(({ id }) => id);
  const good = found.listed.filter(({ state }) => state !== undefined)
    .map(({ id }) => id);
  const leaked = tree.filter((path) =>
    path.startsWith(`${BASE}/`) && !mayStay(path, listed, ledger)
  );
  return [
    ...found.listed.flatMap((it) => [...checkListed(it, ledger)]),
    ...checkNames(found, tree, ledger),
    ...checkOwed(listed, good, ledger),
    ...checkRestored(found, good, ledger),
    ...checkOrigins(listed, tree, ledger),
    ...leaked.map((path) => `${path} has leaked`),
  ];
}

/**
 * What is wrong with the archives that `export` has written: one that was
 * acknowledged is lost, or one is torn. `read` gives a file, if there is one.
 */
export async function archiveViolations(
  ledger: Ledger,
  read: (path: string) => Promise<Uint8Array | undefined>,
): Promise<string[]> {
  const wrong: string[] = [];
  for (const [path, expected] of ledger.archives) {
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
