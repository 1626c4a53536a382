/**
 * The entry of the command line tool: `deno run -A src/cli/main.ts`, and
 * `raft-snapshots` in the npm package.
 *
 * @module
 */

import process from "node:process";
import { run } from "./program.ts";

// Without top-level await, so that CommonJS can load it too. exit(), not exitCode:
// a pipe without a reader would keep the process alive.
void run(process.argv.slice(2)).then((code) => process.exit(code));
