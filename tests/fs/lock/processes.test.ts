import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { LockHeldError } from "../../../src/fs/lock_held_error.ts";
import { nodeFileSystem as files } from "../../../src/fs/node/file_system.ts";
import { runtime } from "../../support/runtime.ts";
import { withChildren } from "./children.ts";
import { lockRecord, namesIn } from "./records.ts";

describe("the lock of a directory, among processes", () => {
  it("is refused while another process holds it, with an error that names it", () =>
    withChildren(1, async (path, child) => {
      assert.deepEqual(await child.takeLock(), { locked: true });
      await assert.rejects(files.lock(path), (error) => {
        assert.ok(error instanceof LockHeldError);
        assert.equal(error.owner?.pid, child.pid);
        assert.ok(error.message.includes(`process ${child.pid} `));
        return true;
      });
      child.tell();
      assert.deepEqual(await child.hear(), { released: true });
      await (await files.lock(path)).release();
    }));

  it("is refused to another process while this one holds it", () =>
    withChildren(1, async (path, child) => {
      const lock = await files.lock(path);
      const answer = await child.takeLock();
      assert.equal(answer.locked, false);
      assert.equal(answer.name, "LockHeldError");
      assert.equal(answer.owner?.pid, process.pid);
      await lock.release();
    }));

  it("is taken over at once when its holder was killed", () =>
    withChildren(2, async (path, victim, heir) => {
      assert.deepEqual(await victim.takeLock(), { locked: true });
      await victim.kill();
      assert.match(await readFile(path, "utf8"), /"pid"/);
      assert.deepEqual(await heir.takeLock(), { locked: true });
      await heir.kill();
      await (await files.lock(path)).release();
    }));

  it("goes to one of several that take it from a dead process at the same moment", () =>
    withChildren(4, async (path, ...children) => {
      await writeFile(path, JSON.stringify(lockRecord()));
      await Promise.all(children.map((child) => child.hear()));
      for (const child of children) child.tell();
      const answers = await Promise.all(children.map((child) => child.hear()));
      const names = answers.map(({ locked, name }) => locked ? "" : name);
      assert.deepEqual(names.sort(), [
        "",
        "LockHeldError",
        "LockHeldError",
        "LockHeldError",
      ]);
      assert.deepEqual(await namesIn(dirname(path)), [".lock"]);
    }));
});

describe("the lock of a directory, on Deno with permissions for that directory only,", () => {
  const skip = runtime.name === "deno" ? false : "is about Deno's permissions";
  const restricted = (dir: string) => ({
    denoFlags: [
      "--no-prompt",
      `--allow-read=${dir}`,
      `--allow-write=${dir}`,
    ],
  });

  it(
    "is refused while another process holds it, and then taken over",
    { skip },
    () =>
      withChildren(3, async (_path, holder, loser, heir) => {
        assert.deepEqual(await holder.takeLock(), { locked: true });
        const answer = await loser.takeLock();
        assert.equal(answer.name, "LockHeldError");
        assert.equal(answer.owner?.pid, holder.pid);
        await holder.kill();
        assert.deepEqual(await heir.takeLock(), { locked: true });
      }, restricted),
  );

  it(
    "is refused with advice when another runtime has left it",
    { skip },
    () =>
      withChildren(1, async (path, child) => {
        await writeFile(path, JSON.stringify(lockRecord({ kernel: false })));
        const { name, message } = await child.takeLock();
        assert.equal(name, "LockHeldError");
        assert.match(message ?? "", /--allow-all/);
        assert.ok(message?.includes(`remove ${path}`));
      }, restricted),
  );
});
