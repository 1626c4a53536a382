/**
 * Looks at a snapshot that is changed meanwhile: the metadata that a list keeps
 * is that of the files whose version it keeps.
 */

import assert from "node:assert/strict";
import { cp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { describe, it, type TestContext } from "node:test";
import {
  type FileSystem,
  openFileSnapshotStore,
  type SnapshotMeta,
} from "@raft/snapshots";
import { nodeFileSystem } from "@raft/snapshots/node";
import { FaultyFileSystem } from "@raft/snapshots/testing";
import { Gate, Log, save, until } from "../../support/store_fixture.ts";
import { temporaryDirectory } from "../../support/temporary_directory.ts";

/** Nothing younger is kept. */
const TICK_MS = 2000;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Replaces the address in the metadata by another one of its length. */
async function readdress(path: string, address: string): Promise<void> {
  const text = await readFile(path, "utf8");
  const changed = text.replace(/"Address":"[^"]*"/, `"Address":"${address}"`);
  assert.equal(changed.length, text.length);
  await writeFile(path, changed);
}

function addressOf(meta: SnapshotMeta | undefined): string | undefined {
  return meta?.configuration.servers[0]?.address;
}

/** A directory with a snapshot as Go writes it, and how a store opens it. */
async function setUp(t: TestContext, fileSystem: FileSystem) {
  const directory = await temporaryDirectory(t);
  const writer = await openFileSnapshotStore(directory, { logger: new Log() });
  const id = await save(writer, "state");
  await writer.close();
  const path = join(directory, "snapshots", id);
  await rm(join(path, "blocks.crc64"));
  const files = new FaultyFileSystem(fileSystem);
  const open = () =>
    openFileSnapshotStore(directory, {
      fileSystem: files,
      logger: new Log(),
    });
  return { directory, id, path, files, open };
}

/** The first look at the length of a state waits, until the gate is opened. */
function holdFirstLook(files: FaultyFileSystem) {
  const gate = new Gate();
  let isWaiting = false;
  files.inject(({ name, path }) => {
    if (isWaiting || name !== "stat" || !path.endsWith("state.bin")) return;
    isWaiting = true;
    return { wait: gate.opened };
  });
  return { gate, waiting: () => until(() => isWaiting, "the look") };
}

/** The file system with times of whole seconds, as Deno gives them. */
function inWholeSeconds(fileSystem: FileSystem): FileSystem {
  const coarse: FileSystem = Object.create(fileSystem);
  const floor = <T extends { readonly changedMs?: number | undefined }>(
    stat: T,
  ): T => ({
    ...stat,
    changedMs: Math.floor((stat.changedMs ?? NaN) / 1000) * 1000,
  });
  coarse.stat = async (path) => floor(await fileSystem.stat(path));
  coarse.open = async (...args) => {
    const handle = await fileSystem.open(...args);
    const stat = handle.stat.bind(handle);
    handle.stat = async () => floor(await stat());
    return handle;
  };
  return coarse;
}

describe("a look at a snapshot that is changed meanwhile", () => {
  const skip = process.platform === "win32" ? "needs POSIX" : false;

  it("keeps nothing of another look at the same time", { skip }, async (t) => {
    const { directory, id, path, files, open } = await setUp(t, nodeFileSystem);
    const other = join(directory, "other");
    await cp(path, other, { recursive: true });
    await readdress(join(other, "meta.json"), "over THEM");
    await pause(TICK_MS + 1100);
    const store = await open();
    const { gate, waiting } = holdFirstLook(files);
    const list = store.list();
    await waiting();
    await rename(path, join(directory, "away"));
    await rename(other, path);
    assert.equal(addressOf(await store.stat(id)), "over THEM");
    gate.open();
    assert.equal(addressOf((await list)[0]), "over here");
    for (let i = 0; i < 2; i++) {
      assert.equal(addressOf((await store.list())[0]), "over THEM");
    }
    await store.close();
  });

  it(
    "keeps nothing that was young when the look began",
    { skip },
    async (t) => {
      const coarse = inWholeSeconds(nodeFileSystem);
      const { path, files, open } = await setUp(t, coarse);
      const meta = join(path, "meta.json");
      const store = await open();
      const { gate, waiting } = holdFirstLook(files);
      // Both changes are within one second of the clock.
      await pause(1010 - Date.now() % 1000);
      await readdress(meta, "over THEM");
      const list = store.list();
      await waiting();
      await readdress(meta, "over LAST");
      await pause(TICK_MS + 500);
      gate.open();
      assert.equal(addressOf((await list)[0]), "over THEM");
      assert.equal(addressOf((await store.list())[0]), "over LAST");
      await store.close();
    },
  );
});
