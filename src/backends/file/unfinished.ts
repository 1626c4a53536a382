/**
 * The unfinished snapshots in `snapshots/`, and whether another program may
 * still be writing them.
 *
 * @module
 */

import { systemCode } from "../../errors.ts";
import type { FileStat } from "../../fs/file_system.ts";
import { exists } from "../../fs/io.ts";
import type { Directory } from "./directory.ts";
import type { Marks } from "./marks.ts";
import { type TemporaryName, temporaryName } from "./names.ts";
import { readNames } from "./read_names.ts";

/** A directory that is neither published nor in quarantine. */
export interface UnfinishedName extends TemporaryName {
  readonly state: "writing" | "deleted" | "sealing";
}

/** A snapshot, a deletion or a seal that is not finished. */
export interface Unfinished extends UnfinishedName {
  /**
   * The size of its files in bytes; `undefined` without permission to read it.
   */
  readonly size: number | undefined;
  /** When it was last changed, in milliseconds since 1970. */
  readonly changedMs: number;
  /** Whether another program made it, which does not use the lock. */
  readonly isForeign: boolean;
  /** Whether it was changed so recently that its writer may be at work. */
  readonly isYoung: boolean;
}

/** Whether a directory is not one in quarantine. */
export function isUnfinished(name: TemporaryName): name is UnfinishedName {
  return name.state !== "corrupt";
}

/** The age that proves that no other program is writing a snapshot. */
export interface AgeRule {
  /** How long it must have been unchanged, in milliseconds. */
  readonly foreignTmpAgeMs: number;
  /** The time in milliseconds since 1970. */
  readonly clock: () => number;
}

/** Lists unfinished snapshots and their ages. */
export class UnfinishedSnapshots {
  readonly #directory: Directory;
  readonly #marks: Marks;
  readonly #rule: AgeRule;

  constructor(directory: Directory, marks: Marks, rule: AgeRule) {
    this.#directory = directory;
    this.#marks = marks;
    this.#rule = rule;
  }

  /** The age that proves that no other program is writing one. */
  get foreignTmpAgeMs(): number {
    return this.#rule.foreignTmpAgeMs;
  }

  /** The names of the unfinished snapshots, newest first. */
  async names(): Promise<UnfinishedName[]> {
    const { temporary } = await readNames(this.#directory, this.#marks);
    return temporary.filter(isUnfinished);
  }

  /** Looks at unfinished snapshots; leaves out those that are gone. */
  async lookAt(names: readonly UnfinishedName[]): Promise<Unfinished[]> {
    const found: Unfinished[] = [];
    for (const name of names) {
      const unfinished = await this.#lookAt(name);
      if (unfinished !== undefined) found.push(unfinished);
    }
    return found;
  }

  /**
   * Whether another program may be writing it: it is not ours, and the directory
   * or a file in it was changed less than `foreignTmpAgeMs` ago.
   */
  async isForeignAndYoung(name: TemporaryName): Promise<boolean> {
    if (await this.#isOurs(name)) return false;
    for await (const { modifiedMs } of this.#statsOf(name)) {
      if (this.#isYoung(modifiedMs)) return true;
    }
    return false;
  }

  /**
   * Looks at one. A snapshot without read permission must not hide the others.
   * Resolves to `undefined` when it has been finished or removed since its name
   * was read.
   */
  async #lookAt(name: UnfinishedName): Promise<Unfinished | undefined> {
    let size: number | undefined = 0;
    let [changedMs, isForeign] = [-Infinity, true];
    try {
      for await (const stat of this.#statsOf(name)) {
        if (stat.kind === "file") size += stat.size;
        changedMs = Math.max(changedMs, stat.modifiedMs);
      }
      isForeign = !await this.#isOurs(name);
    } catch (error) {
      const code = systemCode(error);
      if (code !== "EACCES" && code !== "EPERM") throw error;
      size = undefined;
    }
    if (changedMs === -Infinity) return undefined;
    const isYoung = this.#isYoung(changedMs);
    return { ...name, size, changedMs, isForeign, isYoung };
  }

  /** Whether this library made the directory: Go never makes `blocks.crc64`. */
  async #isOurs(name: TemporaryName): Promise<boolean> {
    // Go deletes in place and never seals, so other states are this library's.
    if (name.state !== "writing") return true;
    const path = this.#directory.at(`${temporaryName(name)}/blocks.crc64`);
    return await exists(this.#directory.fileSystem, path);
  }

  /**
   * Whether another program may still be writing a snapshot that it last changed
   * at that time. A wrong clock and a time in the future count as young.
   */
  #isYoung(modifiedMs: number): boolean {
    const { clock, foreignTmpAgeMs } = this.#rule;
    return !(clock() - modifiedMs >= foreignTmpAgeMs);
  }

  /** The states of the directory and its entries; none when it was removed. */
  async *#statsOf(name: TemporaryName): AsyncGenerator<FileStat> {
    const { fileSystem } = this.#directory;
    const path = this.#directory.at(temporaryName(name));
    const own = await ifThere(fileSystem.stat(path));
    if (own === undefined) return;
    yield own;
    const entries = await ifThere(fileSystem.readDirectory(path)) ?? [];
    for (const entry of entries) {
      const stat = await ifThere(fileSystem.stat(`${path}/${entry.name}`));
      if (stat !== undefined) yield stat;
    }
  }
}

async function ifThere<T>(looking: Promise<T>): Promise<T | undefined> {
  try {
    return await looking;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}
