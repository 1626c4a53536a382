/**
 * How much of the sources the Deno run has reached.
 *
 * @module
 */

import { run } from "../support/command.ts";
import { root } from "../support/repository.ts";

/** The flags that make `deno test` record what it reaches. */
export function coverageFlags(folder: string): readonly string[] {
  return [`--coverage=${folder}`, "--coverage-raw-data-only"];
}

/** One line that sums the record up. */
export async function sumUpCoverage(folder: string): Promise<string> {
  const args = ["coverage", "--include=/src/", "--exclude=/tests/", folder];
  const { output } = await run(Deno.execPath(), args, { cwd: root });
  const [, branches, functions, lines] =
    /^\| All files +\| +([\d.]+) \| +([\d.]+) \| +([\d.]+) \|$/m.exec(output) ??
      [];
  if (lines === undefined) return `no coverage: ${output}`;
  return `covers ${lines} % of the lines of src/, ${functions} % of its ` +
    `functions, ${branches} % of its branches`;
}
