/**
 * The machine that the figures are from.
 *
 * @module
 */

import * as os from "node:os";

/** The processor, the memory, the system, the date and the present load. */
export function describeMachine(): string {
  const [cpu] = os.cpus();
  const gib = Math.round(os.totalmem() / 1024 ** 3);
  const day = new Date().toISOString().slice(0, 10);
  const load = (os.loadavg()[0] ?? 0).toFixed(1);
  return `${cpu?.model.trim() ?? "unknown processor"}, ${os.cpus().length} ` +
    `cores, ${gib} GiB of memory, ${os.type()} ${os.release()}, ${day}, ` +
    `at a load of ${load}`;
}
