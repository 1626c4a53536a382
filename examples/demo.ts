/**
 * The whole story, on real files: a state machine's state is saved, restored
 * after a restart, damaged, and restored all the same. Each act is a process of
 * its own.
 *
 *     deno task demo              a key-value store of a million keys
 *     deno task demo FILE         any file as the state
 *
 * Options: `--keys N` for a smaller store, `--keep` to keep what is on disk.
 */

import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { type ActName, ACTS, type Scene } from "./demo/steps.ts";
import { FileMachine, KeyValueMachine } from "./demo/state_machine.ts";
import { tellStory } from "./demo/run_demo.ts";

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
      // How the story starts the processes that act in it.
      act: { type: "string" },
      base: { type: "string" },
    },
  });
  const settings = {
    file: positionals[0],
    keys: Number(values.keys),
    keep: values.keep,
  };
  await check(settings);
  if (values.act !== undefined && values.base !== undefined) {
    await ACTS[values.act as ActName](makeScene(values.base, settings));
  } else {
    await tellStory({
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

function makeScene(base: string, { file, keys }: Settings): Scene {
  return {
    directory: join(base, "store"),
    notesPath: join(base, "notes.json"),
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
