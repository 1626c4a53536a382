import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { describe, it } from "node:test";
import { StoreLockedError } from "../../src/errors.ts";
import type { LockOwner } from "../../src/fs/file_system.ts";
import { nodeFileSystem as files } from "../../src/fs/node_file_system.ts";
import { runtime } from "../support/runtime.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import { lockRecord } from "./lock_records.ts";

const EXTENSION = import.meta.url.endsWith(".ts") ? "ts" : "js";
const SCRIPT = new URL(`./lock_child.${EXTENSION}`, import.meta.url);

/** What the child says. */
interface Message {
  readonly ready?: number;
  readonly locked?: boolean;
  readonly released?: boolean;
  readonly name?: string;
  readonly message?: string;
  readonly owner?: LockOwner;
}

/** A process that takes the lock when it is told to. */
class LockChild {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(path: string, denoFlags?: readonly string[]) {
    const options = denoFlags === undefined ? {} : { denoFlags };
    this.#child = runtime.spawnScript(SCRIPT, [path], {
      ...options,
      stdio: ["pipe", "pipe", "inherit"],
    });
    const { stdout } = this.#child;
    assert.ok(stdout !== null);
    this.#lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** The next thing that it says. */
  async hear(): Promise<Message> {
    const { value, done } = await this.#lines.next();
    assert.ok(!done, "the child ended without a word");
    return JSON.parse(value);
  }

  /** Tells it to go on: to take the lock, then to release it. */
  tell(): void {
    this.#child.stdin?.write("go on\n");
  }

  async takeLock(): Promise<Message> {
    await this.hear();
    this.tell();
    return await this.hear();
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode) return;
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await ended;
  }
}

type Body = (path: string, ...children: LockChild[]) => Promise<void>;

/** Starts as many children as `body` takes, and sees to it that none is left. */
async function withChildren(
  count: number,
  body: Body,
  denoFlags?: (dir: string) => readonly string[],
): Promise<void> {
  const dir = files.resolve(await temporaryDirectory());
  const path = `${dir}/.lock`;
  const children = Array.from(
    { length: count },
    () => new LockChild(path, denoFlags?.(dir)),
  );
  try {
    await body(path, ...children);
  } finally {
    await Promise.all(children.map((child) => child.kill()));
  }
}

describe("the lock of a directory, among processes", () => {
  it("is refused while another process holds it, and says which", () =>
    withChildren(1, async (path, child) => {
      assert.deepEqual(await child.takeLock(), { locked: true });
      await assert.rejects(files.lock(path), (error) => {
        assert.ok(error instanceof StoreLockedError);
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
      assert.equal(answer.name, "StoreLockedError");
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

  it("goes to one of those that want a dead one's at the same moment", () =>
    withChildren(4, async (path, ...children) => {
      await writeFile(path, JSON.stringify(lockRecord()));
      await Promise.all(children.map((child) => child.hear()));
      for (const child of children) child.tell();
      const answers = await Promise.all(children.map((child) => child.hear()));
      const names = answers.map(({ locked, name }) => locked ? "" : name);
      assert.deepEqual(names.sort(), [
        "",
        "StoreLockedError",
        "StoreLockedError",
        "StoreLockedError",
      ]);
      assert.deepEqual(await readdir(dirname(path)), [".lock"]);
    }));
});

describe("the lock of a directory, on Deno with leave for no more than that", () => {
  const skip = runtime.name === "deno" ? false : "is about Deno's permissions";
  const restricted = (dir: string) => [
    "--no-prompt",
    `--allow-read=${dir}`,
    `--allow-write=${dir}`,
  ];

  it(
    "is refused while another process holds it, and then taken over",
    { skip },
    () =>
      withChildren(3, async (_path, holder, loser, heir) => {
        assert.deepEqual(await holder.takeLock(), { locked: true });
        const answer = await loser.takeLock();
        assert.equal(answer.name, "StoreLockedError");
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
        assert.equal(name, "StoreLockedError");
        assert.match(message ?? "", /--allow-run/);
        assert.ok(message?.includes(`remove ${path}`));
      }, restricted),
  );
});
