/**
 * A directory as a place for snapshots (the layout of `FileSnapshotStore` in
 * Go's `file_snapshot.go`). A snapshot is visible once its `.tmp` directory has
 * been renamed to its ID.
 *
 * @module
 */

import type {
  BackendHost,
  BackendInspection,
  BackendNames,
  Look,
  PendingSnapshot,
  SnapshotBackend,
  StateHandle,
} from "../../backend/backend.ts";
import { systemCode } from "../../errors.ts";
import type { FileLock } from "../../fs/file_system.ts";
import { exists } from "../../fs/io.ts";
import type { ExtraName } from "../../snapshot/extras.ts";
import type { CleanReport } from "../../snapshot/inspection.ts";
import { addBlocks } from "./add_blocks.ts";
import { BusyIds } from "./busy_ids.ts";
import { Calls } from "./calls.ts";
import {
  accessError,
  claimDirectory,
  requireReadable,
  settleNames,
} from "./claim.ts";
import { cleanDirectory } from "./clean.ts";
import { Directory } from "./directory.ts";
import { inspectDirectory, type InspectedParts } from "./inspect.ts";
import { Marks } from "./marks.ts";
import { RemovalWait, requireDirectory } from "./missing.ts";
import { type TemporaryName, temporaryName } from "./names.ts";
import {
  type FileBackendOptions,
  type ResolvedFileBackendOptions,
  resolveFileBackendOptions,
} from "./options.ts";
import { openPending, type PendingParts } from "./pending.ts";
import { PartReader } from "./read.ts";
import { readNames } from "./read_names.ts";
import { Removals } from "./removals.ts";
import { type SweepParts, sweepUnfinished } from "./sweep.ts";
import { TakenIds } from "./taken_ids.ts";
import { isUnfinished, UnfinishedSnapshots } from "./unfinished.ts";
import { Versions } from "./versions.ts";

/** A directory that snapshots are kept in. */
export class FileBackend implements SnapshotBackend {
  readonly #options: ResolvedFileBackendOptions;
  readonly #directory: Directory;
  readonly #marks: Marks;
  readonly #removals: Removals;
  readonly #removalWait: RemovalWait;
  readonly #pendingParts: PendingParts;
  readonly #parts: PartReader;
  readonly #versions: Versions;
  readonly #calls = new Calls();
  readonly #busy = new BusyIds();
  readonly #handles = new Set<StateHandle>();
  readonly #taken = new TakenIds();
  #clock: () => number = Date.now;
  #lock: FileLock | undefined;
  /** So that one call at a time claims a directory that has vanished. */
  #reclaiming: Promise<void> = Promise.resolve();

  /**
   * Takes the directory that `snapshots/` is in, or is to be.
   *
   * @throws {TypeError} when the directory or an option has the wrong type.
   * @throws {RangeError} when an option is out of its bounds.
   */
  constructor(directory: string | URL, options: FileBackendOptions = {}) {
    this.#options = resolveFileBackendOptions(options);
    this.#directory = new Directory(directory, this.#options);
    this.#marks = new Marks(this.#directory);
    this.#removals = new Removals(this.#directory, this.#marks);
    this.#removalWait = new RemovalWait(this.#directory, this.#marks);
    this.#versions = new Versions(this.#directory);
    this.#pendingParts = {
      directory: this.#directory,
      marks: this.#marks,
      removals: this.#removals,
      taken: this.#taken,
    };
    this.#parts = new PartReader({
      directory: this.#directory,
      marks: this.#marks,
      removalWait: this.#removalWait,
      versions: this.#versions,
    });
  }

  get place(): string {
    return this.#directory.base;
  }

  async connect(
    { report, readOnly, clock, closing }: BackendHost,
  ): Promise<void> {
    this.#directory.report = report;
    this.#clock = clock;
    this.#removalWait.closing = closing;
    if (readOnly) return await requireReadable(this.#directory);
    this.#marks.remembers = true;
    this.#lock = await claimDirectory(this.#directory, this.#options);
    try {
      // The access test has just made a file in it.
      const looked = await this.#directory.keepOpen();
      this.#versions.noteTime(looked?.changedMs);
      await settleNames(this.#directory);
      if (this.#options.sweep) await this.#sweepAtOpening();
    } catch (error) {
      // The lock must not outlive the attempt. If its release fails as well, the
      // next attempt of this process takes it.
      await this.#directory.letGo();
      await this.#lock.release().catch(() => {});
      throw error;
    }
  }

  names(): Promise<BackendNames> {
    return this.#calls.run(async () => {
      const names = await readNames(this.#directory, this.#marks);
      this.#taken.note(names);
      const { ids, temporary, foreign } = names;
      return {
        published: ids,
        // A directory with a mark may be beside one that was renamed.
        quarantined: [
          ...new Set(temporary.filter(isQuarantined).map(({ id }) => id)),
        ],
        unfinished: temporary.filter(isUnfinished),
        foreign,
      };
    });
  }

  inspect(): Promise<BackendInspection> {
    return this.#calls.run(() => inspectDirectory(this.#closeLook()));
  }

  readMeta(...args: Parameters<PartReader["readMeta"]>): Promise<Uint8Array> {
    return this.#calls.run(() => this.#parts.readMeta(...args));
  }

  versions(ids: readonly string[]): Promise<readonly (string | undefined)[]> {
    return this.#calls.run(() => this.#versions.of(ids));
  }

  versionRead(look: Look): string | undefined {
    return this.#versions.ofRead(look);
  }

  readBlocks(
    ...args: Parameters<PartReader["readBlocks"]>
  ): Promise<Uint8Array | undefined> {
    return this.#calls.run(() => this.#parts.readBlocks(...args));
  }

  readExtra(
    id: string,
    name: ExtraName,
    sizeMax: number,
  ): Promise<Uint8Array | undefined> {
    return this.#calls.run(() => this.#parts.readOptional(id, name, sizeMax));
  }

  stateSize(id: string, look?: Look): Promise<number> {
    return this.#calls.run(() => this.#parts.stateSize(id, look));
  }

  openState(id: string): Promise<StateHandle> {
    return this.#calls.run(async () => {
      const handle = await this.#parts.openState(id);
      this.#handles.add(handle);
      return {
        size: handle.size,
        read: (buffer, position) => handle.read(buffer, position),
        close: () => {
          this.#handles.delete(handle);
          return handle.close();
        },
      };
    });
  }

  takenIds(): Promise<readonly string[]> {
    return this.#calls.run(() =>
      this.#reclaimIfGone(async () => {
        await this.#directory.payOwedSync();
        const { known } = this.#taken;
        if (known !== undefined) return known;
        return this.#taken.note(await readNames(this.#directory, this.#marks));
      })
    );
  }

  begin(id: string, meta: Uint8Array): Promise<PendingSnapshot | "taken"> {
    return this.#calls.run(() =>
      this.#reclaimIfGone(() =>
        this.#busy.begin(id, async () => {
          if (!await this.#claimId(id)) {
            // Another program has changed the directory.
            this.#taken.forget();
            return "taken";
          }
          this.#taken.add(id);
          return await openPending(this.#pendingParts, id, meta);
        })
      )
    );
  }

  remove(
    ids: readonly string[],
    from: "published" | "quarantined",
    isListed = false,
  ): Promise<ReadonlyMap<string, unknown>> {
    return this.#calls.run(async () => {
      if (from === "published") {
        return await this.#removals.removePublished(ids, isListed);
      }
      const names = await readNames(this.#directory, this.#marks);
      const doomed = names.temporary.filter((name) =>
        isQuarantined(name) && ids.includes(name.id)
      );
      await this.#removals.removeAll(doomed.map(temporaryName));
      return new Map();
    });
  }

  finishRemovals(): Promise<void> {
    return this.#calls.run(() => this.#removals.finish());
  }

  clean(olderThanMs: number | undefined): Promise<CleanReport> {
    return this.#calls.run(() => cleanDirectory(this.#closeLook(olderThanMs)));
  }

  quarantine(id: string): Promise<string> {
    return this.#calls.run(async () => {
      const name = temporaryName({ id, state: "corrupt" });
      await this.#removals.removeTemporary(name);
      // Not synced: after a power cut the snapshot is found and quarantined
      // again.
      const isMoved = await this.#marks.renameOrMark(id, "corrupt");
      return isMoved ? name : `${id}, with the file ${id}/corrupt`;
    });
  }

  addBlocks(id: string, bytes: Uint8Array): Promise<void> {
    return this.#calls.run(async () => {
      // It may have been removed while it was read.
      await requireDirectory(this.#directory, this.#marks, id);
      await this.#busy.during(
        id,
        () => addBlocks(this.#directory, this.#removals, { id, bytes }),
      );
    });
  }

  async close(): Promise<void> {
    await this.#calls.shut();
    const handles = [...this.#handles];
    await Promise.allSettled(handles.map((handle) => handle.close()));
    await this.#directory.letGo();
    await this.#lock?.release();
  }

  /** The parts for inspecting unfinished snapshots, and removing them. */
  #closeLook(
    foreignTmpAgeMs = this.#options.foreignTmpAgeMs,
  ): InspectedParts & SweepParts {
    const { directory, marks, removals } = this.#pendingParts;
    const rule = { foreignTmpAgeMs, clock: this.#clock };
    return {
      directory,
      marks,
      removals,
      unfinished: new UnfinishedSnapshots(directory, marks, rule),
      isUnderWay: ({ id, name }) =>
        this.#busy.has(id) || removals.isUnderWay(name),
      hasLock: this.#lock !== undefined,
      hostId: this.#options.hostId,
    };
  }

  async #sweepAtOpening(): Promise<void> {
    try {
      await sweepUnfinished(this.#closeLook());
    } catch (error) {
      throw accessError(this.#directory, "clean up", error);
    }
  }

  /**
   * Makes a directory under a name that was never used; `false` when the name
   * is taken.
   */
  async #claimId(id: string): Promise<boolean> {
    const { fileSystem, directoryMode } = this.#directory;
    const name = temporaryName({ id, state: "writing" });
    try {
      await fileSystem.makeDirectory(this.#directory.at(name), directoryMode);
      return true;
    } catch (error) {
      if (systemCode(error) === "EEXIST") return false;
      // It may have been made although the system reported a failure.
      await this.#removals.removePending(id);
      throw error;
    }
  }

  /** Runs a call, once more when the directory had vanished. */
  async #reclaimIfGone<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      if (systemCode(error) !== "ENOENT") throw error;
      const reclaiming = this.#reclaiming.then(() => this.#reclaim());
      this.#reclaiming = reclaiming.catch(() => {});
      await reclaiming;
      return await call();
    }
  }

  /**
   * Makes the directory of an open store again when it has been removed, as Go's
   * `Create` does. The lock went with it.
   */
  async #reclaim(): Promise<void> {
    const { fileSystem, path } = this.#directory;
    // Another call may have made it again already.
    if (await exists(fileSystem, path)) return;
    await this.#lock?.release();
    this.#lock = await claimDirectory(this.#directory, this.#options);
    this.#taken.forget();
    await this.#directory.keepOpen();
  }
}

function isQuarantined({ state }: TemporaryName): boolean {
  return state === "corrupt";
}
