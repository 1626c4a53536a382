/**
 * A tree of files and directories in memory, with POSIX's rules on names.
 *
 * @module
 */

import type { CrashChoice } from "./crash_choice.ts";
import {
  DirectoryJournal,
  MemoryDirectory,
  type MemoryNode,
} from "./directory.ts";
import { MemoryFile } from "./file.ts";
import { pathNames } from "./path.ts";
import { systemError } from "../system_error.ts";

/** The place of a path in the tree. */
interface Place {
  /** The directory that holds the last name. */
  readonly directory: MemoryDirectory;
  /** The last name; empty for the root, which has none. */
  readonly name: string;
  /** The entry of that name, if there is one. */
  readonly node: MemoryNode | undefined;
}

/** A place that is taken. */
interface TakenPlace extends Place {
  readonly node: MemoryNode;
}

function checkNoDirectory(place: Place, syscall: string, path: string): void {
  if (place.node?.kind !== "directory") return;
  throw systemError("EISDIR", syscall, path);
}

/** Throws unless a rename may put `source` where `target` is. */
function checkReplaceable(source: Place, target: Place, to: string): void {
  if (target.node === undefined) return;
  if (source.node?.kind === "file") {
    return checkNoDirectory(target, "rename", to);
  }
  if (target.node.kind === "file") throw systemError("ENOTDIR", "rename", to);
  if (target.node.entries.size > 0) {
    throw systemError("ENOTEMPTY", "rename", to);
  }
}

function isBelow(path: string, above: string): boolean {
  const [names, namesAbove] = [pathNames(path), pathNames(above)];
  return namesAbove.every((name, depth) => names[depth] === name);
}

/** The tree. Its methods throw errors with the system's codes. */
export class MemoryTree {
  readonly #root: MemoryDirectory;
  readonly #journal = new DirectoryJournal();

  constructor(root: MemoryDirectory = new MemoryDirectory()) {
    this.#root = root;
  }

  /** The tree as it may be found after a power cut. */
  crashed(choice: CrashChoice): MemoryTree {
    return new MemoryTree(this.#journal.crashed(this.#root, choice));
  }

  /** The paths of all files and, with a `/` at the end, directories; sorted. */
  paths(): string[] {
    const paths: string[] = [];
    const walk = (directory: MemoryDirectory, above: string) => {
      for (const [name, node] of directory.entries) {
        const path = `${above}/${name}`;
        paths.push(node.kind === "file" ? path : `${path}/`);
        if (node.kind === "directory") walk(node, path);
      }
    };
    walk(this.#root, "");
    return paths.sort();
  }

  /** From now on no directory that is there now can be renamed. */
  makeLowerLayer(): void {
    const walk = (directory: MemoryDirectory) => {
      directory.isLower = true;
      for (const node of directory.entries.values()) {
        if (node.kind === "directory") walk(node);
      }
    };
    walk(this.#root);
  }

  /** Whether a file has that path. */
  has(path: string, file: MemoryFile): boolean {
    try {
      return this.node(path, "lstat") === file;
    } catch {
      return false;
    }
  }

  /** The entry at a path. */
  node(path: string, syscall: string): MemoryNode {
    return this.#taken(path, syscall).node;
  }

  /** The directory at a path. */
  directory(path: string, syscall: string): MemoryDirectory {
    const node = this.node(path, syscall);
    if (node.kind === "directory") return node;
    throw systemError("ENOTDIR", syscall, path);
  }

  /** The file at a path. */
  file(path: string): MemoryFile {
    const place = this.#taken(path, "open");
    if (place.node.kind === "file") return place.node;
    throw systemError("EISDIR", "open", path);
  }

  /** The file at a path, which is made when there is none. */
  fileOrNew(path: string): MemoryFile {
    const place = this.#find(path, "open");
    if (place.node !== undefined) return this.file(path);
    return this.#add(place, new MemoryFile());
  }

  /** A new file at a path where nothing is. */
  newFile(path: string): MemoryFile {
    return this.#add(this.#vacant(path, "open"), new MemoryFile());
  }

  /** Makes a directory where nothing is. */
  makeDirectory(path: string): void {
    this.#add(this.#vacant(path, "mkdir"), new MemoryDirectory());
  }

  /**
   * Writes a file at any path, and makes its directories; everything is synced.
   */
  place(path: string, content: Uint8Array): void {
    const names = pathNames(path);
    for (let depth = 1; depth < names.length; depth++) {
      const above = this.#find(names.slice(0, depth).join("/"), "mkdir");
      if (above.node === undefined) this.#add(above, new MemoryDirectory());
      this.#journal.sync(above.directory);
    }
    const place = this.#find(path, "open");
    checkNoDirectory(place, "open", path);
    if (place.node?.kind === "file") place.node.replace(content);
    else this.#add(place, new MemoryFile(content));
    this.#journal.sync(place.directory);
  }

  /** Gives another name; replaces a file, or an empty directory. */
  rename(from: string, to: string): void {
    const source = this.#taken(from, "rename");
    const target = this.#find(to, "rename");
    if (source.node === target.node) return;
    if (isBelow(to, from)) throw systemError("EINVAL", "rename", from);
    checkReplaceable(source, target, to);
    const { node } = source;
    if (node.kind === "directory" && node.isLower) {
      throw systemError("EXDEV", "rename", from);
    }
    this.#journal.record(
      { ...target, what: "add", node },
      { ...source, what: "remove" },
    );
  }

  /** Removes a file. */
  removeFile(path: string): void {
    const place = this.#taken(path, "unlink");
    checkNoDirectory(place, "unlink", path);
    this.#journal.record({ ...place, what: "remove" });
  }

  /** Removes an empty directory. */
  removeDirectory(path: string): void {
    const directory = this.directory(path, "rmdir");
    if (directory === this.#root) throw systemError("EBUSY", "rmdir", path);
    if (directory.entries.size > 0) {
      throw systemError("ENOTEMPTY", "rmdir", path);
    }
    this.#journal.record({ ...this.#taken(path, "rmdir"), what: "remove" });
  }

  /** Syncs the names in a directory. */
  syncDirectory(path: string): void {
    this.#journal.sync(this.directory(path, "fsync"));
  }

  #add<N extends MemoryNode>({ directory, name }: Place, node: N): N {
    this.#journal.record({ what: "add", directory, name, node });
    return node;
  }

  #find(path: string, syscall: string): Place {
    let place: Place = { directory: this.#root, name: "", node: this.#root };
    for (const name of pathNames(path)) {
      const directory = place.node;
      if (directory === undefined) throw systemError("ENOENT", syscall, path);
      if (directory.kind === "file") {
        throw systemError("ENOTDIR", syscall, path);
      }
      place = { directory, name, node: directory.entries.get(name) };
    }
    return place;
  }

  #vacant(path: string, syscall: string): Place {
    const place = this.#find(path, syscall);
    if (place.node === undefined) return place;
    throw systemError("EEXIST", syscall, path);
  }

  #taken(path: string, syscall: string): TakenPlace {
    const { directory, name, node } = this.#find(path, syscall);
    if (node !== undefined) return { directory, name, node };
    throw systemError("ENOENT", syscall, path);
  }
}
