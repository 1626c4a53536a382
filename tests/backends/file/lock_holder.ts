/**
 * A process for the lock's tests. It opens the store in the given directory,
 * prints the outcome, and holds the store until its input ends.
 */

import process from "node:process";
import { openFileSnapshotStore } from "@raft/snapshots";

function say(message: unknown): void {
  process.stdout.write(JSON.stringify(message) + "\n");
}

const [directory = ""] = process.argv.slice(2);
try {
  const store = await openFileSnapshotStore(directory);
  const sink = await store.create({
    index: 10n,
    term: 3n,
    configuration: { servers: [] },
    configurationIndex: 2n,
  });
  await new Blob(["state"]).stream().pipeTo(sink);
  const ids = (await store.list()).map(({ id }) => id);
  say({ pid: process.pid, published: sink.id, ids });
  for await (const _ of process.stdin);
  await store.close();
} catch (error) {
  const { name, message, owner } = error as Error & { owner?: unknown };
  say({ pid: process.pid, name, message, owner });
}
