/**
 * The suite for every file system finds file systems with one fault.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { FileSystem } from "@raft/snapshots";
import {
  fileSystemConformance,
  MemoryFileSystem,
} from "@raft/snapshots/testing";

/** File systems with one thing wrong with them. */
const MUTANTS: Readonly<
  Record<string, (files: MemoryFileSystem) => Partial<FileSystem>>
> = {
  "creates a file over another": (files) => ({
    async open(path, how, mode) {
      if (how === "create") await files.removeFile(path).catch(() => {});
      return await files.open(path, how, mode);
    },
  }),
  "reads from the start of a file only": (files) => ({
    async open(path, how, mode) {
      const handle = await files.open(path, how, mode);
      const read = (buffer: Uint8Array) => handle.read(buffer, 0);
      return Object.assign(Object.create(handle), {
        stat: () => handle.stat(),
        write: handle.write.bind(handle),
        sync: () => handle.sync(),
        close: () => handle.close(),
        read,
      });
    },
  }),
  "lists paths instead of names": (files) => ({
    async readDirectory(path) {
      const entries = await files.readDirectory(path);
      return entries.map(({ name, kind }) => ({
        name: `${path}/${name}`,
        kind,
      }));
    },
  }),
  "removes a directory that is not empty": (files) => ({
    removeDirectory: (path) => files.removeTree(path),
  }),
  "leaves a tree in its place": () => ({
    removeTree: () => Promise.resolve(),
  }),
  "renames over a directory that is not empty": (files) => ({
    async rename(from, to) {
      const isFull = await files.readDirectory(to).then(
        ({ length }) => length > 0,
        () => false,
      );
      if (isFull) await files.removeTree(to);
      await files.rename(from, to);
    },
  }),
  "copies a file instead of renaming it": (files) => ({
    async rename(from, to) {
      const content = files.readFile(from);
      await files.rename(from, to);
      files.writeFile(from, content);
    },
  }),
  "gives a lock to two": (files) => ({
    lock() {
      files.writeFile("/.lock", new Uint8Array());
      const release = () => files.removeFile("/.lock").catch(() => {});
      return Promise.resolve({ release });
    },
  }),
  "says that it has synced a missing directory": () => ({
    syncDirectory: () => Promise.resolve(),
  }),
};

/** The file system with some methods replaced. */
function changed(
  files: MemoryFileSystem,
  changes: Partial<FileSystem>,
): FileSystem {
  return new Proxy(files, {
    get(target, key) {
      const change = Reflect.get(changes, key);
      const value = Reflect.get(target, key);
      return change ??
        (typeof value === "function" ? value.bind(target) : value);
    },
  });
}

describe("fileSystemConformance()", () => {
  for (const [fault, mutate] of Object.entries(MUTANTS)) {
    it(`finds a file system that ${fault}`, async () => {
      const checks = fileSystemConformance(() => {
        const files = new MemoryFileSystem();
        const fileSystem = changed(files, mutate(files));
        return { fileSystem, directory: "" };
      });
      const failed: string[] = [];
      for (const { name, run } of checks) {
        await run().catch(() => failed.push(name));
      }
      assert.ok(failed.length > 0, "nothing was found");
      assert.ok(failed.length < checks.length / 2, failed.join());
    });
  }
});
