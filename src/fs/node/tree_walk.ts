/**
 * Walks through a tree, from the deepest directory up, and holds one directory
 * at a time. The walk goes down by a name in the held directory, and up by
 * `..`, so that no path gets longer than the system accepts.
 *
 * @module
 */

import type { Buffer } from "node:buffer";
import type { Dirent } from "node:fs";
import { systemCode } from "../../errors.ts";
import { node } from "../../runtime/node.ts";
import type { HeldDirectory as FullyHeldDirectory } from "../file_system.ts";
import { canHoldDirectories, openDirectory } from "./held_directory.ts";
import { REMOVALS_MAX } from "./remove_by_name.ts";
import { sideBySide } from "../side_by_side.ts";
import { systemError } from "../system_error.ts";

/** On Linux a name is bytes, which need not be UTF-8. Node alone shows them. */
type Name = string | Buffer;

/** How names are given; the types do not know of names that are bytes. */
function nameEncoding(): "utf8" {
  const { platform, versions } = node.process;
  const areBytes = platform === "linux" && versions["bun"] === undefined &&
    versions["deno"] === undefined;
  return (areBytes ? "buffer" : "utf8") as "utf8";
}

/**
 * The names of a directory of this size are read at once: to read them one after
 * the other takes four calls more, and a snapshot has few files.
 */
const READ_WHOLE_BYTES = 4096n;

/** The codes for a name that can't be opened as a directory, such as a link's. */
const NOT_A_DIRECTORY = new Set(["ENOTDIR", "ELOOP"]);

/** How many directories of one directory are remembered at a time. */
const REMEMBERED_MAX = 1024;

type HeldDirectory = Pick<FullyHeldDirectory, "path" | "close">;

/** A directory on the way down. */
interface Level {
  /** Its name in the one above; its path, at the top. */
  readonly name: Name;
  readonly above: Level | undefined;
  /** Its identity, to notice when `..` is another directory. */
  readonly identity: string;
  /** The directories in it that are to be removed next. */
  readonly inner: Name[];
  /** Whether anything in it has been removed since it was last read. */
  hasShrunk: boolean;
}

function join(directory: string, name: Name): Name {
  if (typeof name === "string") return `${directory}/${name}`;
  const { Buffer } = node.buffer;
  return Buffer.concat([Buffer.from(`${directory}/`), name]);
}

function isMissing(error: unknown): boolean {
  return systemCode(error) === "ENOENT";
}

/** Removes one tree; for a single use. */
export class TreeWalk {
  readonly #path: string;
  #failure: unknown;

  constructor(path: string) {
    this.#path = path;
  }

  /**
   * Removes the tree; rejects with the first failure, after removing all that
   * it can.
   */
  async remove(): Promise<void> {
    try {
      const top = await this.#holdTop();
      if (top === undefined) await node.fs.promises.unlink(this.#path);
      else await this.#removeDirectory(top);
    } catch (error) {
      if (!isMissing(error)) throw this.#failure ?? error;
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Holds the directory; `undefined` when it is something else. */
  async #holdTop(): Promise<HeldDirectory | undefined> {
    try {
      if (canHoldDirectories()) return await this.#hold(this.#path);
    } catch (error) {
      if (NOT_A_DIRECTORY.has(systemCode(error) ?? "")) return undefined;
      throw error;
    }
    const stat = await node.fs.promises.lstat(this.#path);
    return stat.isDirectory() ? await this.#hold(this.#path) : undefined;
  }

  async #removeDirectory(top: HeldDirectory): Promise<void> {
    for (let held = top;; held = await this.#hold(this.#path)) {
      const hasShrunk = await this.#empty(held);
      try {
        return await node.fs.promises.rmdir(this.#path);
      } catch (error) {
        // A new read may find entries that were added since, or not listed.
        if (!hasShrunk || !this.#mayRetry(error)) throw error;
      }
    }
  }

  /** Does not retry after a failure: each directory above would fail again. */
  #mayRetry(error: unknown): boolean {
    return systemCode(error) === "ENOTEMPTY" && this.#failure === undefined;
  }

  /** Removes the content of the tree, and lets it go; whether there was any. */
  async #empty(top: HeldDirectory): Promise<boolean> {
    let held = top;
    try {
      let level = await this.#read(held, this.#path, undefined);
      for (;;) {
        const next = level.inner.pop();
        if (next === undefined && level.above === undefined) {
          return level.hasShrunk;
        }
        const [to, there] = next === undefined
          ? await this.#goUp(held, level, level.above as Level)
          : await this.#goDown(held, level, next);
        if (to !== held) await held.close();
        [held, level] = [to, there];
      }
    } finally {
      await held.close();
    }
  }

  async #goDown(
    held: HeldDirectory,
    level: Level,
    name: Name,
  ): Promise<[HeldDirectory, Level]> {
    let inner: HeldDirectory | undefined;
    try {
      inner = await this.#hold(join(held.path, name));
      return [inner, await this.#read(inner, name, level)];
    } catch (error) {
      await inner?.close();
      try {
        // The directory may have become a link. A directory that can't be
        // opened must not return to the list, because the walk would not end.
        await node.fs.promises.unlink(join(held.path, name));
        level.hasShrunk = true;
      } catch {
        if (!isMissing(error)) this.#failure ??= error;
      }
      return [held, level];
    }
  }

  /** Leaves a directory, and removes it. */
  async #goUp(
    held: HeldDirectory,
    level: Level,
    above: Level,
  ): Promise<[HeldDirectory, Level]> {
    const upper = await this.#hold(this.#pathAbove(held, level));
    try {
      if ((await this.#look(upper)).identity !== above.identity) {
        throw systemError("EBUSY", "rmdir", this.#path);
      }
    } catch (error) {
      await upper.close();
      throw error;
    }
    try {
      await node.fs.promises.rmdir(join(upper.path, level.name));
      above.hasShrunk = true;
    } catch (error) {
      if (level.hasShrunk && this.#mayRetry(error)) {
        above.inner.push(level.name);
      } else if (!isMissing(error)) this.#failure ??= error;
    }
    return [upper, above];
  }

  #pathAbove(held: HeldDirectory, level: Level): string {
    if (canHoldDirectories()) return `${held.path}/..`;
    return held.path.slice(0, -String(level.name).length - 1);
  }

  /** Reads a directory, and removes the entries that are not directories. */
  async #read(
    held: HeldDirectory,
    name: Name,
    above: Level | undefined,
  ): Promise<Level> {
    const { identity, size } = await this.#look(held);
    const level: Level = {
      name,
      above,
      identity,
      inner: [],
      hasShrunk: false,
    };
    const entries = size <= READ_WHOLE_BYTES
      ? await node.fs.promises.readdir(held.path, {
        encoding: nameEncoding(),
        withFileTypes: true,
      })
      : await node.fs.promises.opendir(held.path, {
        encoding: nameEncoding(),
        bufferSize: 4 * REMOVALS_MAX,
      });
    const names = this.#namesOf(entries, level);
    await sideBySide(names, REMOVALS_MAX, async (each) => {
      try {
        await this.#unlink(held, level, each);
      } catch (error) {
        if (!isMissing(error)) this.#failure ??= error;
      }
    });
    return level;
  }

  /** The names in it that are not known to be a directory's. */
  async *#namesOf(
    entries: Iterable<Dirent> | AsyncIterable<Dirent>,
    level: Level,
  ): AsyncGenerator<Name> {
    for await (const entry of entries) {
      if (!entry.isDirectory()) yield entry.name;
      else if (level.inner.length < REMEMBERED_MAX) {
        level.inner.push(entry.name);
      }
    }
  }

  async #unlink(
    held: HeldDirectory,
    level: Level,
    name: Name,
  ): Promise<void> {
    const path = join(held.path, name);
    try {
      await node.fs.promises.unlink(path);
    } catch (error) {
      // Not every file system lists the kinds of its entries.
      const stat = await node.fs.promises.lstat(path).catch(() => undefined);
      if (!stat?.isDirectory()) throw error;
      if (level.inner.length < REMEMBERED_MAX) level.inner.push(name);
      return;
    }
    level.hasShrunk = true;
  }

  async #hold(path: Name): Promise<HeldDirectory> {
    if (canHoldDirectories()) return await openDirectory(path);
    return { path: String(path), close: () => Promise.resolve() };
  }

  /** Which directory it is, and how much room its names take. */
  async #look({ path }: HeldDirectory) {
    const { dev, ino, size } = await node.fs.promises.stat(`${path}/.`, {
      bigint: true,
    });
    return { identity: `${dev}/${ino}`, size };
  }
}
