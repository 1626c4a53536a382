import assert from "node:assert/strict";
import {
  link,
  mkdir,
  readdir,
  readFile,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { StoreLockedError } from "../../src/errors.ts";
import { failOn } from "../../src/fs/fault.ts";
import { FaultyFileSystem } from "../../src/fs/faulty_file_system.ts";
import type { FileLock } from "../../src/fs/file_system.ts";
import { livenessOf } from "../../src/fs/lock_liveness.ts";
import { parseLockRecord } from "../../src/fs/lock_record.ts";
import { nodeFileSystem as files } from "../../src/fs/node_file_system.ts";
import { lockFile, type LockTools } from "../../src/fs/node_lock.ts";
import { openDescriptors } from "../support/open_descriptors.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import { lockRecord } from "./lock_records.ts";

type TestContext = Parameters<typeof temporaryDirectory>[0];

const SYSTEM: LockTools = { hardLink: link, livenessOf };

/** An empty directory, and the lock file in it that is not there yet. */
async function setUp(
  t: TestContext,
): Promise<{ readonly dir: string; readonly path: string }> {
  const dir = files.resolve(await temporaryDirectory(t));
  return { dir, path: `${dir}/.lock` };
}

function writeRecord(
  path: string,
  record: ReturnType<typeof lockRecord>,
): Promise<void> {
  return writeFile(path, JSON.stringify(record) + "\n");
}

async function readRecord(path: string) {
  return parseLockRecord(await readFile(path, "utf8"));
}

/** What a refused attempt says; fails when it is not refused. */
async function refusal(
  attempt: Promise<FileLock>,
): Promise<StoreLockedError> {
  try {
    await attempt;
  } catch (error) {
    if (error instanceof StoreLockedError) return error;
    throw error;
  }
  throw new assert.AssertionError({ message: "the lock was not refused" });
}

describe("a lock that is held", () => {
  it("says in one line of JSON who holds it", async (t) => {
    const { path } = await setUp(t);
    const before = Date.now();
    const lock = await files.lock(path);
    const line = await readFile(path, "utf8");
    assert.match(line, /^\{[^\n]*\}\n$/);
    const record = parseLockRecord(line);
    assert.equal(record?.pid, process.pid);
    assert.equal(record?.host, hostname());
    assert.match(record?.runtime ?? "", /^(deno|bun|node) \d+\.\d+/);
    assert.ok((record?.since ?? 0) >= before);
    await lock.release();
  });

  it("is refused to others of this process, with its owner", async (t) => {
    const { dir, path } = await setUp(t);
    const lock = await files.lock(path);
    const { message, owner } = await refusal(files.lock(path));
    const { pid, host, runtime, since } = await readRecord(path) ??
      lockRecord();
    assert.deepEqual(owner, { pid, host, runtime, since });
    assert.ok(message.includes(path) && message.includes(String(pid)), message);
    assert.deepEqual(await readdir(dir), [".lock"]);
    await lock.release();
  });

  it("is known to another copy of this module", async (t) => {
    const { path } = await setUp(t);
    const lock = await files.lock(path);
    const { token } = await readRecord(path) ?? lockRecord();
    const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
    const copy = await import(
      `../../src/fs/lock_liveness.${extension}?another-copy`
    );
    assert.notEqual(copy.livenessOf, livenessOf);
    assert.ok(copy.tokensHeldHere.has(token));
    await lock.release();
    assert.ok(!copy.tokensHeldHere.has(token));
  });

  it("keeps no file open that its release does not close", async (t) => {
    const { dir, path } = await setUp(t);
    const lock = await files.lock(path);
    await refusal(files.lock(path));
    await lock.release();
    assert.deepEqual(openDescriptors(dir) ?? [], []);
  });

  it("leaves the lock of whoever has taken its place when it is released", async (t) => {
    const { path } = await setUp(t);
    const lock = await files.lock(path);
    await rm(path);
    const next = await files.lock(path);
    await lock.release();
    await refusal(files.lock(path));
    await next.release();
  });

  it("is released once, also when release() is called twice at a time", async (t) => {
    const { dir, path } = await setUp(t);
    const lock = await files.lock(path);
    const first = lock.release();
    assert.equal(lock.release(), first);
    await first;
    assert.deepEqual(await readdir(dir), []);
  });

  it("is released though its file is no lock record by now, or gone", async (t) => {
    const { path, dir } = await setUp(t);
    const lost = await files.lock(path);
    await writeFile(path, "not a record");
    await lost.release();
    assert.equal(await readFile(path, "utf8"), "not a record");
    await rm(path);

    const homeless = await files.lock(path);
    await rm(dir, { recursive: true });
    await homeless.release();
    await writeFile(dir, "");
    await assert.rejects(files.lock(path), { code: "ENOTDIR" });
    await rm(dir);
  });

  it("stays held when its release fails, and may be released later", async (t) => {
    const { path } = await setUp(t);
    const faulty = new FaultyFileSystem(files);
    const lock = await lockFile(faulty, path);
    faulty.inject(failOn("removeFile", "EIO", { times: 1 }));
    await assert.rejects(lock.release(), { code: "EIO" });
    await refusal(files.lock(path));
    await lock.release();
    await (await files.lock(path)).release();
  });
});

describe("a lock whose holder has died", () => {
  it("is taken over at once", async (t) => {
    const { dir, path } = await setUp(t);
    await writeRecord(path, lockRecord());
    const lock = await files.lock(path);
    assert.equal((await readRecord(path))?.pid, process.pid);
    assert.deepEqual(await readdir(dir), [".lock"]);
    await lock.release();
    assert.deepEqual(await readdir(dir), []);
  });

  it("goes to one of many that want it at the same moment", async (t) => {
    const { dir, path } = await setUp(t);
    for (let round = 0; round < 10; round++) {
      if (round % 2 === 0) await writeRecord(path, lockRecord());
      const results = await Promise.allSettled(
        Array.from({ length: 6 }, () => files.lock(path)),
      );
      const locks = results.flatMap((result) => {
        if (result.status === "fulfilled") return [result.value];
        assert.ok(result.reason instanceof StoreLockedError, result.reason);
        return [];
      });
      assert.equal(locks.length, 1);
      await locks[0]?.release();
      assert.deepEqual(await readdir(dir), []);
    }
  });

  it("is taken over from one who died while taking it over", async (t) => {
    const { dir, path } = await setUp(t);
    const [first, second] = [lockRecord(), lockRecord()];
    await writeRecord(path, first);
    await writeRecord(`${path}.${first.token}`, second);
    await writeFile(`${path}.${crypto.randomUUID()}.draft`, "{");
    await mkdir(`${path}.${crypto.randomUUID()}.draft`);
    await writeFile(`${path}.${crypto.randomUUID()}.draft`, "{");
    await writeFile(`${path}.notes`, "not ours");
    await writeFile(`${dir}/other.${second.token}`, "not ours either");
    const lock = await files.lock(path);
    assert.equal((await readRecord(path))?.pid, process.pid);
    const left = (await files.readDirectory(dir)).filter(({ name, kind }) =>
      kind === "file" && name !== ".lock"
    );
    assert.deepEqual(left.map(({ name }) => name).sort(), [
      ".lock.notes",
      `other.${second.token}`,
    ]);
    await lock.release();
  });

  it("is refused while another is taking it over", async (t) => {
    const { path } = await setUp(t);
    const dead = lockRecord();
    const alive = lockRecord({ pid: process.pid, runtime: "alive 1.0" });
    await writeRecord(path, dead);
    await writeRecord(`${path}.${dead.token}`, alive);
    const { owner } = await refusal(files.lock(path));
    assert.equal(owner?.runtime, "alive 1.0");
    assert.equal((await readRecord(path))?.token, dead.token);
  });

  it("is not taken by one who comes too late, who leaves nothing", async (t) => {
    const { dir, path } = await setUp(t);
    await writeRecord(path, lockRecord());
    let winner: FileLock | undefined;
    const late = lockFile(files, path, {
      ...SYSTEM,
      hardLink: async (from, to) => {
        const draft = await readFile(from);
        winner = await files.lock(path);
        // The winner has swept the draft. Being later still would have saved it.
        await writeFile(from, draft);
        await link(from, to);
      },
    });
    const { owner } = await refusal(late);
    assert.equal(owner?.pid, process.pid);
    assert.deepEqual(await readdir(dir), [".lock"]);
    await winner?.release();
    assert.deepEqual(await readdir(dir), []);
  });

  it("is asked for again when the file was renamed under the question", async (t) => {
    const { path } = await setUp(t);
    const dead = lockRecord();
    const alive = lockRecord({ pid: process.pid });
    await writeRecord(path, dead);
    await writeRecord(`${path}.${dead.token}`, alive);
    let [asked, followed] = [0, 0];
    const attempt = lockFile(files, path, {
      hardLink: (from, to) => {
        followed++;
        return link(from, to);
      },
      livenessOf: async (record, at) => {
        if (asked++ > 0) return await livenessOf(record, at);
        await files.rename(`${path}.${dead.token}`, path);
        return { dead: true };
      },
    });
    await refusal(attempt);
    assert.equal(asked, 2);
    assert.equal(followed, 0, "nobody may follow a live holder");
  });

  it("is taken at the next try when the draft was swept away", async (t) => {
    const { path } = await setUp(t);
    let tries = 0;
    const lock = await lockFile(files, path, {
      ...SYSTEM,
      hardLink: async (from, to) => {
        if (tries++ === 0) await rm(from);
        await link(from, to);
      },
    });
    assert.equal(tries, 2);
    await lock.release();
  });

  it("is left alone, as it was, by one who fails on the way", async (t) => {
    const { dir, path } = await setUp(t);
    const dead = lockRecord();
    for (const name of ["write", "sync", "rename", "readDirectory"] as const) {
      await writeRecord(path, dead);
      const faulty = new FaultyFileSystem(files, failOn(name, "EIO"));
      const attempt = lockFile(faulty, path);
      if (name === "readDirectory") {
        // Only the clearing up has failed.
        await (await attempt).release();
      } else {
        await assert.rejects(attempt, { code: "EIO" });
        assert.equal((await readRecord(path))?.token, dead.token);
        assert.deepEqual(await readdir(dir), [".lock"]);
      }
      assert.equal(faulty.openHandles, 0);
      assert.deepEqual(openDescriptors(dir) ?? [], []);
    }
  });
});

describe("a lock on a disk without hard links", () => {
  const tools: LockTools = {
    ...SYSTEM,
    hardLink: () =>
      Promise.reject(Object.assign(new Error("no links"), { code: "EPERM" })),
  };

  it("is taken, refused and released all the same", async (t) => {
    const { dir, path } = await setUp(t);
    await writeRecord(path, lockRecord());
    const lock = await lockFile(files, path, tools);
    assert.deepEqual(await readdir(dir), [".lock"]);
    await refusal(lockFile(files, path, tools));
    await lock.release();
    assert.deepEqual(await readdir(dir), []);
    assert.deepEqual(openDescriptors(dir) ?? [], []);
  });

  it("goes to one of two that want it at the same moment, at most", async (t) => {
    const { dir, path } = await setUp(t);
    await writeRecord(path, lockRecord());
    const results = await Promise.allSettled([
      lockFile(files, path, tools),
      lockFile(files, path, tools),
    ]);
    const locks = results.filter((it) => it.status === "fulfilled");
    assert.ok(locks.length <= 1);
    for (const { value } of locks) await value.release();
    await (await lockFile(files, path, tools)).release();
    assert.deepEqual(await readdir(dir), []);
  });
});

describe("a lock file that is no lock record", () => {
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

  it("is not followed when it is a link, nor entered when a directory", {
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

  it("does not hang the one who follows a chain in a circle", async (t) => {
    const { path } = await setUp(t);
    const record = lockRecord();
    await writeRecord(path, record);
    await writeRecord(`${path}.${record.token}`, record);
    await refusal(files.lock(path));
  });
});
