/**
 * A store of snapshots in a directory (`FileSnapshotStore` in Go's
 * `file_snapshot.go`).
 *
 * @module
 */

import { StoreClosedError, systemCode } from "../errors.ts";
import { offerExtras } from "../snapshot/extras.ts";
import type { FileLock } from "../fs/file_system.ts";
import { type InitialMeta, resolveInit } from "../snapshot/init.ts";
import { type Draft, DraftSink } from "../store/sink.ts";
import type {
  OpenOptions,
  SnapshotInit,
  SnapshotMeta,
  SnapshotSink,
  SnapshotSource,
  VerifyOptions,
  VerifyReport,
} from "../snapshot/types.ts";
import { describe } from "../text.ts";
import { verifySnapshot } from "./check.ts";
import {
  type Abort,
  assertOpen,
  assertWritable,
  makeContext,
  type StoreContext,
  toSnapshotError,
} from "./context.ts";
import { createDraft } from "./draft.ts";
import { Exclusive } from "./exclusive.ts";
import type { FileSnapshotStore } from "./file_snapshot_store.ts";
import { exists } from "../fs/io.ts";
import { requireId } from "../snapshot/id.ts";
import { readExtraFile } from "./load.ts";
import { requireDirectory } from "./missing.ts";
import { claimDirectory, requireReadable, settleDirectory } from "./opening.ts";
import { type FileSnapshotStoreOptions, resolveOptions } from "./options.ts";
import { restoreNewest, type Restorer, setCorruptAside } from "./recovery.ts";
import { removeSnapshots } from "./remove.ts";
import { reapSnapshots } from "./retention.ts";
import { listUsable } from "./scan.ts";
import { sealSnapshot } from "./seal.ts";
import { openSource } from "./source.ts";

/**
 * Opens the store in `directory`, which is Go's *base*: the snapshots are in
 * `directory/snapshots/`. Makes what is missing, takes the lock, and removes
 * what was left unfinished. What root makes belongs to the owner of the
 * directory that it is made in. The caller must close the store.
 *
 * @throws {StoreAccessError} when the directory can't be used.
 * @throws {StoreLockedError} when another store object has it, in this process
 * or another.
 * @throws {TypeError} when the directory or an option has the wrong type.
 * @throws {RangeError} when an option is out of its bounds.
 */
export async function openFileSnapshotStore(
  directory: string | URL,
  options: FileSnapshotStoreOptions = {},
): Promise<FileSnapshotStore> {
  // The empty path would be the working directory: most likely an unset
  // variable.
  if (!(directory instanceof URL) && !directory) {
    throw new TypeError("Cannot open a store: found no name of a directory");
  }
  const resolved = resolveOptions(options);
  const base = resolved.fileSystem.resolve(directory);
  const context = makeContext(base, resolved);
  if (resolved.readOnly) {
    await requireReadable(context);
    return new DirectoryStore(context, undefined);
  }
  const lock = await claimDirectory(context);
  try {
    await settleDirectory(context);
  } catch (error) {
    // The lock must not outlive the attempt. If its release fails as well, the
    // next attempt of this process takes it.
    await lock.release().catch(() => {});
    throw error;
  }
  return new DirectoryStore(context, lock);
}

class DirectoryStore implements FileSnapshotStore {
  readonly #context: StoreContext;
  #lock: FileLock | undefined;
  /** So that sinks are acknowledged in the order in which they got their names. */
  readonly #reaps = new Exclusive();
  /** Calls under way that close() waits for. */
  readonly #running = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;

  constructor(context: StoreContext, lock: FileLock | undefined) {
    this.#context = context;
    this.#lock = lock;
    offerExtras(
      this,
      (id, name) =>
        this.#run(() => readExtraFile(context, requireId(id), name)),
    );
  }

  create(init: SnapshotInit): Promise<SnapshotSink> {
    return this.#run(() => this.#create(init));
  }

  list(): Promise<SnapshotMeta[]> {
    return this.#run(() => listUsable(this.#context));
  }

  open(id: string, options: OpenOptions = {}): Promise<SnapshotSource> {
    return this.#run(() => openSource(this.#context, requireId(id), options));
  }

  verify(id: string, options: VerifyOptions = {}): Promise<VerifyReport> {
    return this.#run(() =>
      verifySnapshot(this.#context, requireId(id), options)
    );
  }

  async restore(restore: Restorer): Promise<SnapshotMeta | undefined> {
    assertOpen(this.#context);
    const open = (id: string, options: OpenOptions) => this.open(id, options);
    const { meta, failed } = await restoreNewest(this.#context, open, restore);
    if (!this.#context.readOnly) await setCorruptAside(this.#context, failed);
    return meta;
  }

  async reap(): Promise<void> {
    assertWritable(this.#context, "reap");
    await this.#run(() => this.#reap());
  }

  async seal(id: string, options: VerifyOptions = {}): Promise<SnapshotMeta> {
    assertWritable(this.#context, "seal");
    return await this.#run(() => this.#seal(requireId(id), options));
  }

  async delete(id: string): Promise<void> {
    assertWritable(this.#context, "delete");
    requireId(id);
    await this.#context.exclusive.run(() => this.#delete(id));
  }

  close(): Promise<void> {
    this.#closing ??= this.#close().catch((error) => {
      // The lock's file may still be there: a caller may try again.
      this.#closing = undefined;
      const { base } = this.#context;
      throw toSnapshotError(`give up the lock of ${base}`, error);
    });
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #create(init: SnapshotInit): Promise<SnapshotSink> {
    const context = this.#context;
    assertWritable(context, "create a snapshot");
    const { signal } = init;
    signal?.throwIfAborted();
    const draft = await this.#createDraft(resolveInit(init));
    const { id } = draft.meta;
    const sink = new DraftSink(draft, {
      highWaterMark: context.blockSize,
      signal,
      onPublished: () => this.#reapAfter(id),
      onEnd: () => {
        context.publishing.delete(id);
        context.open.delete(abort);
      },
    });
    const abort: Abort = (reason) => sink.cancel(reason);
    context.publishing.add(id);
    context.open.add(abort);
    try {
      signal?.throwIfAborted();
      assertOpen(context);
    } catch (error) {
      await sink.cancel(error);
      throw error;
    }
    return sink;
  }

  async #createDraft(init: InitialMeta): Promise<Draft> {
    try {
      try {
        return await createDraft(this.#context, init);
      } catch (error) {
        if (systemCode(error) !== "ENOENT") throw error;
        await this.#reclaim();
        return await createDraft(this.#context, init);
      }
    } catch (error) {
      if (error instanceof RangeError) throw error;
      throw toSnapshotError("create a snapshot", error);
    }
  }

  /**
   * Makes the directory of an open store anew when somebody has removed it, as
   * Go's `Create` does. The lock went with it.
   */
  #reclaim(): Promise<void> {
    const { exclusive, fileSystem, path } = this.#context;
    return exclusive.run(async () => {
      // Another call may have been here before.
      if (await exists(fileSystem, path)) return;
      await this.#lock?.release();
      this.#lock = await claimDirectory(this.#context);
    });
  }

  /** A reap that fails does not make the publication a failure. */
  async #reapAfter(id: string): Promise<void> {
    try {
      await this.#reaps.run(() => reapSnapshots(this.#context, id));
    } catch (error) {
      this.#context.logger.error(
        `After the publication of snapshot ${id}: ${describe(error)}`,
      );
    }
  }

  async #reap(): Promise<void> {
    try {
      await reapSnapshots(this.#context);
    } catch (error) {
      throw toSnapshotError(`reap in ${this.#context.path}`, error);
    }
  }

  async #delete(id: string): Promise<void> {
    await requireDirectory(this.#context, id);
    try {
      const failures = await removeSnapshots(this.#context, [id]);
      for (const error of failures.values()) throw error;
    } catch (error) {
      throw toSnapshotError(`delete snapshot ${id}`, error);
    }
  }

  async #seal(id: string, options: VerifyOptions): Promise<SnapshotMeta> {
    try {
      return await sealSnapshot(this.#context, id, options);
    } catch (error) {
      options.signal?.throwIfAborted();
      throw toSnapshotError(`seal snapshot ${id}`, error);
    }
  }

  /** Runs a call; close() waits for it. */
  async #run<T>(call: () => Promise<T>): Promise<T> {
    assertOpen(this.#context);
    const running = call();
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  async #close(): Promise<void> {
    const context = this.#context;
    context.closed = true;
    const reason = new StoreClosedError(
      `Cannot go on: the store ${context.base} has been closed`,
    );
    const abortAll = () =>
      Promise.allSettled([...context.open].map((abort) => abort(reason)));
    await abortAll();
    await Promise.allSettled([...this.#running]);
    // What was being opened just now.
    await abortAll();
    await context.exclusive.idle();
    await this.#lock?.release();
  }
}
