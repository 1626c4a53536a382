/** Shared by the lock's tests: records of holders that never existed, and more. */

import assert from "node:assert/strict";
import { link, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { LockHeldError } from "../../../src/fs/lock_held_error.ts";
import type { FileLock } from "../../../src/fs/file_system.ts";
import { livenessOf } from "../../../src/fs/lock/liveness.ts";
import {
  type LockRecord,
  parseLockRecord,
  recordOfThisProcess,
} from "../../../src/fs/lock/record.ts";
import { listenAt } from "../../../src/fs/lock/socket.ts";
import { nodeFileSystem as files } from "../../../src/fs/node/file_system.ts";
import type { LockTools } from "../../../src/fs/lock/chain.ts";
import { temporaryDirectory } from "../../support/temporary_directory.ts";

/** No system gives a process so high a number. */
export const NO_PROCESS = 2 ** 31 - 1;

const here = await recordOfThisProcess(
  files.resolve(`${tmpdir()}/.lock`),
  { token: crypto.randomUUID(), hostId: null, kernel: false, listens: false },
);

/** A record of a dead process of this host, with the given fields. */
export function lockRecord(given: Partial<LockRecord> = {}): LockRecord {
  return {
    ...here,
    pid: NO_PROCESS,
    runtime: "test 1.0",
    since: Date.UTC(2024, 1, 29),
    token: crypto.randomUUID(),
    started: null,
    ...given,
  };
}

/** The names in the lock's directory, but for the holder's socket. */
export async function namesIn(dir: string): Promise<string[]> {
  const names = await readdir(dir);
  return names.filter((name) => !name.endsWith(".sock"));
}

type TestContext = Parameters<typeof temporaryDirectory>[0];

/** The tools that the lock has by itself. */
export const SYSTEM: LockTools = { hardLink: link, listenAt, livenessOf };

/** An empty directory, and the lock file in it that is not there yet. */
export async function setUp(
  t: TestContext,
): Promise<{ readonly dir: string; readonly path: string }> {
  const dir = files.resolve(await temporaryDirectory(t));
  return { dir, path: `${dir}/.lock` };
}

export function writeRecord(
  path: string,
  record: LockRecord,
): Promise<void> {
  return writeFile(path, JSON.stringify(record) + "\n");
}

export async function readRecord(
  path: string,
): Promise<LockRecord | undefined> {
  return parseLockRecord(await readFile(path, "utf8"));
}

/** The error of a refused attempt; fails when it is not refused. */
export async function refusal(
  attempt: Promise<FileLock>,
): Promise<LockHeldError> {
  try {
    await attempt;
  } catch (error) {
    if (error instanceof LockHeldError) return error;
    throw error;
  }
  throw new assert.AssertionError({ message: "the lock was not refused" });
}
