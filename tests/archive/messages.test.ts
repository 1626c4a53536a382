import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { describe, it } from "node:test";
import { SnapshotArchiveError } from "@raft/snapshots/archive";
import { archive, archiveOf, members, pack, STATE, tar } from "./hand_made.ts";
import { check } from "./stores.ts";

const { meta, state, sums } = members();
const GOOD = archive();
const TAR = tar(meta, state, sums);

async function refusal(file: Uint8Array): Promise<SnapshotArchiveError> {
  try {
    await check(file);
  } catch (error) {
    if (error instanceof SnapshotArchiveError) return error;
    throw error;
  }
  throw new Error("the file was taken for an archive");
}

const AGAIN = "; download or copy the file again";
const MAKE = "; use another copy of the archive, or make the archive again";

const KEEP = `keep the first ${GOOD.length} bytes (head -c ${GOOD.length}), ` +
  "or download or copy the file again";

/** The file, and the whole message. */
const CASES: readonly (readonly [string, Uint8Array, string])[] = [
  [
    "is cut off in its gzip header",
    GOOD.subarray(0, 5),
    "The archive is truncated: the gzip header is incomplete (the file ends " +
    "at byte 5)" + AGAIN,
  ],
  [
    "is cut off in its compressed data",
    GOOD.subarray(0, 100),
    "The archive is truncated: the compressed data is incomplete (the file " +
    "ends at byte 100)" + AGAIN,
  ],
  [
    "is cut off in its last bytes",
    GOOD.subarray(0, GOOD.length - 3),
    "The archive is truncated: the checksum at the end of the gzip file is " +
    `incomplete (the file ends at byte ${GOOD.length - 3})` + AGAIN,
  ],
  [
    "holds a tar without its end",
    pack(TAR.subarray(0, TAR.length - 1024)),
    "The archive is truncated: the blocks of zeros that end a tar are " +
    `missing (the tar ends at byte ${TAR.length - 1024})` + MAKE,
  ],
  [
    "holds a tar that breaks off in a header",
    pack(TAR.subarray(0, 1100)),
    "The archive is truncated: a block of the tar is incomplete (the tar " +
    "ends at byte 1100)" + MAKE,
  ],
  [
    "holds a tar that breaks off in the state",
    pack(TAR.subarray(0, 1540)),
    `The archive is truncated: 20 of ${STATE.length} bytes of state.bin are ` +
    "missing (the tar ends at byte 1540)" + MAKE,
  ],
  [
    "has no SHA256SUMS",
    archiveOf(meta, state),
    "The archive is incomplete: SHA256SUMS is missing (the tar ends at byte " +
    "3072)" + MAKE,
  ],
  [
    "is followed by another archive",
    Buffer.concat([GOOD, GOOD]),
    `The archive ends at byte ${GOOD.length}, but the file continues: found ` +
    "another gzip file (1f 8b 08 00 00 00 00 00), expected the end of the " +
    `file; ` + KEEP,
  ],
  [
    "is followed by text",
    Buffer.concat([GOOD, Buffer.from("done\n")]),
    `The archive ends at byte ${GOOD.length}, but the file continues: found ` +
    String.raw`text ("done\n"), expected the end of the file; ` + KEEP,
  ],
  [
    "is followed by zeros",
    Buffer.concat([GOOD, Buffer.alloc(100)]),
    `The archive ends at byte ${GOOD.length}, but the file continues: found ` +
    "zeros (00 00 00 00 00 00 00 00), expected the end of the file; " + KEEP,
  ],
  [
    "holds a second tar",
    pack(Buffer.concat([TAR, TAR])),
    `The tar in the archive ends at byte ${TAR.length}, but other bytes than ` +
    `zeros follow at byte ${TAR.length}` + MAKE,
  ],
];

describe("an archive's error says what happened and what to do when it", () => {
  for (const [what, file, message] of CASES) {
    it(what, async () => {
      assert.equal((await refusal(file)).message, message);
    });
  }
});
