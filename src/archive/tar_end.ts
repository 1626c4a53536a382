/**
 * What may follow the two blocks of zeros that end a tar.
 *
 * @module
 */

import { SnapshotArchiveError } from "./archive_error.ts";
import type { ByteReader } from "./byte_reader.ts";
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
    throw fault(end + odd, "bytes after the end of the tar", "zeros");
  }
  if (padding.length > PADDING_BYTES_MAX) {
    throw fault(
      end + PADDING_BYTES_MAX,
      `more than ${PADDING_BYTES_MAX} zeros after the end of the tar`,
      "the end of the file",
      "pack the tar with -b 20",
    );
  }
  if (padding.length % BLOCK_BYTES !== 0) {
    const expected = `a multiple of ${BLOCK_BYTES}`;
    const actual = `${padding.length} zeros after the end of the tar`;
    throw fault(end + padding.length, actual, expected);
  }
}

function fault(
  offset: number,
  actual: string,
  expected: string,
  hint?: string,
): SnapshotArchiveError {
  const reason = "tar";
  return new SnapshotArchiveError({ reason, offset, actual, expected, hint });
}
