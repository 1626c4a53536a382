/**
 * Directories with names that no store has made. The good snapshots are still
 * listed, the foreign names are reported in warnings, and nothing outside of the
 * store is changed.
 */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { SnapshotNotFoundError } from "@raft/snapshots";
import { failOn } from "@raft/snapshots/testing";
import {
  assertUntouched,
  posix,
  type SetUp,
  setUp,
  survey,
} from "./hostile_fixture.ts";
import {
  listIds,
  load,
  save,
  StoreFixture,
} from "../../support/store_fixture.ts";

/** Foreign names beside the snapshots. */
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
  "a directory whose name is not an ID": {
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

describe("a foreign name beside the snapshots", () => {
  for (const [what, { name, make }] of Object.entries(STRANGERS)) {
    it(`is skipped with a warning when it is ${what}`, posix, async (t) => {
      const setting = await setUp(t);
      await make(setting);
      // One warning is one line, whatever the name.
      await survey(setting, { warned: name.replace("\n", "\\u000a") });
      assert.ok((await readdir(setting.snapshots)).includes(name));
    });
  }

  it("does no harm when it is not UTF-8", posix, async (t) => {
    const setting = await setUp(t);
    const { snapshots } = setting;
    execFileSync("sh", ["-c", 'mkdir "$(printf "\\377\\376")"'], {
      cwd: snapshots,
    });
    await survey(setting, {});
  });

  it("does no harm when there are a thousand", posix, async (t) => {
    const setting = await setUp(t);
    execFileSync("sh", ["-c", "touch $(seq 1000)"], {
      cwd: setting.snapshots,
    });
    const store = await setting.open();
    assert.deepEqual(await listIds(store), [setting.good]);
    await store.close();
  });
});

describe("a snapshot that can't be read", () => {
  it("does not hide the other snapshots", async () => {
    for (const name of ["open", "read", "stat", "statHandle"] as const) {
      for (const code of ["EACCES", "EIO", "EPERM"]) {
        const fixture = new StoreFixture();
        const store = await fixture.open();
        const good = await save(store, "good");
        const bad = await save(store, "bad", { index: 11n });
        await store.close();
        const next = await fixture.open();
        fixture.files.inject(failOn(name, code, { path: new RegExp(bad) }));
        assert.deepEqual(await listIds(next), [good], `${name} ${code}`);
        const warnings = fixture.log.matching("warn", bad);
        assert.ok(warnings.some((it) => it.includes(code)), `${name} ${code}`);
        await assert.rejects(load(next, bad), { systemCode: code });
        fixture.files.inject();
        await next.close();
      }
    }
  });
});

describe("links with the names that the store is about to use", () => {
  it("are removed, and their targets are not", posix, async (t) => {
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

  it(
    "are not followed inside of a directory that is removed",
    posix,
    async (t) => {
      const setting = await setUp(t);
      const { snapshots, victim } = setting;
      await mkdir(join(snapshots, "9-9-9.tmp"));
      await symlink(victim, join(snapshots, "9-9-9.tmp", "link"));
      await symlink("..", join(snapshots, "9-9-9.tmp", "up"));
      await (await setting.open({ foreignTmpAgeMs: 0 })).close();
      assert.deepEqual(await readdir(snapshots), [setting.good]);
      await assertUntouched(setting);
    },
  );

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
