/**
 * What `header()` gives.
 *
 * @module
 */

import { InvalidSnapshotIdError, SnapshotNotFoundError } from "../errors.ts";
import { assertEqual, assertRejects } from "./assertions.ts";
import { type Check, checkEveryStore, checkStoresThatKeep } from "./check.ts";
import { encode, publish, readText } from "./snapshots.ts";

/** What the first bytes of a `blocks.crc64` are. */
const BLOCKS_MAGIC = "RAFTBLKS";

/** The checks. */
export const headerChecks: readonly Check[] = [
  checkStoresThatKeep(
    "header() gives the exact bytes of meta.json and of the block checksums",
    async (store) => {
      const id = await publish(store, "state");
      const { meta, blocks } = await store.header(id);
      const { ID, Size } = JSON.parse(new TextDecoder().decode(meta));
      assertEqual([ID, Size], [id, 5], "ID and size in meta.json");
      const magic = blocks?.slice(0, BLOCKS_MAGIC.length);
      if (magic !== undefined) {
        assertEqual(magic, encode(BLOCKS_MAGIC), "magic of blocks.crc64");
      }
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
    "header() has no block checksums where there are none",
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
