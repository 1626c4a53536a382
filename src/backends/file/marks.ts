/**
 * Marks for directories that can't be renamed, because they come from the lower
 * layer of an overlayfs (an image's), where `rename` fails with `EXDEV`. An
 * empty file in such a directory takes the snapshot out of the store; its name
 * is the new state. A mark is also tried where a full disk has no room for a
 * new name.
 *
 * @module
 */

import { systemCode } from "../../errors.ts";
import { sideBySide } from "../../fs/side_by_side.ts";
import { isFull } from "../../system_code.ts";
import type { Directory } from "./directory.ts";
import { temporaryName } from "./names.ts";

/** The name of such a file, which is the snapshot's state. */
export type Mark = "deleted" | "corrupt";

/** How many snapshots are looked into side by side. */
const CONCURRENCY = 16;

/** Puts marks into directories with a snapshot's name, and reads them. */
export class Marks {
  readonly #directory: Directory;
  /**
   * The marks that were found. Only the store that has the lock changes them, so
   * it need not read them again.
   */
  readonly #known = new Map<string, Mark | "none">();
  /** Snapshots that are to be removed, but could not be marked as deleted. */
  readonly #doomed = new Set<string>();
  /** Whether marks are remembered: only with the lock. */
  remembers = false;

  constructor(directory: Directory) {
    this.#directory = directory;
  }

  /** Forgets the mark of a snapshot that is published or removed now. */
  forget(id: string): void {
    this.#known.delete(id);
  }

  /**
   * Notes that a snapshot has no mark, because this process has just published
   * it.
   */
  noteUnmarked(id: string): void {
    this.#known.set(id, "none");
  }

  /**
   * Takes a published snapshot out of the store, by renaming its directory or,
   * where that is not possible, by a mark; resolves to whether it was renamed.
   * Neither is durable yet.
   */
  async renameOrMark(id: string, state: Mark): Promise<boolean> {
    const { fileSystem } = this.#directory;
    const to = temporaryName({ id, state });
    try {
      await fileSystem.rename(this.#directory.at(id), this.#directory.at(to));
      this.forget(id);
      return true;
    } catch (error) {
      if (systemCode(error) !== "EXDEV" && !isFull(error)) throw error;
    }
    // If this fails, the mark may exist or not, which the next look shows.
    this.forget(id);
    if (state === "deleted") {
      this.#doomed.add(id);
      await this.#directory.hold(id, (held) => this.markDeleted(held));
    } else {
      const mark = (held: string) => putMark(this.#directory, held, state);
      await this.#directory.hold(id, mark);
    }
    this.#known.set(id, state);
    return false;
  }

  /**
   * Marks a directory as deleted, before it is removed. On a full disk that
   * takes no new name at all (XFS, Btrfs) the directory stays without a mark,
   * because only removing files makes room.
   */
  async markDeleted(heldPath: string): Promise<void> {
    try {
      await putMark(this.#directory, heldPath, "deleted");
    } catch (error) {
      if (!isFull(error)) throw error;
    }
  }

  /**
   * Whether the files of a directory are to be removed: it has a mark on the
   * disk, or this process could not put one there.
   */
  async isToBeRemoved(id: string, heldPath: string): Promise<boolean> {
    if (this.#doomed.has(id)) return true;
    const found = await lookForMark(this.#directory, heldPath);
    return found !== "none" && found !== "empty";
  }

  /** Notes that the directory and its mark are gone. */
  noteRemoved(id: string): void {
    this.forget(id);
    this.#doomed.delete(id);
  }

  /** The marks of published snapshots, by ID. */
  async readAll(ids: readonly string[]): Promise<ReadonlyMap<string, Mark>> {
    const found = new Map<string, Mark>();
    const readOne = async (id: string) => {
      const mark = await this.read(id);
      if (mark !== "none") found.set(id, mark);
    };
    // Usually all are known.
    const unknown = ids.filter((id) => this.#known.get(id) !== "none");
    await sideBySide(unknown, CONCURRENCY, readOne);
    return found;
  }

  /**
   * The mark of a directory with a snapshot's name. An empty directory is the
   * rest of a deletion that was cut off before its last step, so it counts as
   * deleted.
   */
  async read(id: string): Promise<Mark | "none"> {
    if (this.#doomed.has(id)) return "deleted";
    const known = this.#known.get(id);
    if (known !== undefined) return known;
    let found: Mark | "none" | "empty";
    try {
      found = await lookForMark(this.#directory, this.#directory.at(id));
    } catch {
      // Reading the snapshot will fail in the same way, and report it.
      return "none";
    }
    // An operator may be about to copy a snapshot into an empty directory.
    if (this.remembers && found !== "empty") this.#known.set(id, found);
    return found === "empty" ? "deleted" : found;
  }
}

/** Puts a mark into a directory, which may have it already. */
async function putMark(
  { fileSystem, fileMode }: Directory,
  path: string,
  state: Mark,
): Promise<void> {
  try {
    const file = await fileSystem.open(`${path}/${state}`, "create", fileMode);
    await file.close();
  } catch (error) {
    if (systemCode(error) !== "EEXIST") throw error;
  }
}

/** Reads a directory's mark from the disk. */
async function lookForMark(
  { fileSystem }: Directory,
  path: string,
): Promise<Mark | "none" | "empty"> {
  let names: Set<string>;
  try {
    const entries = await fileSystem.readDirectory(path);
    names = new Set(entries.map(({ name }) => name));
  } catch (error) {
    if (systemCode(error) === "ENOENT") return "none";
    throw error;
  }
  if (names.has("deleted")) return "deleted";
  if (names.has("corrupt")) return "corrupt";
  return names.size === 0 ? "empty" : "none";
}
