/** Lock records for tests, of holders that never were. */

import { hostname } from "node:os";
import type { LockRecord } from "../../src/fs/lock_record.ts";

/** No system gives a process so high a number. */
export const NO_PROCESS = 2 ** 31 - 1;

/** A record of a dead process of this host, but for what is given. */
export function lockRecord(given: Partial<LockRecord> = {}): LockRecord {
  return {
    pid: NO_PROCESS,
    host: hostname(),
    runtime: "test 1.0",
    since: Date.UTC(2024, 1, 29),
    token: crypto.randomUUID(),
    started: null,
    kernel: false,
    ...given,
  };
}
