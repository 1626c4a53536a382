/**
 * Writes large pieces of a new file: `large_writer.ts FILE MODE`.
 *
 * @module
 */

import process from "node:process";
import { nodeFileSystem } from "@raft/snapshots/node";

const [path = "", mode = ""] = process.argv.slice(2);
const handle = await nodeFileSystem.open(path, "create", parseInt(mode, 8));
const bytes = new Uint8Array(1024 ** 2);
for (const [i, letter] of [..."abc"].entries()) {
  bytes.fill(letter.charCodeAt(0));
  let written = 0;
  while (written < bytes.length) {
    const position = i * bytes.length + written;
    written += await handle.write(bytes.subarray(written), position);
  }
}
await handle.sync();
await handle.close();
