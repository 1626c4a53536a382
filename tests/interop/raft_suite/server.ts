/**
 * Our store, served to the tests of HashiCorp Raft on a Unix socket:
 * `server.ts SOCKET`. It prints `listening` when it is, and ends when its stdin
 * ends: with the program that started it, at the latest.
 *
 * @module
 */

import { createServer, type Socket } from "node:net";
import process from "node:process";
import { Connection } from "./connection.ts";
import { OpenStores } from "./open_stores.ts";
import { serveRequest } from "./requests.ts";

const stores = new OpenStores();

async function serve(socket: Socket): Promise<void> {
  // Go's process may end at any time; receive() and write() report that.
  socket.on("error", () => {});
  const connection = new Connection(socket);
  try {
    await serveRequest(connection, stores);
  } catch {
    // The connection has failed, so the error can't be sent.
  } finally {
    connection.end();
  }
}

const [path] = process.argv.slice(2);
if (path === undefined) {
  throw new Error("Cannot listen: found no socket's path");
}
const server = createServer((socket) => void serve(socket));
server.listen(path, () => console.log("listening"));

process.stdin.resume();
process.stdin.on("end", async () => {
  const errors = await stores.closeAll();
  for (const error of errors) console.error(error);
  process.exit(errors.length === 0 ? 0 : 1);
});
