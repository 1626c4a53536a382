/** `cat DIR [ID]`: a snapshot's state, checked, to stdout. */

import process from "node:process";
import type { Command } from "commander";
import type { SnapshotSource } from "../../mod.ts";
import { parsePath } from "./arguments.ts";
import { write } from "./output.ts";
import { startProgress } from "./progress.ts";
import { requireStdout } from "./stdout.ts";
import { openChosen, withStoreToRead } from "./stores.ts";

/** Adds the command. */
export function registerCat(program: Command): void {
  program.command("cat")
    .summary("write a snapshot's state to stdout")
    .description(
      "Writes a snapshot's state to stdout. Every byte is checked before it is " +
        "written; when the snapshot is corrupt, the output ends early and the " +
        "exit code is 1.",
    )
    .argument("<DIR>", "the store's directory", parsePath)
    .argument("[ID]", "the snapshot; the newest by default")
    .action(cat);
}

async function cat(directory: string, id: string | undefined): Promise<void> {
  requireStdout();
  await withStoreToRead(directory, async (store) => {
    await copyToStdout(await openChosen(store, directory, { id }));
  });
}

async function copyToStdout(source: SnapshotSource): Promise<void> {
  // On a terminal the bar would be drawn into the state.
  const progress = process.stdout.isTTY ? undefined : startProgress("Reading");
  let done = 0;
  try {
    for await (const chunk of source) {
      await write(chunk);
      progress?.update(done += chunk.length, source.meta.size);
    }
  } finally {
    progress?.stop();
  }
}
