/**
 * Removes snapshots so that a crash leaves either a whole snapshot or a `.tmp`,
 * never a published snapshot with a missing file.
 *
 * @module
 */

import { Exclusive } from "../../backend/exclusive.ts";
import { systemCode } from "../../errors.ts";
import { parseId } from "../../snapshot/id.ts";
import { exists } from "../../fs/io.ts";
import type { Directory } from "./directory.ts";
import type { Marks } from "./marks.ts";
import { requireDirectory } from "./missing.ts";
import { parseTemporaryName, temporaryName } from "./names.ts";
import { removeMarked } from "./remove_marked.ts";

/** The codes for a name that is taken. */
const NAME_TAKEN = new Set(["ENOTEMPTY", "EEXIST", "ENOTDIR", "EPERM"]);

/** The result of a removal; `"gone"`: a snapshot has taken the place. */
export type RemovalOutcome = "removed" | "failed" | "gone";

/** Removes snapshots, and remembers those that could not be removed yet. */
export class Removals {
  readonly #directory: Directory;
  readonly #marks: Marks;
  /** Names that could not be removed: the next reap tries again. */
  readonly #leftovers = new Set<string>();
  /** The leftovers that have been reported, which is done once. */
  readonly #reported = new Set<string>();
  /** The new names of directories whose rename has reported a failure. */
  readonly #uncertain = new Set<string>();
  /**
   * Renames, and the syncs that make them durable: a name must not become a
   * leftover to a sync that began before it was renamed.
   */
  readonly #renames = new Exclusive();

  constructor(directory: Directory, marks: Marks) {
    this.#directory = directory;
    this.#marks = marks;
  }

  /**
   * Makes published snapshots invisible. Readers that have them open are not
   * disturbed. It resolves to the failures, by ID. {@linkcode Removals.finish}
   * removes the temporary names of the others. Looks first whether there are
   * directories with these names, unless they were just listed.
   */
  removePublished(
    ids: readonly string[],
    isListed: boolean,
  ): Promise<Map<string, unknown>> {
    return this.#renames.run(async () => {
      const failures = new Map<string, unknown>();
      for (const id of ids) {
        try {
          await this.#renameToDeleted(id, isListed);
        } catch (error) {
          failures.set(id, error);
        }
      }
      return failures;
    });
  }

  /** Removes directories that are not published any more. */
  async removeAll(names: Iterable<string>): Promise<void> {
    for (const name of await this.#makeDurable(names)) {
      await this.removeTemporary(name);
    }
  }

  /** Removes the rest of snapshots that are not published any more. */
  async finish(): Promise<void> {
    await this.removeAll(this.#leftovers);
  }

  /** Resolves to the names that the sync has covered. */
  #makeDurable(names: Iterable<string>): Promise<readonly string[]> {
    return this.#renames.run(async () => {
      const renamed: string[] = [];
      for (const name of [...names]) {
        if (await this.#isRenamed(name)) renamed.push(name);
      }
      // Survives: a power cut while the files go away. Without it a directory
      // could be back under its old name, as a snapshot that has lost its state.
      if (renamed.length > 0) await this.#directory.sync();
      return renamed;
    });
  }

  /**
   * Whether a directory has that name by now. One whose rename has failed can be
   * renamed at any later time, and no sync would have covered that.
   */
  async #isRenamed(name: string): Promise<boolean> {
    if (!this.#uncertain.has(name)) return true;
    try {
      const { fileSystem } = this.#directory;
      const isThere = await exists(fileSystem, this.#directory.at(name));
      this.#uncertain.delete(name);
      if (!isThere) this.#leftovers.delete(name);
      return isThere;
    } catch {
      return false; // the next attempt looks again
    }
  }

  /** Whether a directory is to be removed and no attempt has failed yet. */
  isUnderWay(name: string): boolean {
    return this.#leftovers.has(name) && !this.#reported.has(name);
  }

  /** Notes a directory that must be removed if it exists. */
  add(name: string): void {
    this.#leftovers.add(name);
  }

  /**
   * Removes an unfinished snapshot of this store. The directory is first given
   * a name that marks it as this library's: a process that is killed while it
   * removes the files could otherwise leave a `.tmp` without `blocks.crc64`,
   * which looks like Go's.
   */
  async removePending(id: string): Promise<void> {
    const { fileSystem } = this.#directory;
    const name = temporaryName({ id, state: "writing" });
    const renamed = temporaryName({ id, state: "deleted" });
    try {
      const to = this.#directory.at(renamed);
      await fileSystem.rename(this.#directory.at(name), to);
    } catch {
      // It may have been renamed although the system reported a failure.
      await this.removeTemporary(name);
    }
    await this.removeTemporary(renamed);
  }

  /**
   * Removes a `.tmp`, or a directory that is marked as deleted. A failure is
   * reported once, and later reaps try again.
   *
   * @param name its name below `snapshots/`
   */
  async removeTemporary(name: string): Promise<RemovalOutcome> {
    const { fileSystem, report } = this.#directory;
    const path = this.#directory.at(name);
    try {
      const outcome = parseId(name) === undefined
        ? await fileSystem.removeTree(path)
        : await removeMarked(this.#directory, this.#marks, name);
      this.#leftovers.delete(name);
      this.#reported.delete(name);
      return outcome ?? "removed";
    } catch (error) {
      this.#leftovers.add(name);
      if (!this.#reported.has(name)) {
        const id = parseTemporaryName(name)?.id ?? name;
        report({ type: "failed", operation: "remove", id, name: path, error });
      }
      this.#reported.add(name);
      return "failed"; // which has been reported
    }
  }

  /** Renames the directory to a deleted one's name, or marks it as deleted. */
  async #renameToDeleted(id: string, isListed: boolean): Promise<void> {
    // If it was removed since, the rename finds that out.
    if (!isListed) await this.#requireThere(id);
    const name = temporaryName({ id, state: "deleted" });
    // Noted first, because the rename may take place although the system
    // reports a failure.
    this.#leftovers.add(name);
    try {
      if (await this.#renameOnto(id, name)) {
        this.#uncertain.delete(name);
        return;
      }
    } catch (error) {
      this.#uncertain.add(name);
      if (systemCode(error) === "ENOENT") await this.#requireThere(id);
      throw error;
    }
    this.#leftovers.delete(name);
    this.#leftovers.add(id);
    // Survives: a power cut after this call has resolved. Without it the mark
    // could be gone, and the snapshot be back.
    await this.#directory.sync(this.#directory.at(id));
  }

  async #requireThere(id: string): Promise<void> {
    await requireDirectory(this.#directory, this.#marks, id);
  }

  /**
   * Renames the directory, and first removes the rest of an earlier deletion
   * from the new name.
   */
  async #renameOnto(id: string, name: string): Promise<boolean> {
    try {
      return await this.#marks.renameOrMark(id, "deleted");
    } catch (error) {
      if (!NAME_TAKEN.has(systemCode(error) ?? "")) throw error;
      await this.#directory.fileSystem.removeTree(this.#directory.at(name));
      return await this.#marks.renameOrMark(id, "deleted");
    }
  }
}
