import assert from "node:assert/strict";
import {
  mkdir,
  readdir,
  readFile,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import type { FileSystem } from "@raft/snapshots";
import { nodeFileSystem as files } from "../../../src/fs/node/file_system.ts";
import type { LockTools } from "../../../src/fs/lock/chain.ts";
import { lockFile } from "../../../src/fs/lock/lock.ts";
import { openDescriptors } from "../../support/open_descriptors.ts";
import {
  lockRecord,
  namesIn,
  refusal,
  setUp,
  SYSTEM,
  writeRecord,
} from "./records.ts";

describe("a lock on a disk without hard links", () => {
  const tools: LockTools = {
    ...SYSTEM,
    hardLink: () =>
      Promise.reject(Object.assign(new Error("no links"), { code: "EPERM" })),
  };

  it("is taken, refused and released as on other disks", async (t) => {
    const { dir, path } = await setUp(t);
    await writeRecord(path, lockRecord());
    const lock = await lockFile(files, path, { tools });
    assert.deepEqual(await namesIn(dir), [".lock"]);
    await refusal(lockFile(files, path, { tools }));
    await lock.release();
    assert.deepEqual(await readdir(dir), []);
    assert.deepEqual(openDescriptors(dir) ?? [], []);
  });

  it("goes to at most one of two that want it at the same moment", async (t) => {
    const { dir, path } = await setUp(t);
    await writeRecord(path, lockRecord());
    const results = await Promise.allSettled([
      lockFile(files, path, { tools }),
      lockFile(files, path, { tools }),
    ]);
    const locks = results.filter((it) => it.status === "fulfilled");
    assert.ok(locks.length <= 1);
    for (const { value } of locks) await value.release();
    await (await lockFile(files, path, { tools })).release();
    assert.deepEqual(await readdir(dir), []);
  });
});

describe("a lock on a disk that takes no byte", () => {
  it("is refused after one attempt to write its record, and leaves nothing", async (t) => {
    const { dir, path } = await setUp(t);
    let writes = 0;
    const write = () => {
      if (++writes > 1) return Promise.reject(new Error("written again"));
      return Promise.resolve(0);
    };
    const takesNothing: FileSystem = Object.assign(Object.create(files), {
      open: async (...args: Parameters<FileSystem["open"]>) =>
        Object.assign(await files.open(...args), { write }),
    });
    await assert.rejects(lockFile(takesNothing, path), {
      name: "SnapshotError",
    });
    assert.deepEqual(await readdir(dir), []);
  });
});

describe("a lock file that is not a lock record", () => {
  for (
    const [what, content] of Object.entries({
      "empty": "",
      "cut off": JSON.stringify(lockRecord()).slice(0, 50),
      "of another program": "4711\n",
      "without a token": JSON.stringify({ ...lockRecord(), token: undefined }),
      "with a path for a token": JSON.stringify(
        lockRecord({ token: "/../../victim" }),
      ),
      "too long": JSON.stringify(lockRecord({ runtime: "x".repeat(5000) })),
    })
  ) {
    it(`is left alone when it is ${what}`, async (t) => {
      const { path } = await setUp(t);
      await writeFile(path, content);
      const { owner, message } = await refusal(files.lock(path));
      assert.equal(owner, undefined);
      assert.match(message, /remove it/);
      assert.equal(await readFile(path, "utf8"), content);
    });
  }

  it("is not followed when it is a link, nor entered when it is a directory", {
    skip: process.platform === "win32" ? "needs POSIX" : false,
  }, async (t) => {
    const { dir, path } = await setUp(t);
    await writeRecord(join(dir, "victim"), lockRecord());
    await symlink("victim", path);
    await assert.rejects(files.lock(path), { code: "ELOOP" });
    await rm(path);
    await mkdir(path);
    await assert.rejects(files.lock(path), { code: "EISDIR" });
  });

  it("does not make lock() loop when the chain is a circle", async (t) => {
    const { path } = await setUp(t);
    const record = lockRecord();
    await writeRecord(path, record);
    await writeRecord(`${path}.${record.token}`, record);
    await refusal(files.lock(path));
  });
});
