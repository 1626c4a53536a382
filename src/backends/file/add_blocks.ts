/**
 * Gives a published snapshot its `blocks.crc64`.
 *
 * @module
 */

import { withFile, writeAndSync } from "../../fs/io.ts";
import type { Directory } from "./directory.ts";
import { temporaryName } from "./names.ts";
import type { Removals } from "./removals.ts";

/** The file appears whole or not at all: a crash leaves a `.tmp` at most. */
export async function addBlocks(
  directory: Directory,
  removals: Removals,
  { id, bytes }: { readonly id: string; readonly bytes: Uint8Array },
): Promise<void> {
  const { fileSystem, directoryMode, fileMode } = directory;
  const name = temporaryName({ id, state: "sealing" });
  await removals.removeTemporary(name);
  await fileSystem.makeDirectory(directory.at(name), directoryMode);
  try {
    await directory.hold(name, async (from) => {
      const temporary = `${from}/blocks.crc64`;
      // Survives: a power cut after the rename. Without it the file could be
      // found empty or truncated.
      const file = await fileSystem.open(temporary, "create", fileMode);
      await withFile(file, () => writeAndSync(file, bytes));
      await directory.hold(id, async (to) => {
        await fileSystem.rename(temporary, `${to}/blocks.crc64`);
        // Survives: a power cut after this call has resolved, which could
        // otherwise lose the checksums again.
        await directory.sync(to);
      });
    });
  } finally {
    await removals.removeTemporary(name);
  }
}
