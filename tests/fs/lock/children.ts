/** Processes of their own for the lock's tests. */

import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { createInterface } from "node:readline";
import type { LockOwner } from "../../../src/lock_owner.ts";
import { nodeFileSystem as files } from "../../../src/fs/node/file_system.ts";
import { killOutright } from "../../support/kill.ts";
import { runtime, type ScriptOptions } from "../../support/runtime.ts";
import { temporaryDirectory } from "../../support/temporary_directory.ts";

const EXTENSION = import.meta.url.endsWith(".ts") ? "ts" : "js";
const SCRIPT = new URL(`./child.${EXTENSION}`, import.meta.url);

/** The output of the child. */
interface Message {
  readonly ready?: number;
  readonly locked?: boolean;
  readonly released?: boolean;
  readonly name?: string;
  readonly message?: string;
  readonly owner?: LockOwner;
}

/** A process that takes the lock when it is told to. */
export class LockChild {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(path: string, options: ScriptOptions = {}) {
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

  /** Stops it without ending it. */
  stop(): void {
    // On Deno the child's own kill() would count as its end.
    if (this.pid !== undefined) process.kill(this.pid, "SIGSTOP");
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode) return;
    const ended = once(this.#child, "exit");
    killOutright(this.#child);
    await ended;
  }
}

type Body = (path: string, ...children: LockChild[]) => Promise<void>;

/** Starts as many children as `body` takes, and sees to it that none is left. */
export async function withChildren(
  count: number,
  body: Body,
  options: (dir: string) => ScriptOptions = () => ({}),
): Promise<void> {
  const dir = files.resolve(await temporaryDirectory());
  const path = `${dir}/.lock`;
  const children = Array.from(
    { length: count },
    () => new LockChild(path, options(dir)),
  );
  try {
    await body(path, ...children);
  } finally {
    await Promise.all(children.map((child) => child.kill()));
  }
}
