/**
 * A process of one runtime for `scripts/test_runner/lock_pairs.ts`. Each line
 * of its input is an order, in JSON; it gives the outcome in one line: `hold`
 * opens the store in a directory and keeps it, `try` opens and closes it.
 */

import process from "node:process";
import { createInterface } from "node:readline";
import { openFileSnapshotStore } from "@raft/snapshots";

async function obey(order: string, directory: string): Promise<unknown> {
  try {
    const store = await openFileSnapshotStore(directory, {
      logger: { debug() {}, info() {}, warn() {}, error() {} },
    });
    if (order === "try") await store.close();
    return { opened: true };
  } catch (error) {
    const { name, message } = error as Error;
    return { opened: false, name, message };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const { number, do: order, directory } = JSON.parse(line);
  const result = await obey(order, directory);
  process.stdout.write(`${JSON.stringify({ number, result })}\n`);
}
