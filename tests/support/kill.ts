/**
 * Ends a process as a crash would.
 *
 * @module
 */

import type { ChildProcess } from "node:child_process";
import process from "node:process";

/**
 * Kills a process that still runs. On Deno the child's own `kill()` also closes
 * its input, so that it might end in good order before it is killed.
 */
export function killOutright(child: ChildProcess): void {
  const { pid, exitCode, signalCode } = child;
  if (pid === undefined || exitCode !== null || signalCode !== null) return;
  process.kill(pid, "SIGKILL");
}
