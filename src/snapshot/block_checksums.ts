/**
 * `blocks.crc64`: a checksum for each block of the state, for `meta.json`, and
 * for itself. The file is an extension of this library, which Go ignores. With
 * it a reader checks each block before handing the block out, in one pass, and
 * notices a changed `meta.json`. The layout is in docs/format.md.
 *
 * @module
 */

import { crc64 } from "../crc64/mod.ts";
import {
  SnapshotCorruptError,
  UnsupportedSnapshotVersionError,
} from "../errors.ts";

/** The content of a `blocks.crc64`. */
export interface BlockChecksums {
  /** Length in bytes of each block but the last, which may be shorter. */
  readonly blockSize: number;
  /** Length of the state in bytes. */
  readonly stateSize: number;
  /** CRC-64/XZ of the exact bytes of `meta.json`. */
  readonly metaCrc: bigint;
  /** CRC-64/XZ of each block. */
  readonly crcs: BigUint64Array;
}

/** Smallest block in bytes. */
export const BLOCK_SIZE_MIN = 512;
/** Largest block in bytes: a stream holds a handful of them. */
export const BLOCK_SIZE_MAX = 64 * 1024 * 1024;

/** A longer file is not read. With blocks of 1 MiB this is enough for 8 TiB. */
export const BLOCKS_FILE_SIZE_MAX = 64 * 1024 * 1024;

const MAGIC = new TextEncoder().encode("RAFTBLKS");
const FORMAT_VERSION = 1;

/** Where each field of the header is; the blocks' CRCs follow it. */
const AT = {
  version: 8,
  blockSize: 12,
  stateSize: 16,
  blockCount: 24,
  metaCrc: 32,
  crcs: 40,
} as const;

/** The number of blocks of a state. */
export function countBlocks(stateSize: number, blockSize: number): number {
  return Math.ceil(stateSize / blockSize);
}

/** The bytes of a `blocks.crc64`. */
export function encodeBlocks(blocks: BlockChecksums): Uint8Array {
  const { crcs } = blocks;
  const bytes = new Uint8Array(AT.crcs + 8 * crcs.length + 8);
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC);
  view.setUint32(AT.version, FORMAT_VERSION);
  view.setUint32(AT.blockSize, blocks.blockSize);
  view.setBigUint64(AT.stateSize, BigInt(blocks.stateSize));
  view.setBigUint64(AT.blockCount, BigInt(crcs.length));
  view.setBigUint64(AT.metaCrc, blocks.metaCrc);
  crcs.forEach((crc, i) => view.setBigUint64(AT.crcs + 8 * i, crc));
  const end = bytes.length - 8;
  view.setBigUint64(end, crc64(bytes.subarray(0, end)));
  return bytes;
}

/**
 * Reads a `blocks.crc64`; `what` names it in errors.
 *
 * @throws {SnapshotCorruptError} with the reason `"block"` when it is damaged.
 * @throws {UnsupportedSnapshotVersionError} when it is of a newer format.
 */
export function decodeBlocks(bytes: Uint8Array, what: string): BlockChecksums {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = bytes.length - 8;
  const expect = <T extends string | number | bigint>(
    name: string,
    { actual, expected }: { readonly actual: T; readonly expected: T },
  ) => {
    if (actual !== expected) {
      throw new SnapshotCorruptError(`${name} of ${what}`, {
        reason: "block",
        actual,
        expected,
      });
    }
  };
  if (end < AT.crcs) {
    throw new SnapshotCorruptError(what, {
      reason: "block",
      actual: `${bytes.length} bytes`,
      expected: `at least ${AT.crcs}`,
    });
  }
  const isMagic = MAGIC.every((byte, i) => bytes[i] === byte);
  expect("magic", {
    actual: isMagic ? "RAFTBLKS" : "something else",
    expected: "RAFTBLKS",
  });
  // The CRC comes first, so that a flipped bit does not pass for a newer
  // version.
  expect("CRC", {
    actual: view.getBigUint64(end),
    expected: crc64(bytes.subarray(0, end)),
  });
  const version = view.getUint32(AT.version);
  if (version > FORMAT_VERSION) {
    throw new UnsupportedSnapshotVersionError(
      `Cannot use ${what}: found version ${version}, ` +
        `expected ${FORMAT_VERSION}`,
    );
  }
  expect("version", { actual: version, expected: FORMAT_VERSION });
  // From here on the bytes are the written ones. But another program may have
  // written them, so each number is checked before it is used as a size.
  const blockSize = view.getUint32(AT.blockSize);
  if (blockSize < BLOCK_SIZE_MIN || blockSize > BLOCK_SIZE_MAX) {
    const range = `${BLOCK_SIZE_MIN} to ${BLOCK_SIZE_MAX}`;
    throw new SnapshotCorruptError(`block size of ${what}`, {
      reason: "block",
      actual: blockSize,
      expected: range,
    });
  }
  const stateSize = Number(view.getBigUint64(AT.stateSize));
  const count = countBlocks(stateSize, blockSize);
  expect("block count", {
    actual: view.getBigUint64(AT.blockCount),
    expected: BigInt(count),
  });
  expect("length", { actual: bytes.length, expected: AT.crcs + 8 * count + 8 });
  return {
    blockSize,
    stateSize,
    metaCrc: view.getBigUint64(AT.metaCrc),
    crcs: BigUint64Array.from(
      { length: count },
      (_, i) => view.getBigUint64(AT.crcs + 8 * i),
    ),
  };
}

/** A list of CRCs that grows: 8 bytes for each, however many there are. */
export class CrcList {
  #crcs = new BigUint64Array(16);
  #length = 0;

  /** Appends a CRC. */
  push(crc: bigint): void {
    if (this.#length === this.#crcs.length) {
      const longer = new BigUint64Array(2 * this.#length);
      longer.set(this.#crcs);
      this.#crcs = longer;
    }
    this.#crcs[this.#length++] = crc;
  }

  /** The CRCs so far; not a copy. */
  toArray(): BigUint64Array {
    return this.#crcs.subarray(0, this.#length);
  }
}
