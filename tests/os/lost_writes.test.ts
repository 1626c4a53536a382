import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { openFileSnapshotStore, SnapshotPublishError } from "@raft/snapshots";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import { onSmallDisk, type SmallDisk, whyNoSmallDisk } from "./small_disks.ts";

const MIB = 1024 * 1024;

/**
 * A disk with less room behind it than it promises: every write succeeds, and
 * the kernel fails to write the bytes out later. Without a journal, which would
 * make it read-only.
 */
const THIN_DISK: SmallDisk = {
  fileSystem: "ext4",
  programs: ["mkfs.ext4"],
  commands: [
    "mkdir thin",
    "mount -t tmpfs -o size=16m tmpfs thin",
    "truncate -s 200m thin/image",
    "mkfs.ext4 -q -F -O ^has_journal -E nodiscard thin/image",
    "mount -o loop thin/image disk",
    "umount --lazy thin",
  ],
  hasRoomForNames: true,
};

describe("a store on a disk that loses writes", () => {
  it("publishes nothing, because the sync reports the loss", {
    skip: whyNoSmallDisk(THIN_DISK),
  }, async (t) => {
    const directory = await temporaryDirectory(t);
    await onSmallDisk(directory, THIN_DISK, async (disk) => {
      const store = await openFileSnapshotStore(`${disk}/store`);
      const sink = await store.create({
        index: 1n,
        term: 1n,
        configuration: { servers: [] },
        configurationIndex: 1n,
      });
      const writer = sink.getWriter();
      const chunk = new Uint8Array(MIB).fill(7);
      // Fewer bytes than those after which a sync begins early.
      for (let i = 0; i < 40; i++) await writer.write(chunk);
      const error = await writer.close().catch((error) => error);
      assert.ok(error instanceof SnapshotPublishError, String(error));
      assert.equal(error.published, false);
      assert.match(error.systemCode ?? "none", /^(ENOSPC|EIO)$/);
      assert.deepEqual(await store.list(), []);
      await store.close();
    });
  });
});
