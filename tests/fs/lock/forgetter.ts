/**
 * A process for the lock's tests: it takes the lock that it is given, and ends
 * without giving it up. With `exhausted` it tries while descriptors run out.
 */

import { closeSync, openSync } from "node:fs";
import process from "node:process";
import { nodeFileSystem } from "../../../src/fs/node/file_system.ts";

const [path = "", how] = process.argv.slice(2);

function say(message: string): void {
  process.stdout.write(`${message}\n`);
}

async function attempt(): Promise<string> {
  try {
    await nodeFileSystem.lock(path);
    return "locked";
  } catch (error) {
    const { name, code } = error as Error & { code?: string };
    return name === "LockHeldError" ? name : code ?? name;
  }
}

/** Takes all descriptors, and gives them back one by one. */
async function exhaust(): Promise<void> {
  const taken: number[] = [];
  try {
    for (;;) taken.push(openSync("/dev/null", "r"));
  } catch {
    // None is left.
  }
  for (let free = 0; free < 8; free++) {
    say(await attempt());
    closeSync(taken.pop() ?? 0);
  }
  for (const descriptor of taken) closeSync(descriptor);
}

say(await attempt());
// Fires only when the lock keeps the process from ending.
setTimeout(() => process.exit(3), 10_000).unref();
if (how === "exhausted") await exhaust();
