/**
 * Snapshots that are damaged in every way. They are skipped, never opened, and
 * quarantined when a good one was restored in their place.
 */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  cp,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  truncate,
  utimes,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import {
  SnapshotCorruptError,
  SnapshotNotFoundError,
  UnsupportedSnapshotVersionError,
} from "@raft/snapshots";
import { posix, type SetUp, setUp, survey } from "./hostile_fixture.ts";
import { decode, save, StoreFixture } from "../../support/store_fixture.ts";

/** Ways to damage a snapshot's directory. */
const INSIDES: Readonly<
  Record<string, (path: string, it: SetUp) => Promise<unknown>>
> = {
  "no meta.json": (path) => rm(join(path, "meta.json")),
  "no state.bin": (path) => rm(join(path, "state.bin")),
  "an empty meta.json": (path) => truncate(join(path, "meta.json"), 0),
  "half a meta.json": (path) => truncate(join(path, "meta.json"), 60),
  "zeros for meta.json": (path) =>
    writeFile(join(path, "meta.json"), new Uint8Array(200)),
  "a meta.json of 2 MiB": async (path) => {
    const meta = await readFile(join(path, "meta.json"), "utf8");
    const spaces = " ".repeat(2 * 1024 * 1024);
    await writeFile(join(path, "meta.json"), meta.replace("{", `{${spaces}`));
  },
  "an endless meta.json": (path) =>
    truncate(join(path, "meta.json"), 2 ** 40).catch(() =>
      truncate(join(path, "meta.json"), 2 ** 30)
    ),
  "a directory for meta.json": async (path) => {
    await rm(join(path, "meta.json"));
    await mkdir(join(path, "meta.json"));
  },
  "a link for meta.json": async (path) => {
    await rename(join(path, "meta.json"), join(path, "real.json"));
    await symlink("real.json", join(path, "meta.json"));
  },
  "a pipe for meta.json": async (path) => {
    await rm(join(path, "meta.json"));
    execFileSync("mkfifo", [join(path, "meta.json")]);
  },
  "a link for state.bin": async (path) => {
    await rename(join(path, "state.bin"), join(path, "real.bin"));
    await symlink("real.bin", join(path, "state.bin"));
  },
  "a link to the outside for state.bin": async (path, { victim }) => {
    await rm(join(path, "state.bin"));
    await symlink(join(victim, "state.bin"), join(path, "state.bin"));
  },
  "a directory for state.bin": async (path) => {
    await rm(join(path, "state.bin"));
    await mkdir(join(path, "state.bin"));
  },
  "a shorter state.bin": (path) => truncate(join(path, "state.bin"), 2),
  "a meta.json that is another's": async (path, { snapshots, good }) => {
    await rm(join(path, "blocks.crc64"));
    await cp(join(snapshots, good, "meta.json"), join(path, "meta.json"));
  },
  "an ID that leads outside in its meta.json": async (path) => {
    await rm(join(path, "blocks.crc64"));
    const meta = await readFile(join(path, "meta.json"), "utf8");
    const text = meta.replace(/"ID":"9[^"]*"/, '"ID":"../../victim"');
    assert.notEqual(text, meta);
    await writeFile(join(path, "meta.json"), text);
  },
  "the meta.json of a sink that is not closed": async (path) => {
    const meta = await readFile(join(path, "meta.json"), "utf8");
    const text = meta.replace(/"Size":.*/, '"Size":0,"CRC":null}');
    await writeFile(join(path, "meta.json"), text);
    await truncate(join(path, "state.bin"), 0);
    await rm(join(path, "blocks.crc64"));
  },
  "{} for meta.json": (path) => writeFile(join(path, "meta.json"), "{}"),
};

describe("a snapshot's directory", () => {
  for (const [what, damage] of Object.entries(INSIDES)) {
    it(`is skipped and never opened when it has ${what}`, posix, async (t) => {
      const setting = await setUp(t);
      const store = await setting.open();
      const bad = await save(store, "bad", { term: 9n, index: 9n });
      await store.close();
      await damage(join(setting.snapshots, bad), setting);
      // Long ago: a snapshot that has just lost a file may be being removed.
      await utimes(join(setting.snapshots, bad), 0, 0);
      const reader = await setting.open({ readOnly: true });
      await assert.rejects(reader.open(bad), SnapshotCorruptError);
      assert.equal((await reader.verify(bad)).ok, false);
      await reader.close();
      await survey(setting, { warned: bad });
      // The newest is corrupt, so restore() has quarantined it.
      const names = await readdir(setting.snapshots);
      assert.ok(names.includes(`${bad}.corrupt.tmp`), names.join());
    });
  }

  it("is the rest of a deletion when it is empty", posix, async (t) => {
    const setting = await setUp(t);
    const { snapshots } = setting;
    await mkdir(join(snapshots, "9-9-9"));
    const reader = await setting.open({ readOnly: true });
    await assert.rejects(reader.open("9-9-9"), SnapshotNotFoundError);
    await assert.rejects(reader.verify("9-9-9"), SnapshotNotFoundError);
    await reader.close();
    await survey(setting, { silent: true });
    assert.ok(!(await readdir(snapshots)).includes("9-9-9"));
  });

  it("is skipped with a warning when its version is unknown", async (t) => {
    const setting = await setUp(t);
    const store = await setting.open();
    const odd = await save(store, "odd", { term: 9n, index: 9n });
    const path = join(setting.snapshots, odd);
    await rm(join(path, "blocks.crc64"));
    const meta = await readFile(join(path, "meta.json"), "utf8");
    await writeFile(
      join(path, "meta.json"),
      meta.replace('"Version":1', '"Version":7'),
    );
    await assert.rejects(store.open(odd), UnsupportedSnapshotVersionError);
    await store.close();
    await survey(setting, { warned: odd });
    assert.ok((await readdir(setting.snapshots)).includes(odd));
  });

  it("is usable when it has foreign files beside ours", async (t) => {
    const setting = await setUp(t);
    const path = join(setting.snapshots, setting.good);
    await writeFile(join(path, "notes"), "");
    await mkdir(join(path, "more"));
    await survey(setting, { silent: true });
  });

  it("is read with its peers when its version is 0", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open();
    const id = await save(store, "old");
    await fixture.unseal(id);
    const meta = decode(fixture.read(id, "meta.json"))
      .replace('"Version":1,', '"Version":0,')
      .replace(/"Configuration":.*\},"ConfigurationIndex":2,/, "");
    fixture.write(id, "meta.json", meta);
    const source = await store.open(id);
    assert.equal(source.meta.version, 0);
    assert.deepEqual(source.meta.configuration, { servers: [] });
    assert.ok(source.meta.peers.length > 1);
    assert.equal(await new Response(source).text(), "old");
    await store.close();
  });
});
