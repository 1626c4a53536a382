/**
 * A process of one runtime for `scripts/test_runner/lock_pairs.ts`. For each
 * line of its input it says in one line what came of it: `hold DIRECTORY` opens
 * the store there and keeps it, `try DIRECTORY` opens and closes it.
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
  const [order = "", directory = ""] = line.split(" ");
  const answer = await obey(order, directory);
  process.stdout.write(JSON.stringify(answer) + "\n");
}
