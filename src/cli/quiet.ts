/** `--quiet`: results, warnings and errors only. */

import type { Command } from "commander";

/** Of the command that runs: it may stand before it or after it. */
let quiet = false;

/** Adds the option, which every command takes. */
export function addQuietOption(program: Command): void {
  program
    .option("--quiet", "show no progress and no notes")
    .hook("preAction", () => {
      quiet = program.opts<{ readonly quiet?: true }>().quiet ?? false;
    });
}

/** Whether progress and notes are not wanted. */
export function isQuiet(): boolean {
  return quiet;
}
