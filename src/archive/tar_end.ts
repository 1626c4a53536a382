/**
 * Checks the bytes after the two blocks of zeros that end a tar.
 *
 * @module
 */

import { SnapshotArchiveError } from "./archive_error.ts";
import type { ByteReader } from "./byte_reader.ts";
import { truncated } from "./wrong_end.ts";
import { BLOCK_BYTES, RECORD_BYTES } from "./tar_layout.ts";

/** The last record holds at least the last block of the end. */
const PADDING_BYTES_MAX = RECORD_BYTES - BLOCK_BYTES;

/**
 * Takes the zeros with which GNU tar fills its last record, and then the end of
 * the bytes.
 *
 * @throws {SnapshotArchiveError} with the reason `"tar"`.
 */
export async function checkTarEnd(tar: ByteReader): Promise<void> {
  const end = tar.position;
  const padding = await tar.take(PADDING_BYTES_MAX + 1);
  const odd = padding.findIndex((byte) => byte !== 0);
  if (odd >= 0) {
    throw new SnapshotArchiveError({
      reason: "tar",
      offset: end + odd,
      summary: `The tar in the archive ends at byte ${end}, but other bytes ` +
        `than zeros follow at byte ${end + odd}`,
      actual: "other bytes than zeros",
      expected: "zeros",
    });
  }
  if (padding.length > PADDING_BYTES_MAX) {
    const expected = `at most ${PADDING_BYTES_MAX} zeros`;
    throw new SnapshotArchiveError({
      reason: "tar",
      offset: end + PADDING_BYTES_MAX,
      summary: `The tar in the archive ends at byte ${end}, but more zeros ` +
        `follow than GNU tar writes by default, expected ${expected}`,
      actual: "more zeros",
      expected,
      hint: "pack the tar with -b 20",
    });
  }
  if (padding.length % BLOCK_BYTES !== 0) {
    const details = { reason: "tar", offset: tar.position } as const;
    throw truncated("the last block of zeros is incomplete", details);
  }
}
