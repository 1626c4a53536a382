import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import {
  type ArchiveLookalike,
  SnapshotArchiveError,
} from "@raft/snapshots/archive";
import { archive, members, tar } from "./hand_made.ts";
import { check } from "./stores.ts";

const { meta, state, sums } = members();

/** Files that users mistake for archives, and the errors that they must get. */
const CASES: readonly (readonly [
  looksLike: ArchiveLookalike,
  file: Uint8Array,
  words: RegExp,
])[] = [
  ["empty", Buffer.alloc(0), /no bytes.*download has probably failed/],
  ["tar", tar(meta, state, sums), /a tar that is not compressed.*with gzip/],
  ["html", Buffer.from("\n<!DOCTYPE html><html>"), /HTML.*DOCTYPE.*a proxy/],
  ["html", Buffer.from("<HTML><body>502</body>"), /HTML.*502.*a proxy/],
  ["json", Buffer.from('{"errors":["denied"]}'), /JSON.*denied.*an error/],
  ["json", Buffer.from("[ { "), /JSON/],
  ["text", Buffer.from("rpc error: no leader"), /text.*no leader.*an error/],
  ["zstd", Buffer.from("28b52ffd04580000", "hex"), /a zstd file.*zstd -d/],
  ["zip", Buffer.from("504b0304140000", "hex"), /a zip file.*unpack/],
  ["xz", Buffer.from("fd377a585a000004", "hex"), /an xz file.*xz -d/],
  ["bzip2", Buffer.from("BZh91AY&SY"), /a bzip2 file.*bzip2 -d/],
  ["utf-16", Buffer.from("\ufeff\u001f\u008b", "utf16le"), /PowerShell/],
  ["unknown", Buffer.from("0001020304050607", "hex"), /00 01 02 .*\.snap/],
];

async function refusal(file: Uint8Array): Promise<SnapshotArchiveError> {
  try {
    await check(file);
  } catch (error) {
    if (error instanceof SnapshotArchiveError) return error;
    throw error;
  }
  throw new Error("the file was taken for an archive");
}

describe("a file that is not an archive", () => {
  for (const [i, [looksLike, file, words]] of CASES.entries()) {
    it(`is refused as ${looksLike}, with advice (case ${i})`, async () => {
      const error = await refusal(file);
      assert.deepEqual(
        [error.reason, error.offset, error.looksLike],
        ["gzip", 0, looksLike],
      );
      assert.match(error.message, words);
      assert.ok(error.message.length < 300, error.message);
    });
  }

  it("is recognized when it is compressed, too", async () => {
    for (
      const [looksLike, content] of [
        ["gzip", archive()],
        ["json", Buffer.from('{"errors":[]}')],
        ["empty", Buffer.alloc(0)],
      ] as const
    ) {
      const error = await refusal(gzipSync(content));
      assert.deepEqual(
        [error.reason, error.offset, error.looksLike],
        ["tar", 0, looksLike],
      );
    }
  });

  it("can't write to a terminal through the error", async () => {
    const { message } = await refusal(Buffer.from("<html>\u001b[31m\u202e"));
    assert.doesNotMatch(message, /[\p{Cc}\p{Cf}]/u);
  });

  it("is not given a format when it is a truncated archive", async () => {
    const { looksLike } = await refusal(archive().subarray(0, 5));
    assert.equal(looksLike, undefined);
  });
});
