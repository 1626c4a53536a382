/**
 * A process of its own for the lock's tests. It takes the lock of the file that
 * it is given, on request, reports the outcome, and keeps the lock until its
 * input ends.
 */

import process from "node:process";
import { createInterface } from "node:readline";
import { nodeFileSystem } from "../../../src/fs/node/file_system.ts";

function say(message: unknown): void {
  process.stdout.write(JSON.stringify(message) + "\n");
}

const [path = ""] = process.argv.slice(2);
const orders = createInterface({ input: process.stdin })[
  Symbol.asyncIterator
]();
say({ ready: process.pid });
await orders.next();
try {
  const lock = await nodeFileSystem.lock(path);
  say({ locked: true });
  await orders.next();
  await lock.release();
  say({ released: true });
} catch (error) {
  const { name, message, owner } = error as Error & { owner?: unknown };
  say({ locked: false, name, message, owner });
}
