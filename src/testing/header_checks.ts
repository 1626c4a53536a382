/**
 * Checks of `header()`.
 *
 * @module
 */

import { crc64 } from "../crc64/mod.ts";
import { InvalidSnapshotIdError, SnapshotNotFoundError } from "../errors.ts";
import { assertEqual, assertRejects } from "./assertions.ts";
import { type Check, checkEveryStore, checkStoresThatKeep } from "./check.ts";
import { decodeBlocks } from "../snapshot/block_checksums.ts";
import { encodeMeta } from "../snapshot/meta/file.ts";
import { publish, readText } from "./snapshots.ts";

/** The checks. */
export const headerChecks: readonly Check[] = [
  checkStoresThatKeep(
    "header() gives the exact bytes of meta.json and of the block checksums",
    async (store) => {
      const id = await publish(store, "state");
      const { meta, blocks } = await store.header(id);
      assertEqual(meta, encodeMeta(await store.stat(id)), "meta.json");
      if (blocks === undefined) return;
      const { metaCrc, stateSize } = decodeBlocks(blocks, "blocks.crc64");
      assertEqual(metaCrc, crc64(meta), "CRC of meta.json in blocks.crc64");
      assertEqual(stateSize, 5, "size of the state in blocks.crc64");
    },
  ),

  checkStoresThatKeep(
    "the bytes that header() gives are the caller's to change",
    async (store) => {
      const id = await publish(store, "pristine");
      const { meta, blocks } = await store.header(id);
      const before = [meta.slice(), blocks?.slice()];
      meta.fill(0);
      blocks?.fill(0);
      const again = await store.header(id);
      assertEqual([again.meta, again.blocks], before, "header");
      assertEqual(await readText(store, id), "pristine", "state");
    },
  ),

  checkStoresThatKeep(
    "header() gives undefined for missing block checksums",
    async (store, { unseal }) => {
      const id = await publish(store, "state");
      await unseal(id);
      assertEqual((await store.header(id)).blocks, undefined, "blocks");
    },
    ["unseal"],
  ),

  checkEveryStore(
    "header() rejects when there is no such snapshot",
    async (store) => {
      const missing = store.header("3-10-1");
      await assertRejects(missing, SnapshotNotFoundError, "header()");
      const invalid = store.header("../outside");
      await assertRejects(invalid, InvalidSnapshotIdError, "header()");
    },
  ),
];
