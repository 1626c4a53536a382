/**
 * Loads the package in a runtime that has nothing of Node, as a browser's, and
 * prints the results.
 *
 * @module
 */

Reflect.deleteProperty(globalThis, "process");

const { MemorySnapshotStore, openFileSnapshotStore } = await import(
  "@raft/snapshots"
);
const { nodeFileSystem } = await import("@raft/snapshots/node");

async function failureOf(work: () => unknown): Promise<string> {
  try {
    await work();
    return "none";
  } catch (error) {
    return String(error);
  }
}

console.log(JSON.stringify({
  listed: await new MemorySnapshotStore().list(),
  opening: await failureOf(() => openFileSnapshotStore("/data")),
  resolving: await failureOf(() => nodeFileSystem.resolve("/data")),
  lstat: await failureOf(() => nodeFileSystem.stat("/data")),
}));
