import assert from "node:assert/strict";
import { mkdir, readdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { openFileArchiveStore } from "@raft/snapshots/archive";
import {
  failAt,
  FaultyFileSystem,
  MemoryFileSystem,
  type Operation,
} from "@raft/snapshots/testing";
import { bytes } from "../support/random.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import { put } from "./places.ts";

const PATH = "/backups/1-1000.snap";
const CONTENT = bytes(10_000, 3);

/** The state of a file after a power cut: missing, whole, or a part. */
function stateOf(disk: MemoryFileSystem): "missing" | "whole" | "broken" {
  if (!disk.tree().includes(PATH)) return "missing";
  const found = disk.readFile(PATH);
  const isWhole = found.length === CONTENT.length &&
    found.every((byte, i) => byte === CONTENT[i]);
  return isWhole ? "whole" : "broken";
}

/** The states that power cuts leave at this moment. */
function statesAfterCuts(disk: MemoryFileSystem): Set<string> {
  const states = new Set<string>();
  for (const keptPercent of [0, 50, 100]) {
    for (let seed = 0; seed < 10; seed++) {
      const choice = { seed, keptPercent, renames: "atomic" } as const;
      states.add(stateOf(disk.crashImage(choice)));
    }
  }
  return states;
}

/** A disk on which files can't be made durable. */
class ForgetfulFileSystem extends MemoryFileSystem {
  override async open(...args: Parameters<MemoryFileSystem["open"]>) {
    const file = await super.open(...args);
    return Object.assign(Object.create(file), {
      stat: () => file.stat(),
      read: file.read.bind(file),
      write: file.write.bind(file),
      close: () => file.close(),
      sync: () => Promise.resolve(),
    });
  }
}

describe("a directory of archives", () => {
  it("has an archive whole or not at all, whenever the power is cut", async () => {
    const disk = new MemoryFileSystem();
    const seen = new Set<string>();
    const look = () => {
      for (const state of statesAfterCuts(disk)) seen.add(state);
      return undefined;
    };
    const fileSystem = new FaultyFileSystem(disk, look);
    await put(
      openFileArchiveStore("/backups", { fileSystem }),
      1n,
      1_000,
      CONTENT,
    );
    assert.deepEqual([...seen].sort(), ["missing", "whole"]);
    assert.deepEqual([...statesAfterCuts(disk)], ["whole"]);
  });

  it("needs each of its syncs", async () => {
    const disk = new ForgetfulFileSystem();
    await put(
      openFileArchiveStore("/backups", { fileSystem: disk }),
      1n,
      1_000,
      CONTENT,
    );
    assert.ok(statesAfterCuts(disk).has("broken"), "without the file's sync");
    const other = new MemoryFileSystem();
    const unable = ({ name, path }: Operation) =>
      name === "syncDirectory" && path === "/backups"
        ? { code: "EINVAL" }
        : undefined;
    const fileSystem = new FaultyFileSystem(other, unable);
    await put(
      openFileArchiveStore("/backups", { fileSystem }),
      1n,
      1_000,
      CONTENT,
    );
    assert.ok(
      statesAfterCuts(other).has("missing"),
      "without the directory's sync",
    );
  });

  it("shows no part of an archive, and closes its files, whichever operation fails", async () => {
    for (let index = 0;; index++) {
      const disk = new MemoryFileSystem();
      const fileSystem = new FaultyFileSystem(disk, failAt(index, "EIO"));
      const store = openFileArchiveStore("/backups", { fileSystem });
      let failure: unknown;
      try {
        await put(store, 1n, 1_000, CONTENT);
      } catch (error) {
        failure = error;
      }
      assert.notEqual(stateOf(disk), "broken", `operation ${index}`);
      assert.equal(disk.openHandles, 0, `operation ${index}`);
      if (failure === undefined) {
        assert.equal(stateOf(disk), "whole");
        break;
      }
      const { code, published } = failure as Record<string, unknown>;
      if (published === true) assert.equal(code, "ERR_SNAPSHOT_PUBLISH");
      else {
        assert.equal(code, "ERR_STORE_ACCESS", `operation ${index}`);
        assert.equal(stateOf(disk), "missing", `operation ${index}`);
      }
    }
  });

  it("leaves foreign files alone", async () => {
    const directory = await temporaryDirectory();
    const store = openFileArchiveStore(directory);
    await put(store, 1n, 1_000);
    await writeFile(join(directory, "notes.txt"), "mine");
    await writeFile(join(directory, "backup.snap"), "mine");
    await writeFile(join(directory, "x.0123abcd.tmp"), "mine");
    await mkdir(join(directory, "2-2000.snap"));
    await symlink("/etc/passwd", join(directory, "3-3000.snap"));
    assert.deepEqual((await store.list()).map(({ name }) => name), [
      "1-1000.snap",
    ]);
    assert.deepEqual(await store.sweep(0), []);
    await assert.rejects(store.open("3-3000.snap"), {
      name: "StoreAccessError",
    });
    assert.equal((await readdir(directory)).length, 6);
  });

  it("says so where there is no directory, and makes none to look", async () => {
    const directory = join(await temporaryDirectory(), "none");
    const store = openFileArchiveStore(directory);
    await assert.rejects(store.list(), {
      name: "StoreAccessError",
      systemCode: "ENOENT",
    });
    assert.throws(() => openFileArchiveStore(""), TypeError);
    assert.throws(() => openFileArchiveStore("x", { mode: 1 } as never), {
      name: "TypeError",
      message: /"mode"/,
    });
  });
});
