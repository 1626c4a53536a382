/**
 * Adding `blocks.crc64` to a snapshot that has none, because Go wrote it.
 *
 * @module
 */

import { SnapshotError, UnsupportedSnapshotVersionError } from "../errors.ts";
import type { SnapshotMeta, VerifyOptions } from "../snapshot/types.ts";
import {
  BLOCKS_FILE_SIZE_MAX,
  encodeBlocks,
} from "../snapshot/block_checksums.ts";
import { checkState } from "./check.ts";
import { type StoreContext, syncDirectory } from "./context.ts";
import { withFile, withHeld, writeAndSync } from "../fs/io.ts";
import { temporaryName } from "../snapshot/id.ts";
import { loadSnapshot, openState } from "./load.ts";
import { requireDirectory } from "./missing.ts";
import { removeTemporary } from "./remove.ts";

/**
 * Checks a snapshot against its CRC, and writes the checksums of its blocks.
 * One that has them already is left as it is; damaged ones are replaced.
 */
export async function sealSnapshot(
  context: StoreContext,
  id: string,
  options: VerifyOptions,
): Promise<SnapshotMeta> {
  const loaded = await loadSnapshot(context, id);
  // Those of a newer format are better than any that this could write.
  if (loaded.blocksError instanceof UnsupportedSnapshotVersionError) {
    throw loaded.blocksError;
  }
  const file = await openState(context, loaded.meta);
  const { blocks, error } = await withFile(
    file,
    () => checkState(context, file, loaded, options),
  );
  if (error !== undefined) throw error;
  if (loaded.blocks === undefined) {
    const bytes = encodeBlocks(blocks);
    if (bytes.length > BLOCKS_FILE_SIZE_MAX) {
      throw new SnapshotError(
        `Cannot seal snapshot ${id} in ${blocks.crcs.length} blocks: ` +
          "expected fewer; open the store with a larger blockSize",
      );
    }
    await context.exclusive.run(async () => {
      // It may have been removed while it was read.
      await requireDirectory(context, id);
      await publishBlocks(context, id, bytes);
    });
  }
  return loaded.meta;
}

/** The file appears whole or not at all: a crash leaves a `.tmp` at most. */
async function publishBlocks(
  context: StoreContext,
  id: string,
  bytes: Uint8Array,
): Promise<void> {
  const { path, fileSystem, directoryMode, fileMode } = context;
  const name = temporaryName({ id, state: "sealing" });
  await removeTemporary(context, name);
  await fileSystem.makeDirectory(`${path}/${name}`, directoryMode);
  try {
    await withHeld(context, `${path}/${name}`, async (from) => {
      const temporary = `${from}/blocks.crc64`;
      // Survives: a power cut after the rename. Without it the name could be
      // there with nothing, or half, behind it.
      const file = await fileSystem.open(temporary, "create", fileMode);
      await withFile(file, () => writeAndSync(file, bytes));
      await withHeld(context, `${path}/${id}`, async (to) => {
        await fileSystem.rename(temporary, `${to}/blocks.crc64`);
        // Survives: a power cut after this call has resolved, which would
        // otherwise take the checksums away again.
        await syncDirectory(context, to);
      });
    });
  } finally {
    await removeTemporary(context, name);
  }
}
