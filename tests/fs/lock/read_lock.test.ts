/**
 * readLock() of a lock whose holder can't be checked.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readLock } from "../../../src/fs/lock/chain.ts";
import { nodeFileSystem as files } from "../../../src/fs/node/file_system.ts";
import { lockRecord, setUp, SYSTEM, writeRecord } from "./records.ts";

describe("readLock()", () => {
  for (const code of ["EMFILE", "ENOMEM"]) {
    it(`concludes nothing about a holder from ${code}`, async (t) => {
      const { path } = await setUp(t);
      await writeRecord(path, lockRecord());
      const error = Object.assign(new Error(code), { code });
      const tools = { ...SYSTEM, livenessOf: () => Promise.reject(error) };
      await assert.rejects(readLock(files, path, { tools }), { code });
    });
  }
});
