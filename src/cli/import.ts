/** `import DIR FILE`: puts the snapshot in an archive into a store. */

import type { Command } from "commander";
import { importArchive } from "../archive/mod.ts";
import { hostIdOption, parsePath, parseRetain } from "./arguments.ts";
import { openInput } from "./input.ts";
import { withInterrupts } from "./interrupt.ts";
import { warnIfNotNewest } from "./order.ts";
import { print, printJson, warn } from "./output.ts";
import { startProgress } from "./progress.ts";
import { withStoreToWrite, type WritingOptions } from "./stores.ts";

interface ImportOptions extends WritingOptions {
  readonly json?: boolean;
}

/** Adds the command. */
export function registerImport(program: Command): void {
  program.command("import")
    .summary("put an archive's snapshot into a store")
    .description(
      "Puts the snapshot in an archive of Consul, Nomad or Vault into a store " +
        "and prints its ID there. Everything in the archive is checked before " +
        "the snapshot is in the store. After an error or an interruption no " +
        "part of it is there, nor a directory that import has made.",
    )
    .argument(
      "<DIR>",
      "the store's directory; made when it is missing",
      parsePath,
    )
    .argument("<FILE>", "the archive; stdin when it is -", parsePath)
    .option(
      "--retain <N>",
      "how many snapshots to keep: older ones are deleted, and named on " +
        "stderr (default: all are kept)",
      parseRetain,
    )
    .addOption(hostIdOption())
    .option("--json", "print the snapshot as an object")
    .action(importSnapshot);
}

async function importSnapshot(
  directory: string,
  file: string,
  { json = false, ...options }: ImportOptions,
): Promise<void> {
  const meta = await withInterrupts(async (signal) => {
    // Before the store is made, which a wrong name must not do.
    const input = await openInput(file, signal);
    const progress = startProgress("Importing");
    try {
      return await withStoreToWrite(
        directory,
        options,
        async (store) => {
          const meta = await importArchive(store, input.chunks(), {
            signal,
            onProgress: ({ done, total }) => progress.update(done, total),
            onUnchecked: (member) =>
              warn(`cannot check ${member}: only Vault has the key`),
            onWarning: warn,
          });
          progress.stop();
          await warnIfNotNewest(store, meta);
          return meta;
        },
      );
    } finally {
      progress.stop();
      input.close();
    }
  });
  await (json ? printJson(meta) : print(meta.id));
}
