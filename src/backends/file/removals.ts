/**
 * Removing things so that a crash leaves either the whole of a snapshot or a
 * `.tmp`, never a published snapshot with something missing.
 *
 * @module
 */

import { systemCode } from "../../errors.ts";
import { parseId } from "../../snapshot/id.ts";
import { describe } from "../../text.ts";
import type { Directory } from "./directory.ts";
import type { Marks } from "./marks.ts";
import { requireDirectory } from "./missing.ts";
import { temporaryName } from "./names.ts";
import { removeMarked } from "./remove_marked.ts";

/** How systems say that there is something else of that name. */
const NAME_TAKEN = new Set(["ENOTEMPTY", "EEXIST", "ENOTDIR", "EPERM"]);

/** What came of a removal; `"gone"`: a snapshot has come in its place. */
export type RemovalOutcome = "removed" | "failed" | "gone";

/** Removes snapshots, and remembers what could not be removed yet. */
export class Removals {
  readonly #directory: Directory;
  readonly #marks: Marks;
  /** Names that could not be removed: the next reap tries again. */
  readonly #leftovers = new Set<string>();
  /** Those of them that have been reported: once will do. */
  readonly #reported = new Set<string>();

  constructor(directory: Directory, marks: Marks) {
    this.#directory = directory;
    this.#marks = marks;
  }

  /**
   * Removes published snapshots. Readers that have them open are not disturbed.
   *
   * It resolves to the failures, by ID, once the others are gone for good. What
   * is left of them under temporary names is removed as far as possible, now or
   * at the next reap.
   */
  async removePublished(
    ids: readonly string[],
  ): Promise<Map<string, unknown>> {
    const failures = new Map<string, unknown>();
    const doomed: string[] = [];
    for (const id of ids) {
      try {
        doomed.push(await this.#renameToDeleted(id));
      } catch (error) {
        failures.set(id, error);
      }
    }
    if (doomed.length === 0) return failures;
    // Survives: a power cut while the files below go away. Without it an old
    // name could come back on a directory that has lost its state.
    await this.#directory.sync();
    for (const name of doomed) await this.removeTemporary(name);
    return failures;
  }

  /** Removes directories that are not published any more. */
  async removeAll(names: readonly string[]): Promise<void> {
    // Survives: a power cut while the files go away. Without it a directory
    // could be back under its old name with nothing in it, and with no process
    // to remove it.
    await this.#directory.sync();
    for (const name of names) await this.removeTemporary(name);
  }

  /** Continues with removals that failed half-way. */
  async finish(): Promise<void> {
    // The sync before the removal of the files may have failed.
    if (this.#leftovers.size > 0) await this.removeAll([...this.#leftovers]);
  }

  /** A directory that may be there, and must be gone. */
  add(name: string): void {
    this.#leftovers.add(name);
  }

  /**
   * Removes an unfinished snapshot of this store. The name that it gets first
   * says that it is this library's: a process that is killed while the files go
   * away could otherwise leave a `.tmp` without `blocks.crc64`, which looks like
   * Go's.
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
    const { fileSystem, logger } = this.#directory;
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
      const message = `Cannot remove ${path}: ${describe(error)}; ` +
        "later reaps and openings try again";
      if (this.#reported.has(name)) logger.debug(message);
      else logger.warn(message);
      this.#reported.add(name);
      return "failed"; // which has been reported
    }
  }

  /** Gives it the name, or the mark, of one that is deleted; its name then. */
  async #renameToDeleted(id: string): Promise<string> {
    await requireDirectory(this.#directory, this.#marks, id);
    const name = temporaryName({ id, state: "deleted" });
    // Should this fail half-way, or what follows, the next reap continues.
    this.#leftovers.add(name);
    const isRenamed = await this.#renameOnto(id, name);
    if (isRenamed) return name;
    this.#leftovers.delete(name);
    this.#leftovers.add(id);
    // Survives: a power cut after this call has resolved. Without it the mark
    // could be gone, and the snapshot be back.
    await this.#directory.sync(this.#directory.at(id));
    return id;
  }

  /** Removes what an earlier deletion has left, where it is in the way. */
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
