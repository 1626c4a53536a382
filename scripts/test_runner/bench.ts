/**
 * The benchmark on a small scale, so that it is not found broken when it is
 * needed. Its figures mean nothing.
 *
 * @module
 */

import { run } from "../support/command.ts";
import { root } from "../support/repository.ts";
import type { Result } from "./outcome.ts";

/** Makes each measurement once with Deno, of a hundredth of the size. */
export async function benchOnSmallScale(): Promise<Result> {
  const args = ["run", "-A", "scripts/bench/main.ts"];
  const options = ["--scale=0.01", "--deno-only"];
  const { ok, output } = await run(Deno.execPath(), [...args, ...options], {
    cwd: root,
  });
  return { ok, output: ok ? "" : output };
}
