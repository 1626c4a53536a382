/**
 * The sync of a file whose handle is not the runtime's own.
 */

import assert from "node:assert/strict";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { syncHandle } from "../../../src/fs/node/sync.ts";
import { temporaryDirectory } from "../../support/temporary_directory.ts";

/** As Yarn's handle does it. */
const refuse = () => Promise.reject(new Error("Method not implemented."));

describe("syncHandle()", () => {
  it("syncs the descriptor where the handle can't", async (t) => {
    const directory = await temporaryDirectory(t);
    const file = await open(join(directory, "file"), "w");
    await syncHandle({ fd: file.fd, sync: refuse });
    await file.close();
  });

  it("rejects with the system's error of the descriptor", async () => {
    const syncing = syncHandle({ fd: 2 ** 20, sync: refuse });
    await assert.rejects(syncing, { code: "EBADF" });
  });

  it("rejects with the system's error of the handle", async () => {
    const error = Object.assign(new Error("mine"), { code: "EIO" });
    const sync = () => Promise.reject(error);
    await assert.rejects(syncHandle({ fd: 0, sync }), error);
  });
});
