/**
 * A process that may write to `snapshots/` and puts a link in the place of a
 * directory while the store works in it: nothing outside of the store changes.
 */

import assert from "node:assert/strict";
import {
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import type { FileSystem } from "@raft/snapshots";
import { nodeFileSystem } from "../../../src/fs/node/file_system.ts";
import { openDescriptors } from "../../support/open_descriptors.ts";
import { assertUntouched, setUp } from "./hostile_fixture.ts";
import { save } from "../../support/store_fixture.ts";

const linux = {
  skip: process.platform === "linux" ? false : "needs Linux",
} as const;

/** Swaps a directory for a link to the victim as soon as the store holds it. */
function swapping(name: RegExp, victim: string): FileSystem {
  return new Proxy(nodeFileSystem, {
    get(target, key: keyof FileSystem) {
      if (key !== "holdDirectory") return target[key].bind(target);
      return async (path: string) => {
        const held = await target.holdDirectory(path);
        if (name.test(path)) {
          await rename(path, `${path}.away`);
          await symlink(victim, path);
        }
        return held;
      };
    },
  });
}

describe("a directory that is replaced by a link", () => {
  it("leads no file of a new snapshot elsewhere", linux, async (t) => {
    const setting = await setUp(t);
    const { snapshots, victim } = setting;
    const fileSystem = swapping(/\.tmp$/, victim);
    const store = await setting.open({ fileSystem });
    const sink = await store.create({
      index: 11n,
      term: 3n,
      configuration: { servers: [] },
      configurationIndex: 1n,
    });
    const away = join(snapshots, `${sink.id}.tmp.away`);
    assert.deepEqual((await readdir(away)).sort(), [
      "blocks.crc64",
      "meta.json",
      "state.bin",
    ]);
    await sink.cancel();
    await store.close();
    await assertUntouched(setting);
    assert.deepEqual(openDescriptors(setting.root) ?? [], []);
  });

  it(
    "leads no block checksums elsewhere when a snapshot is sealed",
    linux,
    async (t) => {
      const setting = await setUp(t);
      const { snapshots, victim } = setting;
      const before = await setting.open();
      const id = await save(before, "sealed", { index: 11n });
      await before.close();
      await rm(join(snapshots, id, "blocks.crc64"));
      await writeFile(join(victim, "blocks.crc64"), "precious");
      const fileSystem = swapping(new RegExp(`/${id}$`), victim);
      const store = await setting.open({ fileSystem });
      await store.seal(id);
      await store.close();
      const found = await readFile(join(victim, "blocks.crc64"), "utf8");
      assert.equal(found, "precious");
      assert.deepEqual(openDescriptors(setting.root) ?? [], []);
    },
  );
});
