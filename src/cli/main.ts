/**
 * The entry of the command line tool: `deno run -A src/cli/main.ts`, and
 * `raft-snapshots` in the npm package.
 *
 * @module
 */

import process from "node:process";
import { run } from "./program.ts";

// exit(), not exitCode: a pipe without a reader would keep the process alive.
process.exit(await run(process.argv.slice(2)));
