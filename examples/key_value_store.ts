/**
 * A state machine for Raft: a map of strings. It shows the two methods that
 * snapshots need:
 *
 * - `snapshot()` gives the state of one moment as a stream, while further
 *   commands are applied;
 * - `restore()` takes such a stream, and swaps the new state in only when the
 *   stream is complete, so that a broken restore leaves the old state
 *   unchanged.
 */

import {
  decodeEntries,
  encodeEntries,
  requireShort,
} from "./key_value_codec.ts";

/** A command in the log. */
export type Command =
  | { readonly op: "set"; readonly key: string; readonly value: string }
  | { readonly op: "delete"; readonly key: string };

/** A map of strings, kept by applying commands in order. */
export class KeyValueStore {
  #entries = new Map<string, string>();
  /** A snapshot may still be reading `#entries`. */
  #shared = false;

  /** How many keys there are. */
  get size(): number {
    return this.#entries.size;
  }

  /** The value of a key. */
  get(key: string): string | undefined {
    return this.#entries.get(key);
  }

  /**
   * Applies one committed command.
   *
   * @throws {RangeError} when a string is too long for a snapshot to hold.
   */
  apply(command: Command): void {
    if (command.op === "set") requireShort(command.key, command.value);
    // Copy on write: the first command after a snapshot leaves the old map to
    // the snapshot and continues with a new one.
    if (this.#shared) {
      this.#entries = new Map(this.#entries);
      this.#shared = false;
    }
    if (command.op === "set") this.#entries.set(command.key, command.value);
    else this.#entries.delete(command.key);
  }

  /** The present state, encoded as it is read, so that memory stays bounded. */
  snapshot(): ReadableStream<Uint8Array<ArrayBuffer>> {
    this.#shared = true;
    return encodeEntries(this.#entries);
  }

  /** Replaces the state once the stream that is written to it is complete. */
  restore(): WritableStream<Uint8Array> {
    return decodeEntries((entries) => {
      this.#entries = entries;
      this.#shared = false;
    });
  }
}
