/**
 * A process that takes snapshots without end, to be killed: `writer.ts DIRECTORY
 * SEED`. It prints the ID of each snapshot once `close()` has resolved.
 *
 * @module
 */

import { writeSync } from "node:fs";
import process from "node:process";
import { openFileSnapshotStore } from "@raft/snapshots";
import { random } from "../support/random.ts";

const [directory = "", seed = ""] = process.argv.slice(2);
const { integer, bytes } = random(Number(seed));
const store = await openFileSnapshotStore(directory, {
  retain: 2,
  blockSize: 4096,
});
const newest = (await store.list())[0]?.index ?? 0n;
for (let index = newest + 1n;; index++) {
  const sink = await store.create({
    index,
    term: 1n,
    configuration: { servers: [] },
    configurationIndex: 1n,
  });
  const writer = sink.getWriter();
  for (let chunks = integer(4); chunks > 0; chunks--) {
    await writer.write(bytes(integer(20_000)));
  }
  await writer.close();
  writeSync(1, `${sink.id}\n`);
}
