/**
 * A service that is not root and uses a store: `service.ts DIRECTORY UID GID`.
 * It calls every method of a store, and prints the state that it has read.
 *
 * @module
 */

import process from "node:process";
import { openFileSnapshotStore } from "@raft/snapshots";

const [directory = "", uid = "", gid = ""] = process.argv.slice(2);
process.setgid?.(Number(gid));
process.setuid?.(Number(uid));

const store = await openFileSnapshotStore(directory, { retain: 1 });
const states: string[] = [];
for (const { id } of await store.list()) {
  states.push(await new Response(await store.open(id)).text());
  await store.seal(id);
}
const sink = await store.create({
  index: 99,
  term: 9,
  configuration: { servers: [] },
  configurationIndex: 0,
});
await sink.close();
const kept = await store.list();
await store.close();
console.log(JSON.stringify({ states, kept: kept.map(({ id }) => id) }));
