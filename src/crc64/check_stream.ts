/**
 * A pass-through stream that ends only when size and CRC match.
 *
 * @module
 */

import { type OptionNames, requireKnown } from "../option_names.ts";
import { SnapshotCorruptError } from "../errors.ts";
import { Crc64 } from "./crc64.ts";
import { checkCrc, checkLength } from "./register.ts";

/** The size and CRC that a {@linkcode Crc64CheckStream} expects. */
export interface Crc64CheckStreamOptions {
  /** The CRC-64/XZ of all bytes. */
  readonly crc: bigint;
  /** How many bytes there must be. */
  readonly size: number;
  /**
   * The name of the checked bytes in the error's message. @default {"the
   * stream"}
   */
  readonly name?: string | undefined;
}

const CHECK_OPTIONS: OptionNames<Crc64CheckStreamOptions> = {
  crc: true,
  size: true,
  name: true,
};

/** Receives the checked bytes. */
interface Output {
  enqueue(chunk: Uint8Array<ArrayBuffer>): void;
}

/** A check by itself, for streams that do more than check. */
export interface ByteChecker {
  /** Takes a chunk; throws or rejects when the bytes are wrong. */
  transform(
    chunk: Uint8Array<ArrayBuffer>,
    output: Output,
  ): void | Promise<void>;
  /** Ends the check; throws when bytes are missing or wrong. */
  flush(output: Output): void;
}

/** Checks the length and the CRC of all bytes. */
export function crc64Checker(options: Crc64CheckStreamOptions): ByteChecker {
  const { crc: expected, size, name = "the stream" } = options;
  checkCrc(expected, "the expected CRC-64");
  checkLength(size, "the expected size");
  const crc = new Crc64();
  let done = 0;
  let held: Uint8Array<ArrayBuffer> | undefined;

  function wrongSize(actual: number): SnapshotCorruptError {
    return new SnapshotCorruptError(name, {
      reason: "size",
      expected: size,
      actual,
    });
  }

  return {
    transform(chunk, output) {
      crc.update(chunk);
      // An empty chunk must not release the one that is held back.
      if (chunk.length === 0) return;
      done += chunk.length;
      if (done > size) throw wrongSize(done);
      if (held !== undefined) output.enqueue(held);
      held = chunk;
    },
    flush(output) {
      if (done !== size) throw wrongSize(done);
      const actual = crc.digest();
      if (actual !== expected) {
        throw new SnapshotCorruptError(name, {
          reason: "crc",
          expected,
          actual,
        });
      }
      if (held !== undefined) output.enqueue(held);
    },
  };
}

/**
 * Passes chunks on unchanged, and errors instead of ending when size or CRC
 * differ from the expected ones. The stream holds one chunk back: the last
 * chunk is handed out only when the whole has been checked, so that a consumer
 * that has read `size` bytes has read the right ones. Empty chunks are dropped.
 *
 * A chunk belongs to the stream once it is written. The caller must not change
 * it, because the reader would get other bytes than the checked ones.
 *
 * The stream errors with {@linkcode SnapshotCorruptError}: reason `"size"` when
 * there are too few bytes, or as soon as there are too many; reason `"crc"`
 * when the number is right but the bytes are wrong.
 *
 * @throws {RangeError} when `crc` is not in 0 to 2^64 - 1, or `size` not an
 * integer in 0 to 2^53 - 1.
 *
 * @example Check a download
 * ```ts
 * import { Crc64CheckStream } from "@raft/snapshots/crc64";
 * import assert from "node:assert/strict";
 *
 * const body = new Response("123456789").body!;
 * const checked = body.pipeThrough(
 *   new Crc64CheckStream({ crc: 0x995dc9bbdf1939fan, size: 9 }),
 * );
 * assert.equal(await new Response(checked).text(), "123456789");
 * ```
 */
export class Crc64CheckStream
  extends TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>> {
  /**
   * Makes a stream that expects the size and CRC in `options`.
   *
   * @throws {RangeError} when the CRC is not from 0 to 2^64 - 1, or the size is
   * not an integer from 0 to 2^53 - 1.
   */
  constructor(options: Crc64CheckStreamOptions) {
    requireKnown(options, CHECK_OPTIONS);
    super(crc64Checker(options));
  }
}
