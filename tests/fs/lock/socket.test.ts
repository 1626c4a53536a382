/**
 * The socket of a lock's holder proves life where a process ID and a host's
 * name can't.
 */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { lstat, mkdir, readdir } from "node:fs/promises";
import process from "node:process";
import { describe, it } from "node:test";
import { Worker } from "node:worker_threads";
import { lockFile } from "../../../src/fs/lock/lock.ts";
import { nodeFileSystem as files } from "../../../src/fs/node/file_system.ts";
import { runtime } from "../../support/runtime.ts";
import { withChildren } from "./children.ts";
import {
  lockRecord,
  readRecord,
  refusal,
  setUp,
  SYSTEM,
  writeRecord,
} from "./records.ts";

const EXTENSION = import.meta.url.endsWith(".ts") ? "ts" : "js";
const script = (name: string) =>
  new URL(`./${name}.${EXTENSION}`, import.meta.url);

const onLinux = process.platform === "linux" ? false : "needs Linux's sockets";

const OWN_PIDS = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"];
const OWN_NAME = [
  ...["unshare", "--uts", "sh", "-c"],
  'hostname another-host && exec "$@"',
  "sh",
];

/** As systemd's `ProcSubset=pid`: no boot ID; the process is the first one. */
const HIDDEN_BOOT = [
  ...["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c"],
  'mount -t proc -o subset=pid proc /proc && exec "$@"',
  "sh",
];

/** Why a command can't be started in namespaces of its own. */
function whyNot(prefix: readonly string[]): string | false {
  if (onLinux) return onLinux;
  const [program = "", ...flags] = prefix;
  const { status } = spawnSync(program, [...flags, "true"]);
  return status === 0 ? false : "needs leave to make namespaces";
}

describe("the holder of a lock, asked by its socket", () => {
  for (
    const [where, prefix] of Object.entries({
      "in a PID namespace of its own": OWN_PIDS,
      "under another host name": OWN_NAME,
      "where the boot ID is hidden": HIDDEN_BOOT,
    })
  ) {
    it(`keeps the lock ${where}, and loses it at once when it is killed`, {
      skip: whyNot(prefix),
    }, () =>
      withChildren(1, async (path, holder) => {
        assert.deepEqual(await holder.takeLock(), { locked: true });
        assert.equal((await readRecord(path))?.listens, true);
        const { message } = await refusal(files.lock(path));
        assert.ok(!message.includes("remove"), message);
        await holder.kill();
        // unshare may end before the process that it has started.
        await lockWhenDead(path);
      }, () => ({ through: prefix })));

    it(
      `keeps the lock from a process ${where}`,
      { skip: whyNot(prefix) },
      () =>
        withChildren(1, async (path, other) => {
          const lock = await files.lock(path);
          const { name } = await other.takeLock();
          assert.equal(name, "LockHeldError");
          await lock.release();
        }, () => ({ through: prefix })),
    );
  }

  it(
    "is the first process where the boot ID is hidden, and is succeeded by itself after a restart",
    {
      skip: whyNot(HIDDEN_BOOT),
    },
    () =>
      withChildren(3, async (path, first, other, again) => {
        assert.deepEqual(await first.takeLock(), { locked: true });
        const record = await readRecord(path);
        assert.deepEqual([record?.pid, record?.boot], [1, null]);
        const { name, message } = await other.takeLock();
        assert.equal(name, "LockHeldError");
        assert.ok(!message?.includes("remove"), message);
        await first.kill();
        await untilDead(path);
        assert.deepEqual(await again.takeLock(), { locked: true });
      }, () => ({ through: HIDDEN_BOOT })),
  );

  it(
    "is alive while it is stopped",
    { skip: onLinux },
    () =>
      withChildren(1, async (path, holder) => {
        assert.deepEqual(await holder.takeLock(), { locked: true });
        holder.stop();
        await refusal(files.lock(path));
        await holder.kill();
        await (await files.lock(path)).release();
      }),
  );

  it("is dead when it was a worker that was terminated", {
    skip: onLinux,
  }, async (t) => {
    const { path } = await setUp(t);
    const worker = new Worker(script("worker"), { workerData: path });
    assert.deepEqual(await once(worker, "message"), ["locked"]);
    await refusal(files.lock(path));
    await worker.terminate();
    await lockWhenDead(path);
  });

  it("is dead when its process has ended without releasing the lock", async (t) => {
    const { path } = await setUp(t);
    const { code, stdout } = await runtime.runScript(script("forgetter"), [
      path,
    ]);
    assert.deepEqual([code, stdout], [0, "locked\n"]);
    await (await files.lock(path)).release();
  });

  const NO_SOCKET = { ...SYSTEM, listenAt: () => Promise.resolve(undefined) };
  for (
    const [which, tools] of Object.entries({
      "": SYSTEM,
      " and there is no socket": NO_SOCKET,
    })
  ) {
    it(
      `is not taken for dead while the asking process has no descriptor left${which}`,
      {
        skip: onLinux,
      },
      async (t) => {
        const { path } = await setUp(t);
        const lock = await lockFile(files, path, { tools });
        const { stdout } = await runtime.runScript(
          script("forgetter"),
          [path, "exhausted"],
          { through: ["sh", "-c", 'ulimit -n 256 && exec "$@"', "sh"] },
        );
        const answers = new Set(stdout.trim().split("\n"));
        assert.ok(!answers.has("locked"), stdout);
        assert.ok(answers.has("EMFILE"), stdout);
        assert.ok(answers.has("LockHeldError"), stdout);
        await lock.release();
      },
    );
  }

  for (
    const [what, command] of Object.entries({
      "a file": ["touch"],
      "a directory": ["mkdir"],
      "a pipe": ["mkfifo"],
      "a link to nothing": ["ln", "-s", "nothing"],
    })
  ) {
    it(`is not taken for dead when ${what} has its socket's name`, {
      skip: onLinux,
    }, async (t) => {
      const { path } = await setUp(t);
      const record = lockRecord({ pid: process.pid, listens: true });
      await writeRecord(path, record);
      const [program = "", ...args] = command;
      const { status } = spawnSync(program, [
        ...args,
        `${path}.${record.token}.sock`,
      ]);
      assert.equal(status, 0);
      await refusal(files.lock(path));
    });
  }

  it("listens however long the path of its directory is", {
    skip: onLinux,
  }, async (t) => {
    const { dir } = await setUp(t);
    const deep = `${dir}/${"d".repeat(200)}`;
    await mkdir(deep);
    const lock = await files.lock(`${deep}/.lock`);
    assert.equal((await readRecord(`${deep}/.lock`))?.listens, true);
    await lock.release();
    assert.deepEqual(await readdir(deep), []);
  });

  it(
    "has files with the given permission bits",
    { skip: onLinux },
    async (t) => {
      const { dir, path } = await setUp(t);
      const mask = process.umask();
      for (const mode of [0o600, 0o640, 0o660]) {
        const lock = await files.lock(path, { mode });
        for (const name of await readdir(dir)) {
          const found = (await lstat(`${dir}/${name}`)).mode & 0o777;
          assert.equal(found, mode & ~mask, name);
        }
        await lock.release();
      }
    },
  );
});

/** When a holder that was ended still counts as alive, something is wrong. */
const END_MS_MAX = 10_000;

/** Waits for the kernel to end a holder, whose lock stays as it is. */
async function untilDead(path: string): Promise<void> {
  const giveUp = performance.now() + END_MS_MAX;
  while ((await files.readLock(path))?.holder !== "dead") {
    assert.ok(performance.now() < giveUp, "the holder still counts as alive");
  }
}

/** Takes the lock of a holder that is ending, and gives it up. */
async function lockWhenDead(path: string): Promise<void> {
  await untilDead(path);
  await (await files.lock(path)).release();
}
