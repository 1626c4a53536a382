/**
 * The socket on which the holder of a lock listens. The kernel closes it when
 * the holder ends, however it ends, a thread as well as a process; and it
 * answers for a holder that is stopped, has another host name, or lives in
 * another PID namespace.
 *
 * It is reached by `/proc/self/fd/N/<name>`, where N is its directory: a
 * socket's path may have 108 bytes at most, a directory's far more. Therefore
 * there are sockets only on Linux.
 *
 * @module
 */

import type { FileHandle } from "node:fs/promises";
import type { Server } from "node:net";
import { systemCode } from "../../errors.ts";
import { node } from "../../runtime/node.ts";
import { isOutOfResources } from "../../system_code.ts";
import { canHoldDirectories } from "../node/held_directory.ts";
import { linkedDirectoryFlags } from "../node/open_flags.ts";

/** A socket that this process listens on. */
export interface LockSocket {
  /** Stops listening, and removes the socket. */
  close(): Promise<void>;
}

/**
 * The result of an attempt to connect. `"silent"`: no process listens on a
 * socket of that name; `"unknown"`: the system did not say.
 */
export type SocketAnswer = "answered" | "silent" | "unknown";

/** Opens a file only to name it: it may be a socket. */
const O_PATH = 0o10000000;

/**
 * Codes that prove a listener: it has hung up before this end noticed the
 * connection, or its queue in the kernel is full.
 */
const LISTENED = new Set(["ECONNRESET", "EPIPE", "EAGAIN"]);

/**
 * The sockets of this process. A store that is dropped without being closed
 * keeps its lock, and its directory's handle must not be collected: Bun then
 * throws outside of any call.
 */
const listening = new Set<LockSocket>();

function openDirectory(path: string): Promise<FileHandle> {
  return node.fs.promises.open(path, linkedDirectoryFlags());
}

function shortPath(directory: FileHandle, path: string): string {
  return `/proc/self/fd/${directory.fd}/${node.path.posix.basename(path)}`;
}

function listen(path: string): Promise<Server> {
  // The connection itself is the answer.
  const server = node.net.createServer((connection) => {
    connection.on("error", () => {}); // who asked may be gone by now
    connection.destroy();
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, () => {
      server.off("error", reject);
      // A connection that could not be accepted still was a connection.
      server.on("error", () => {});
      server.unref();
      resolve(server);
    });
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

/**
 * Gives a socket the mode and the owner of a file. Another file that has taken
 * the socket's name is never changed.
 */
async function makeLike(path: string, like: string): Promise<void> {
  const { constants, promises: fs } = node.fs;
  const { mode, uid, gid } = await fs.lstat(like);
  const socket = await fs.open(path, O_PATH | constants.O_NOFOLLOW);
  try {
    const itself = `/proc/self/fd/${socket.fd}`;
    const found = await fs.stat(itself);
    if (!found.isSocket()) return;
    if (found.uid !== uid || found.gid !== gid) {
      await fs.chown(itself, uid, gid);
    }
    await fs.chmod(itself, mode & 0o777);
  } finally {
    await socket.close();
  }
}

/**
 * Listens on a new socket at `path`, with the owner and the permission bits of
 * the file `like`: to connect needs the permission to write. The process may
 * end while it listens.
 *
 * @returns `undefined` where sockets are not possible: the record says so, and
 * other processes go by the process ID.
 * @throws {Error} with the system's `code` when descriptors or memory run out:
 * others could then not tell when this holder is dead.
 */
export async function listenAt(
  path: string,
  like: string,
): Promise<LockSocket | undefined> {
  if (!canHoldDirectories()) return undefined;
  let directory: FileHandle | undefined;
  let server: Server | undefined;
  const socket = {
    async close() {
      if (server !== undefined) await closeServer(server);
      await directory?.close();
      listening.delete(socket);
    },
  };
  listening.add(socket);
  try {
    directory = await openDirectory(node.path.posix.dirname(path));
    server = await listen(shortPath(directory, path));
    // Without it, another user of the group goes by the process ID.
    await makeLike(shortPath(directory, path), like).catch(() => {});
    return socket;
  } catch (error) {
    await socket.close().catch(() => {});
    if (isOutOfResources(error)) throw error;
    return undefined;
  }
}

/**
 * Connects and hangs up; resolves to the error's code, if there is one. Bun
 * reports a lack of descriptors as a refusal, which would look like a dead
 * holder. So a descriptor is opened first, which fails where none is free, and
 * closed just before Bun makes its socket.
 */
function connectTo(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    node.fs.closeSync(node.fs.openSync("/dev/null", "r"));
    const connection = node.net.connect({ path });
    connection.once("connect", () => {
      connection.destroy();
      resolve(undefined);
    });
    connection.on("error", (error) => resolve(systemCode(error) ?? ""));
  });
}

/** The file that has a name now. */
async function kindAt(
  path: string,
): Promise<"socket" | "missing" | "unknown"> {
  try {
    return (await node.fs.promises.lstat(path)).isSocket()
      ? "socket"
      : "unknown";
  } catch (error) {
    return systemCode(error) === "ENOENT" ? "missing" : "unknown";
  }
}

async function ask(
  directory: FileHandle,
  path: string,
): Promise<SocketAnswer> {
  const code = await connectTo(shortPath(directory, path));
  if (code === undefined || LISTENED.has(code)) return "answered";
  // This error says nothing about the holder.
  if (isOutOfResources({ code })) {
    throw Object.assign(
      new Error(`${code}: could not ask the lock's holder, connect '${path}'`),
      { code },
    );
  }
  // Files that are not sockets refuse, too. Without /proc the short path leads
  // nowhere. Neither says anything about the holder.
  const kind = await kindAt(path);
  const isRefused = code === "ECONNREFUSED" && kind === "socket";
  const isGone = ["ECONNREFUSED", "ENOENT"].includes(code) &&
    kind === "missing";
  return isRefused || isGone ? "silent" : "unknown";
}

/**
 * Asks whether a process listens on the socket at `path`.
 *
 * @throws {Error} with the system's `code` when descriptors or memory run out.
 */
export async function askSocket(path: string): Promise<SocketAnswer> {
  if (!canHoldDirectories()) return "unknown";
  const directory = await openDirectory(node.path.posix.dirname(path));
  try {
    return await ask(directory, path);
  } finally {
    await directory.close();
  }
}
