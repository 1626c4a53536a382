import assert from "node:assert/strict";
import {
  link,
  mkdir,
  readdir,
  readFile,
  rm,
  writeFile,
} from "node:fs/promises";
import { hostname } from "node:os";
import process from "node:process";
import { describe, it } from "node:test";
import { LockHeldError } from "../../../src/fs/lock_held_error.ts";
import { failOn } from "../../../src/fs/faulty/fault.ts";
import { FaultyFileSystem } from "../../../src/fs/faulty/file_system.ts";
import type { FileLock } from "../../../src/fs/file_system.ts";
import * as held from "../../../src/fs/lock/held_tokens.ts";
import { livenessOf } from "../../../src/fs/lock/liveness.ts";
import { parseLockRecord } from "../../../src/fs/lock/record.ts";
import { nodeFileSystem as files } from "../../../src/fs/node/file_system.ts";
import { lockFile } from "../../../src/fs/lock/lock.ts";
import { openDescriptors } from "../../support/open_descriptors.ts";
import {
  lockRecord,
  namesIn,
  readRecord,
  refusal,
  setUp,
  SYSTEM,
  writeRecord,
} from "./records.ts";

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

  it("is refused to other callers in this process, with its owner", async (t) => {
    const { dir, path } = await setUp(t);
    const lock = await files.lock(path);
    const { message, owner } = await refusal(files.lock(path));
    const { pid, host, runtime, since } = await readRecord(path) ??
      lockRecord();
    assert.deepEqual(owner, { pid, host, runtime, since });
    assert.ok(message.includes(path) && message.includes(String(pid)), message);
    assert.deepEqual(await namesIn(dir), [".lock"]);
    await lock.release();
  });

  it("is known to another copy of this module", async (t) => {
    const { path } = await setUp(t);
    const lock = await files.lock(path);
    const { token } = await readRecord(path) ?? lockRecord();
    const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
    const copy = await import(
      `../../../src/fs/lock/held_tokens.${extension}?another-copy`
    );
    assert.notEqual(copy, held);
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

  it("does not remove the lock of another process when it is released", async (t) => {
    const { path } = await setUp(t);
    const lock = await files.lock(path);
    await rm(path);
    const next = await files.lock(path);
    await lock.release();
    await refusal(files.lock(path));
    await next.release();
  });

  it("is released once when release() is called twice at a time", async (t) => {
    const { dir, path } = await setUp(t);
    const lock = await files.lock(path);
    const first = lock.release();
    assert.equal(lock.release(), first);
    await first;
    assert.deepEqual(await readdir(dir), []);
  });

  it("is released though its file is not a lock record any more, or is gone", async (t) => {
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

  it("can be taken again by this process when its release has failed", async (t) => {
    const { dir, path } = await setUp(t);
    const faulty = new FaultyFileSystem(files);
    for (const name of ["open", "removeFile"] as const) {
      const lock = await lockFile(faulty, path);
      faulty.inject(failOn(name, "EMFILE", { times: 1 }));
      await assert.rejects(lock.release(), { code: "EMFILE" });
      faulty.inject();
      const next = await files.lock(path);
      await lock.release();
      await refusal(files.lock(path));
      await next.release();
      assert.deepEqual(await readdir(dir), []);
    }
  });

  it("can be released again after a failed release, where only its process knows of it", async (t) => {
    const { dir, path } = await setUp(t);
    const faulty = new FaultyFileSystem(files);
    const tools = { ...SYSTEM, listenAt: () => Promise.resolve(undefined) };
    const lock = await lockFile(faulty, path, { tools });
    faulty.inject(failOn("removeFile", "EIO", { times: 1 }));
    await assert.rejects(lock.release(), { code: "EIO" });
    await lock.release();
    // Deno's kernel lock tells others, who may be about to take the lock.
    const left = process.versions["deno"] === undefined ? [] : [".lock"];
    assert.deepEqual(await readdir(dir), left);
    await (await files.lock(path)).release();
  });
});

describe("a lock whose holder has died", () => {
  it("is taken over at once", async (t) => {
    const { dir, path } = await setUp(t);
    await writeRecord(path, lockRecord());
    const lock = await files.lock(path);
    assert.equal((await readRecord(path))?.pid, process.pid);
    assert.deepEqual(await namesIn(dir), [".lock"]);
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
        assert.ok(result.reason instanceof LockHeldError, result.reason);
        return [];
      });
      assert.equal(locks.length, 1);
      await locks[0]?.release();
      assert.deepEqual(await readdir(dir), []);
    }
  });

  it("is taken over from a process that died while taking it over", async (t) => {
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

  it("is refused while another process takes it over", async (t) => {
    const { path } = await setUp(t);
    const dead = lockRecord();
    const alive = lockRecord({ pid: process.pid, runtime: "alive 1.0" });
    await writeRecord(path, dead);
    await writeRecord(`${path}.${dead.token}`, alive);
    const { owner } = await refusal(files.lock(path));
    assert.equal(owner?.runtime, "alive 1.0");
    assert.equal((await readRecord(path))?.token, dead.token);
  });

  it("is not taken by a process that comes too late, which leaves no file", async (t) => {
    const { dir, path } = await setUp(t);
    await writeRecord(path, lockRecord());
    let winner: FileLock | undefined;
    const late = lockFile(files, path, {
      tools: {
        ...SYSTEM,
        hardLink: async (from, to) => {
          const draft = await readFile(from);
          winner = await files.lock(path);
          // The winner has swept the draft. Being later still would have saved
          // it.
          await writeFile(from, draft);
          await link(from, to);
        },
      },
    });
    const { owner } = await refusal(late);
    assert.equal(owner?.pid, process.pid);
    assert.deepEqual(await namesIn(dir), [".lock"]);
    await winner?.release();
    assert.deepEqual(await readdir(dir), []);
  });

  it("is checked again when its file was renamed during the check", async (t) => {
    const { path } = await setUp(t);
    const dead = lockRecord();
    const alive = lockRecord({ pid: process.pid });
    await writeRecord(path, dead);
    await writeRecord(`${path}.${dead.token}`, alive);
    let [asked, followed] = [0, 0];
    const attempt = lockFile(files, path, {
      tools: {
        ...SYSTEM,
        hardLink: (from, to) => {
          followed++;
          return link(from, to);
        },
        livenessOf: async (record, at) => {
          if (asked++ > 0) return await livenessOf(record, at);
          await files.rename(`${path}.${dead.token}`, path);
          return { dead: true };
        },
      },
    });
    await refusal(attempt);
    assert.equal(asked, 2);
    assert.equal(followed, 0, "no record may follow that of a live holder");
  });

  it("is taken at the next try when the pending file was swept", async (t) => {
    const { path } = await setUp(t);
    let tries = 0;
    const lock = await lockFile(files, path, {
      tools: {
        ...SYSTEM,
        hardLink: async (from, to) => {
          if (tries++ === 0) await rm(from);
          await link(from, to);
        },
      },
    });
    assert.equal(tries, 2);
    await lock.release();
  });

  it("is left unchanged by a process that fails to take it over", async (t) => {
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
        assert.deepEqual(await namesIn(dir), [".lock"]);
      }
      assert.equal(faulty.openHandles, 0);
      assert.deepEqual(openDescriptors(dir) ?? [], []);
    }
  });
});
