/**
 * `deno task test:interop`: proves byte compatibility against HashiCorp Raft's
 * own code, on every runtime. Deno's run is shown in full, for what it counts.
 *
 * @module
 */

import { root } from "./support/repository.ts";

const SUITES = ["tests/interop", "tests/fixtures"];

async function deno(args: readonly string[]): Promise<boolean> {
  const command = new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: root,
  });
  const { success } = await command.spawn().status;
  return success;
}

const onDeno = await deno(["test", "--allow-all", ...SUITES]);
const onOthers = await deno([
  "run",
  "--allow-all",
  "scripts/test.ts",
  "--only=node20,node24,bun",
  ...SUITES,
]);
if (!onDeno) console.error("Failed on Deno: see above");
Deno.exit(onDeno && onOthers ? 0 : 1);
