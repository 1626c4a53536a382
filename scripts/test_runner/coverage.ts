/**
 * How much of the sources the Deno run has reached.
 *
 * @module
 */

import { run } from "../support/command.ts";
import { root } from "../support/repository.ts";
import type { Result } from "./outcome.ts";

/** The flags that make `deno test` record the lines that it reaches. */
export function coverageFlags(folder: string): readonly string[] {
  return [`--coverage=${folder}`, "--coverage-raw-data-only"];
}

/** Sums the record up in a line. */
export async function sumUpCoverage(folder: string): Promise<Result> {
  const args = ["coverage", "--include=/src/", "--exclude=/tests/", folder];
  const { output } = await run(Deno.execPath(), args, { cwd: root });
  const [, branches, functions, lines] =
    /^\| All files +\| +([\d.]+) \| +([\d.]+) \| +([\d.]+) \|$/m.exec(output) ??
      [];
  if (lines === undefined) return { ok: false, output };
  return {
    ok: true,
    output: `${lines} % of the lines of src/, ${functions} % of its ` +
      `functions, ${branches} % of its branches`,
  };
}
