/**
 * The demo: a state machine's state is saved to real files, restored after a
 * restart, damaged, and restored from the older snapshot. Each step runs in a
 * process of its own.
 *
 *     deno task demo              a key-value store of a million keys
 *     deno task demo FILE         any file as the state
 *
 * Options: `--keys N` for a smaller store, `--keep` to keep the files.
 */

import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { type DemoSetup, type StepName, STEPS } from "./demo/steps.ts";
import { FileMachine, KeyValueMachine } from "./demo/state_machine.ts";
import { runDemo } from "./demo/run_demo.ts";

interface Settings {
  readonly file: string | undefined;
  readonly keys: number;
  readonly keep: boolean;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      keys: { type: "string", default: "1000000" },
      keep: { type: "boolean", default: false },
      // Which step this process is to run; the demo itself sets them.
      step: { type: "string" },
      base: { type: "string" },
    },
  });
  const settings = {
    file: positionals[0],
    keys: Number(values.keys),
    keep: values.keep,
  };
  await check(settings);
  if (values.step !== undefined && values.base !== undefined) {
    await STEPS[values.step as StepName](makeSetup(values.base, settings));
  } else {
    await runDemo({
      script: new URL(import.meta.url),
      args: [...positionals, "--keys", values.keys],
      keep: values.keep,
    });
  }
}

async function check({ file, keys }: Settings): Promise<void> {
  if (!Number.isSafeInteger(keys) || keys < 1) {
    throw new RangeError("Cannot use --keys: expected an integer of 1 or more");
  }
  if (file !== undefined && !(await stat(file)).isFile()) {
    throw new TypeError(`Cannot use ${file} as the state: expected a file`);
  }
}

function makeSetup(base: string, { file, keys }: Settings): DemoSetup {
  return {
    directory: join(base, "store"),
    digestsPath: join(base, "digests.json"),
    machine: file === undefined
      ? new KeyValueMachine(keys)
      : new FileMachine(resolve(file), join(base, "restored")),
  };
}

try {
  await main();
} catch (error) {
  console.error(`demo: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
