/**
 * Directories that hold what no store has put there. Whatever it is, the good
 * snapshots are listed, the rest is named in a warning, and nothing outside of
 * the store is touched.
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
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import {
  type FileSnapshotStore,
  openFileSnapshotStore,
  SnapshotCorruptError,
  SnapshotNotFoundError,
  UnsupportedSnapshotVersionError,
} from "@raft/snapshots";
import { failOn } from "@raft/snapshots/testing";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import { Bench, decode, listIds, load, Log, save } from "./bench.ts";

const posix = {
  skip: process.platform === "win32" ? "needs POSIX" : false,
} as const;

/** A directory with one good snapshot, and a victim outside of the store. */
async function setUp(t: Parameters<typeof temporaryDirectory>[0]) {
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

type SetUp = Awaited<ReturnType<typeof setUp>>;

/** Does everything that a store can do to itself. */
async function useAll(store: FileSnapshotStore, good: string): Promise<void> {
  assert.equal(await load(store, good), "good");
  await save(store, "new", { index: 1n });
  await store.restore((source) => new Response(source).text());
  await store.reap();
}

async function assertUntouched({ victim }: SetUp): Promise<void> {
  assert.deepEqual(await readdir(victim), ["state.bin"]);
  assert.equal(await readFile(join(victim, "state.bin"), "utf8"), "precious");
}

/** Opens the store, checks what it lists, uses it, and closes it. */
async function survey(
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

/** Strangers beside the snapshots. */
const STRANGERS: Readonly<
  Record<string, { name: string; make: (it: SetUp) => Promise<unknown> }>
> = {
  "a file": {
    name: "notes.txt",
    make: ({ snapshots }) => writeFile(join(snapshots, "notes.txt"), ""),
  },
  "a file with the name of a snapshot": {
    name: "9-9-9",
    make: ({ snapshots }) => writeFile(join(snapshots, "9-9-9"), ""),
  },
  "a file with the name of one being written": {
    name: "9-9-9.tmp",
    make: ({ snapshots }) => writeFile(join(snapshots, "9-9-9.tmp"), ""),
  },
  "a directory whose name is no ID": {
    name: "lost+found",
    make: ({ snapshots }) => mkdir(join(snapshots, "lost+found")),
  },
  "a name that almost is an ID": {
    name: "09-9-9",
    make: ({ snapshots }) => mkdir(join(snapshots, "09-9-9")),
  },
  "a name that is a number too large": {
    name: "99999999999999999999-9-9",
    make: ({ snapshots }) => mkdir(join(snapshots, "99999999999999999999-9-9")),
  },
  "a name with a line end in it": {
    name: "9-9-9\n",
    make: ({ snapshots }) => mkdir(join(snapshots, "9-9-9\n")),
  },
  "a link to a directory, with the name of a snapshot": {
    name: "9-9-9",
    make: ({ snapshots, victim }) => symlink(victim, join(snapshots, "9-9-9")),
  },
  "a link to a good snapshot": {
    name: "9-9-9",
    make: ({ snapshots, good }) =>
      symlink(join(snapshots, good), join(snapshots, "9-9-9")),
  },
  "a link that leads nowhere": {
    name: "9-9-9",
    make: ({ snapshots }) => symlink("nowhere", join(snapshots, "9-9-9")),
  },
  "a link with a temporary name": {
    name: "9-9-9.tmp",
    make: ({ snapshots, victim }) =>
      symlink(victim, join(snapshots, "9-9-9.tmp")),
  },
  "a pipe": {
    name: "9-9-9",
    make: ({ snapshots }) =>
      Promise.resolve(execFileSync("mkfifo", [join(snapshots, "9-9-9")])),
  },
};

describe("beside the snapshots", () => {
  for (const [what, { name, make }] of Object.entries(STRANGERS)) {
    it(`${what} is passed over, with a warning`, posix, async (t) => {
      const setting = await setUp(t);
      await make(setting);
      await survey(setting, { warned: name });
      assert.ok((await readdir(setting.snapshots)).includes(name));
    });
  }

  it("a name that is no UTF-8 does no harm", posix, async (t) => {
    const setting = await setUp(t);
    const { snapshots } = setting;
    execFileSync("sh", ["-c", 'mkdir "$(printf "\\377\\376")"'], {
      cwd: snapshots,
    });
    await survey(setting, {});
  });

  it("ten thousand strangers do no harm", posix, async (t) => {
    const setting = await setUp(t);
    execFileSync("sh", ["-c", "touch $(seq 10000)"], {
      cwd: setting.snapshots,
    });
    const store = await setting.open();
    assert.deepEqual(await listIds(store), [setting.good]);
    await store.close();
  });
});

/** What can be wrong inside of a snapshot's directory. */
const INSIDES: Readonly<
  Record<string, (path: string, it: SetUp) => Promise<unknown>>
> = {
  "no meta.json": (path) => rm(join(path, "meta.json")),
  "no state.bin": (path) => rm(join(path, "state.bin")),
  "nothing in it": async (path) => {
    await rm(path, { recursive: true });
    await mkdir(path);
  },
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
  "{} for meta.json": (path) => writeFile(join(path, "meta.json"), "{}"),
};

describe("a snapshot with", () => {
  for (const [what, spoil] of Object.entries(INSIDES)) {
    it(`${what} is passed over, and never opened`, posix, async (t) => {
      const setting = await setUp(t);
      const store = await setting.open();
      const bad = await save(store, "bad", { term: 9n, index: 9n });
      await store.close();
      await spoil(join(setting.snapshots, bad), setting);
      const reader = await setting.open({ readOnly: true });
      await assert.rejects(reader.open(bad), SnapshotCorruptError);
      assert.equal((await reader.verify(bad)).ok, false);
      await reader.close();
      await survey(setting, { warned: bad });
      // The newest is corrupt, so restore() has set it aside.
      const names = await readdir(setting.snapshots);
      assert.ok(names.includes(`${bad}.corrupt.tmp`), names.join());
    });
  }

  it("an unknown version is passed over, and says so", async (t) => {
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

  it("files of its own beside ours is as good as others", async (t) => {
    const setting = await setUp(t);
    const path = join(setting.snapshots, setting.good);
    await writeFile(join(path, "notes"), "");
    await mkdir(join(path, "more"));
    await survey(setting, { silent: true });
  });

  it("a version of 0 is read, with its peers", async () => {
    const bench = new Bench();
    const store = await bench.open();
    const id = await save(store, "old");
    await bench.unseal(id);
    const meta = decode(bench.read(id, "meta.json"))
      .replace('"Version":1,', '"Version":0,')
      .replace(/"Configuration":.*\},"ConfigurationIndex":2,/, "");
    bench.write(id, "meta.json", meta);
    const source = await store.open(id);
    assert.equal(source.meta.version, 0);
    assert.deepEqual(source.meta.configuration, { servers: [] });
    assert.ok(source.meta.peers.length > 1);
    assert.equal(await new Response(source).text(), "old");
    await store.close();
  });
});

describe("what can't be read", () => {
  it("does not hide the other snapshots", async () => {
    for (const name of ["open", "read", "stat", "statHandle"] as const) {
      for (const code of ["EACCES", "EIO", "EPERM"]) {
        const bench = new Bench();
        const store = await bench.open();
        const good = await save(store, "good");
        const bad = await save(store, "bad", { index: 11n });
        await store.close();
        const next = await bench.open();
        bench.files.inject(failOn(name, code, { path: new RegExp(bad) }));
        assert.deepEqual(await listIds(next), [good], `${name} ${code}`);
        const warnings = bench.log.matching("warn", bad);
        assert.ok(warnings.some((it) => it.includes(code)), `${name} ${code}`);
        await assert.rejects(load(next, bad), { code });
        bench.files.inject();
        await next.close();
      }
    }
  });
});

describe("links with the names that the store is about to use", () => {
  it("are removed, and what they lead to is not", posix, async (t) => {
    const setting = await setUp(t);
    const { snapshots, victim } = setting;
    await symlink(join(victim, "state.bin"), join(snapshots, "permTest"));
    const store = await setting.open();
    const ids = [];
    for (const index of [20, 21, 22]) {
      ids.push(await save(store, "doomed", { index }));
    }
    const [deleted, corrupt, sealed] = ids as [string, string, string];
    await symlink(victim, join(snapshots, `${deleted}.deleted.tmp`));
    await symlink(victim, join(snapshots, `${corrupt}.corrupt.tmp`));
    await symlink(victim, join(snapshots, `${sealed}.sealing.tmp`));
    await store.delete(deleted);
    await rm(join(snapshots, sealed, "blocks.crc64"));
    await store.seal(sealed);
    await store.delete(sealed);
    await writeFile(join(snapshots, corrupt, "state.bin"), "DOOMED");
    await store.restore((source) => new Response(source).text());
    await store.close();
    assert.deepEqual(
      (await readdir(snapshots)).sort(),
      [setting.good, `${corrupt}.corrupt.tmp`].sort(),
    );
    await assertUntouched(setting);
  });

  it("inside of what is removed are not followed", posix, async (t) => {
    const setting = await setUp(t);
    const { snapshots, victim } = setting;
    await mkdir(join(snapshots, "9-9-9.tmp"));
    await symlink(victim, join(snapshots, "9-9-9.tmp", "link"));
    await symlink("..", join(snapshots, "9-9-9.tmp", "up"));
    await (await setting.open()).close();
    assert.deepEqual(await readdir(snapshots), [setting.good]);
    await assertUntouched(setting);
  });

  it("are not opened as snapshots", posix, async (t) => {
    const setting = await setUp(t);
    const { snapshots, good } = setting;
    await symlink(join(snapshots, good), join(snapshots, "9-9-9"));
    const store = await setting.open();
    for (const call of ["open", "verify", "delete", "seal"] as const) {
      await assert.rejects(store[call]("9-9-9"), SnapshotNotFoundError);
    }
    await store.close();
  });
});
