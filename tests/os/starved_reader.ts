/**
 * Lists and restores the store in a directory with a given number of descriptors
 * left, and prints the outcomes.
 */

import { closeSync, openSync } from "node:fs";
import process from "node:process";
import { openFileSnapshotStore, type SnapshotError } from "@raft/snapshots";

const [directory = "", left = "0"] = process.argv.slice(2);

const store = await openFileSnapshotStore(directory, {
  readOnly: true,
  logger: { debug() {}, info() {}, warn() {}, error() {} },
});

// Deno opens a pipe for signals when it first needs one, some time after it has
// started, and panics when there is no descriptor for it: let it be now.
const onSignal = () => {};
process.on("SIGHUP", onSignal);
process.off("SIGHUP", onSignal);

/** Takes all descriptors except that many. */
function takeAllBut(count: number): number[] {
  const taken: number[] = [];
  try {
    for (;;) taken.push(openSync(directory, "r"));
  } catch {
    // All are taken.
  }
  for (const descriptor of taken.splice(0, count)) closeSync(descriptor);
  return taken;
}

/** The result of a call, or the code of its error. */
async function outcome(call: () => Promise<unknown>): Promise<unknown> {
  try {
    return await call();
  } catch (error) {
    return (error as Partial<SnapshotError>).systemCode ?? String(error);
  }
}

const taken = takeAllBut(Number(left));
const listed = await outcome(async () => (await store.list()).length);
const restored = await outcome(async () => {
  const { meta } = await store.restore((source) =>
    new Response(source).text()
  ) ?? {};
  return Number(meta?.index);
});
for (const descriptor of taken) closeSync(descriptor);
await store.close();
console.log(JSON.stringify({ taken: taken.length, listed, restored }));
