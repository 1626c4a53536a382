/**
 * Whether the files of a snapshot are still those that were read, so that a list
 * need not read them again.
 *
 * @module
 */

import type { Look } from "../../backend/backend.ts";
import { joinVersions, ReadVersions } from "../../backend/read_versions.ts";
import { systemCode } from "../../errors.ts";
import type { FileStat } from "../../fs/file_system.ts";
import { sideBySide } from "../../fs/side_by_side.ts";
import type { Directory } from "./directory.ts";

/** The files that a list depends on. */
const FILES = ["meta.json", "blocks.crc64", "state.bin"];

/** How many snapshots are looked at side by side; no file is opened for that. */
const CONCURRENCY = 24;

/** The state of a file at the last look; `"none"` for a missing one. */
type Seen = FileStat | "none";

/**
 * No file system's times tick more slowly. A file that is changed twice within a
 * tick has the same times after both, so nothing is concluded from younger ones.
 */
const TICK_MS = 2000;

/**
 * A lower bound for the clock of the disk, which on a network is another
 * machine's: the latest time that the disk has given, plus the time since.
 */
class DiskClock {
  /** That time, less the time of this process at which it was seen. */
  #ahead = -Infinity;

  /** Notes a time that the disk has given to a file. */
  note(ms: number): void {
    this.#ahead = Math.max(this.#ahead, ms - performance.now());
  }

  /** Whether every change from now on gets a later time than this one. */
  isOver(ms: number): boolean {
    // A local clock that was set back has given times that are yet to come.
    const now = Math.min(Date.now(), this.#ahead + performance.now());
    return ms + TICK_MS <= now;
  }
}

/** Tells the versions of snapshots. */
export class Versions {
  readonly #directory: Directory;
  readonly #clock = new DiskClock();
  readonly #read = new ReadVersions(FILES);

  constructor(directory: Directory) {
    this.#directory = directory;
  }

  /**
   * For each snapshot a text that changes when a file of it is changed, replaced,
   * made or removed, whatever times are set; `undefined` when that is not
   * certain.
   */
  async of(ids: readonly string[]): Promise<(string | undefined)[]> {
    const versions: (string | undefined)[] = [];
    await sideBySide(ids.entries(), CONCURRENCY, async ([i, id]) => {
      const looking = FILES.map((name) => this.#look(`${id}/${name}`));
      versions[i] = joinVersions(await Promise.all(looking));
    });
    return versions;
  }

  /** Notes a time of the disk, which may be that of now. */
  noteTime(changedMs: number | undefined): void {
    if (changedMs !== undefined) this.#clock.note(changedMs);
  }

  /**
   * Notes the state of a file at the beginning of a read. Later it may look old
   * enough, although the file could change after the read within the same tick.
   */
  noteRead(look: Look | undefined, name: string, seen: Seen): void {
    this.#read.note(look, name, this.#versionOf(seen));
  }

  /** The version of the files that were read in a look. */
  ofRead(look: Look): string | undefined {
    return this.#read.of(look);
  }

  /**
   * `undefined` when the file can't be examined; reading the snapshot shows
   * why.
   */
  async #look(name: string): Promise<string | undefined> {
    const { fileSystem } = this.#directory;
    try {
      return this.#versionOf(await fileSystem.stat(this.#directory.at(name)));
    } catch (error) {
      return systemCode(error) === "ENOENT" ? "none" : undefined;
    }
  }

  #versionOf(seen: Seen): string | undefined {
    if (seen === "none") return seen;
    const { identity, size, changedMs } = seen;
    if (identity === undefined || changedMs === undefined) return undefined;
    this.#clock.note(changedMs);
    return this.#clock.isOver(changedMs)
      ? `${identity}/${size}/${changedMs}`
      : undefined;
  }
}
