/**
 * Turns a source into a stream of Node's.
 *
 * @module
 */

import { node } from "../runtime/node.ts";
import type { Readable } from "../runtime/node_streams.ts";
import { errorOf } from "./error_of.ts";

/**
 * Less than any chunk of a store, so that at most one chunk waits for the
 * consumer.
 */
const HIGH_WATER_MARK = 64 * 1024;

/**
 * Makes a Node `Readable` of a source, or of any other stream of bytes, such as
 * an exported archive. The `Readable` reads only on demand, and holds one chunk
 * at most (1 MiB by default). It takes the source over: the caller reads the
 * `Readable` to its end, or destroys it.
 *
 * `destroy()` cancels the source, and `"close"` follows. When the source fails,
 * because a check has found a wrong byte for example, `"error"` comes once and
 * `"end"` does not.
 *
 * @example Write a snapshot to a file
 * ```ts
 * import { MemorySnapshotStore } from "@raft/snapshots";
 * import { toNodeReadable } from "@raft/snapshots/node";
 * import assert from "node:assert/strict";
 * import { buffer } from "node:stream/consumers";
 *
 * const store = new MemorySnapshotStore();
 * const { id } = await store.save({
 *   index: 10n,
 *   term: 3n,
 *   configuration: { servers: [] },
 *   configurationIndex: 2n,
 * }, new Blob(["the state"]));
 *
 * // Or: pipeline(toNodeReadable(source), createWriteStream("state.bin"))
 * const source = await store.open(id);
 * assert.equal(String(await buffer(toNodeReadable(source))), "the state");
 * ```
 *
 * @param source Must not be locked.
 * @throws {TypeError} when the source is locked, by `getReader()` for example.
 * @throws {StoreAccessError} when the runtime has no Node streams: a browser.
 */
export function toNodeReadable(source: ReadableStream<Uint8Array>): Readable {
  const { Readable } = node.stream;
  const reader = source.getReader();
  return new Readable({
    highWaterMark: HIGH_WATER_MARK,
    read() {
      reader.read().then(
        ({ done, value }) => void this.push(done ? null : value),
        (reason) => void this.destroy(errorOf(reason, "read the source")),
      );
    },
    destroy(error, done) {
      const end = () => done(error);
      // A failed source rejects with the error that it has reported before.
      reader.cancel(error ?? undefined).then(end, end);
    },
  });
}
