/**
 * SHA-256 of a stream. The web's `crypto.subtle` only takes whole messages, and
 * so would need all of a snapshot in memory; `node:crypto` is in Deno, Bun and
 * Node.
 *
 * @module
 */

import { node } from "./node.ts";

/** Computes a SHA-256 piece by piece. */
export class Sha256 {
  readonly #hash = node.crypto.createHash("sha256");

  /** Adds bytes. */
  update(bytes: Uint8Array): void {
    this.#hash.update(bytes);
  }

  /** The digest as 64 hexadecimal digits; nothing may be added after it. */
  hex(): string {
    return this.#hash.digest("hex");
  }
}
