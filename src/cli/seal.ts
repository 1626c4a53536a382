/** `seal DIR ID...`: adds block checksums to snapshots that Go wrote. */

import type { Command } from "commander";
import { hostIdOption, parsePath } from "./arguments.ts";
import { withInterrupts } from "./interrupt.ts";
import type { Progress } from "../../mod.ts";
import { print, printJson } from "./output.ts";
import { startProgress } from "./progress.ts";
import { type LockingOptions, withStoreToMend } from "./stores.ts";

interface SealOptions extends LockingOptions {
  readonly json?: boolean;
}

/** Adds the command. */
export function registerSeal(program: Command): void {
  program.command("seal")
    .summary("add block checksums to snapshots that Go wrote")
    .description(
      "Checks snapshots against their CRC and adds blocks.crc64 to those that " +
        "have none: from then on they are read in one pass, a part can be read " +
        "alone, and verify tells which blocks are bad. Go ignores the file. " +
        "A bad snapshot is not changed.",
    )
    .argument("<DIR>", "the store's directory", parsePath)
    .argument("<ID...>", "the snapshots")
    .addOption(hostIdOption())
    .option("--json", "print an array of the snapshots")
    .action(seal);
}

async function seal(
  directory: string,
  ids: readonly string[],
  { json = false, ...options }: SealOptions,
): Promise<void> {
  const metas = await withInterrupts((signal) =>
    withStoreToMend(directory, options, async (store) => {
      const sealed = [];
      for (const id of ids) {
        const progress = startProgress(`Checking ${id}`);
        try {
          const onProgress = ({ done, total }: Progress) =>
            progress.update(done, total);
          sealed.push(await store.seal(id, { signal, onProgress }));
        } finally {
          progress.stop();
        }
        if (!json) await print(`sealed ${id}`);
      }
      return sealed;
    })
  );
  if (json) await printJson(metas);
}
