/**
 * `deno task bench:redraw`: writes the pages and pictures of the bench again from
 * the figures in docs/benchmarks.json, after a change to their form. It measures
 * nothing.
 *
 * @module
 */

import { readTables, toFiles, writeFiles } from "./pages.ts";

await writeFiles(toFiles(await readTables()));
