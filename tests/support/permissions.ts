/**
 * Processes for which the permission bits of files count, even where the tests
 * run as root.
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import process from "node:process";

/** The capabilities by which root ignores permission bits. */
const POWERS = "-dac_override,-dac_read_search";

const isRoot = process.getuid?.() === 0;

/** The command that starts another without these powers. */
export const powerless: readonly string[] = isRoot
  ? ["setpriv", `--bounding-set=${POWERS}`, `--inh-caps=${POWERS}`, "--"]
  : [];

/** Why there is no such process, or `false` when there is one. */
export function whyNotPowerless(): string | false {
  if (process.platform === "win32") return "needs permission bits";
  const [command, ...args] = [...powerless, "true"];
  const { status } = spawnSync(command ?? "true", args);
  return status === 0 ? false : "needs setpriv, because root reads everything";
}
