/**
 * A store on a disk with one good snapshot, for tests that put hostile files
 * beside it.
 */

import assert from "node:assert/strict";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { openFileSnapshotStore, type SnapshotStore } from "@raft/snapshots";
import { temporaryDirectory } from "../../support/temporary_directory.ts";
import { listIds, load, Log, save } from "../../support/store_fixture.ts";

/** For tests of links, pipes and permission bits, which only POSIX has. */
export const posix = {
  skip: process.platform === "win32" ? "needs POSIX" : false,
} as const;

/** A directory with one good snapshot, and a victim outside of the store. */
export async function setUp(t: Parameters<typeof temporaryDirectory>[0]) {
  const root = await temporaryDirectory(t);
  const base = join(root, "base");
  const snapshots = join(base, "snapshots");
  const victim = join(root, "victim");
  await mkdir(victim);
  await writeFile(join(victim, "state.bin"), "precious");
  const log = new Log();
  const open = (options = {}) =>
    openFileSnapshotStore(base, { logger: log, retain: 10, ...options });
  const store = await open();
  const good = await save(store, "good");
  await store.close();
  return { root, base, snapshots, victim, log, open, good };
}

/** The result of {@linkcode setUp}. */
export type SetUp = Awaited<ReturnType<typeof setUp>>;

/** Reads, writes, restores and reaps. */
async function useAll(store: SnapshotStore, good: string): Promise<void> {
  assert.equal(await load(store, good), "good");
  await save(store, "new", { index: 1n });
  await store.restore((source) => new Response(source).text());
  await store.reap();
}

/** Asserts that the directory outside of the store has not changed. */
export async function assertUntouched({ victim }: SetUp): Promise<void> {
  assert.deepEqual(await readdir(victim), ["state.bin"]);
  assert.equal(await readFile(join(victim, "state.bin"), "utf8"), "precious");
}

/** Opens the store, checks its list, uses it, and closes it. */
export async function survey(
  it: SetUp,
  expected: { warned?: string; silent?: boolean },
): Promise<void> {
  const store = await it.open();
  it.log.lines.length = 0;
  assert.deepEqual(await listIds(store), [it.good]);
  const warnings = it.log.matching("warn");
  if (expected.warned !== undefined) {
    assert.equal(warnings.length, 1, warnings.join("\n"));
    assert.ok(warnings[0]?.includes(expected.warned), warnings[0]);
  } else if (expected.silent) assert.deepEqual(warnings, []);
  await useAll(store, it.good);
  await store.close();
  await assertUntouched(it);
}
