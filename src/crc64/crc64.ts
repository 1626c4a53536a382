/**
 * CRC-64/XZ of a stream of bytes.
 *
 * @module
 */

import { isUint8Array } from "../bytes.ts";
import { valueOf } from "./register.ts";
import { update } from "./update.ts";

/**
 * A running CRC-64/XZ: the checksum of xz, and of Go's `crc64.ECMA` table. Any
 * number may run side by side.
 *
 * @example Check a value in pieces
 * ```ts
 * import { Crc64 } from "@raft/snapshots/crc64";
 * import assert from "node:assert/strict";
 *
 * const crc = new Crc64();
 * const encoder = new TextEncoder();
 * crc.update(encoder.encode("12345")).update(encoder.encode("6789"));
 * assert.equal(crc.digest(), 0x995dc9bbdf1939fan);
 * ```
 */
export class Crc64 {
  /** The register after the bytes so far; the CRC is its complement. */
  readonly #register = { low: -1, high: -1 };

  /**
   * Feeds bytes. The bytes are only read, and not kept.
   *
   * @throws {TypeError} when `bytes` is not a `Uint8Array`, of whatever realm.
   */
  update(bytes: Uint8Array): this {
    if (!isUint8Array(bytes)) {
      throw new TypeError(
        `Cannot update a CRC-64: found ${typeof bytes}, expected a Uint8Array`,
      );
    }
    update(this.#register, bytes);
    return this;
  }

  /**
   * The CRC of everything fed so far, from 0 to 2^64 - 1. Does not end the CRC:
   * `update()` may be called again.
   */
  digest(): bigint {
    return valueOf(~this.#register.low, ~this.#register.high);
  }

  /** Forgets everything fed so far. */
  reset(): void {
    this.#register.low = -1;
    this.#register.high = -1;
  }
}

/**
 * The CRC-64/XZ of `bytes`, from 0 to 2^64 - 1.
 *
 * @throws {TypeError} when `bytes` is not a `Uint8Array`.
 *
 * @example Usage
 * ```ts
 * import { crc64 } from "@raft/snapshots/crc64";
 * import assert from "node:assert/strict";
 *
 * assert.equal(crc64(new Uint8Array()), 0n);
 * ```
 */
export function crc64(bytes: Uint8Array): bigint {
  return new Crc64().update(bytes).digest();
}
