/** A thread for the lock's tests: it takes the lock that it is given. */

import { parentPort, workerData } from "node:worker_threads";
import { nodeFileSystem } from "../../../src/fs/node/file_system.ts";

await nodeFileSystem.lock(workerData);
parentPort?.postMessage("locked");
setInterval(() => {}, 1000); // until it is terminated
