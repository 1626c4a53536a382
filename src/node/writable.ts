/**
 * Turns a sink into a stream of Node's.
 *
 * @module
 */

import { node } from "../runtime/node.ts";
import type { Writable } from "../runtime/node_streams.ts";
import type { SnapshotSink } from "../snapshot/types.ts";
import { ChunkGatherer } from "./chunk_gatherer.ts";
import { errorOf } from "./error_of.ts";

/**
 * The size of a batch for the sink, and the limit of waiting bytes from which
 * `write()` returns `false`, in bytes.
 */
const BATCH_BYTES = 256 * 1024;

/**
 * Makes a Node `Writable` of a sink. `end()` publishes the snapshot: `"finish"`
 * comes once the snapshot survives a power cut. Until then `destroy()` gives
 * the snapshot up and removes every trace before `"close"` comes: nothing is
 * published. (`Writable.fromWeb(sink).destroy()` would publish half of the
 * state.) When the snapshot is being published already, `"close"` waits for the
 * outcome, to which `sink.published` settles.
 *
 * When the snapshot can't be written or published, `"error"` comes once, with
 * the error of `sink.close()`. Small writes are gathered before they go to the
 * sink; the callback of a `write()` means that the bytes were taken over, not
 * that they are on disk. `cork()` is not needed.
 *
 * @example Pipe Node streams into a snapshot
 * ```ts
 * import { MemorySnapshotStore } from "@raft/snapshots";
 * import { toNodeWritable } from "@raft/snapshots/node";
 * import assert from "node:assert/strict";
 * import { Readable } from "node:stream";
 * import { pipeline } from "node:stream/promises";
 *
 * const store = new MemorySnapshotStore();
 * const sink = await store.create({
 *   index: 10n,
 *   term: 3n,
 *   configuration: { servers: [] },
 *   configurationIndex: 2n,
 * });
 * await pipeline(Readable.from(["the ", "state"]), toNodeWritable(sink));
 * assert.equal(sink.meta.size, 9);
 * ```
 *
 * @param sink Must not be locked. The `Writable` takes its lock.
 * @throws {TypeError} when the sink is locked, by `getWriter()` for example.
 * @throws {StoreAccessError} when the runtime has no Node streams: a browser.
 */
export function toNodeWritable(sink: SnapshotSink): Writable {
  const { Writable } = node.stream;
  const writer = sink.getWriter();
  // sink.published reports this failure, below.
  writer.closed.catch(() => {});
  writer.ready.catch(() => {});
  const gatherer = new ChunkGatherer(
    BATCH_BYTES,
    (batch) => writer.write(batch),
  );

  /** The error of the sink: `published` has a better one than its writer. */
  const failureOf = async (reason: unknown): Promise<Error> => {
    const doing = `write snapshot ${sink.id}`;
    try {
      await sink.published;
      return errorOf(reason, doing);
    } catch (error) {
      return errorOf(error, doing);
    }
  };
  const tell = (work: Promise<void>, done: (error?: Error) => void): void => {
    work.then(() => done(), async (reason) => done(await failureOf(reason)));
  };

  const writable = new Writable({
    highWaterMark: BATCH_BYTES,
    write(chunk: Uint8Array, _encoding, done) {
      const writing = gatherer.write(chunk);
      // Called at once, or a promise would be made for each small chunk.
      if (writing === undefined) done();
      else tell(writing, done);
    },
    final(done) {
      tell(gatherer.flush().then(() => writer.close()), done);
    },
    destroy(error, done) {
      const end = () => done(error);
      // While the snapshot is published this waits for the outcome.
      sink.cancel(error ?? undefined).then(end, end);
    },
  });
  // The store may be closed, or the signal abort, while nothing is written.
  sink.published.catch((error) => void writable.destroy(error));
  return writable;
}
