/**
 * The suite that every file system must pass, for any test runner or none.
 *
 * @module
 */

import type { FileSystem } from "../../fs/file_system.ts";
import type { ConformanceCheck } from "../conformance.ts";
import { directoryChecks } from "./directory_checks.ts";
import { fileChecks } from "./file_checks.ts";
import { lockChecks } from "./lock_checks.ts";
import { renameChecks } from "./rename_checks.ts";
import type { FileSystemCheck } from "./scratch.ts";

/** A file system, and a directory in it that the checks may use. */
export interface FileSystemPlace {
  /** The file system. */
  readonly fileSystem: FileSystem;
  /** An absolute path; the directory is there and empty, and `""` is the root. */
  readonly directory: string;
}

/** Makes a file system with an empty directory, or only the directory. */
export type MakeFileSystem = () => FileSystemPlace | Promise<FileSystemPlace>;

/**
 * The checks that every {@linkcode FileSystem} must pass, so that a store on it
 * keeps its promises. They depend on no test runner: hand each to yours, or
 * just run them. Power cuts are not among them, because a check can't cut the
 * power.
 *
 * Every check calls `makeFileSystem` once. It leaves files in the directory; the
 * caller removes them.
 *
 * @example Check a file system of your own
 * ```ts
 * import {
 *   fileSystemConformance,
 *   MemoryFileSystem,
 * } from "@raft/snapshots/testing";
 *
 * const checks = fileSystemConformance(() => ({
 *   fileSystem: new MemoryFileSystem(),
 *   directory: "",
 * }));
 * for (const { run } of checks) await run(); // or: it(name, run)
 * ```
 */
export function fileSystemConformance(
  makeFileSystem: MakeFileSystem,
): readonly ConformanceCheck[] {
  const checks = [
    ...fileChecks,
    ...directoryChecks,
    ...renameChecks,
    ...lockChecks,
  ];
  return checks.map((check) => ({
    name: check.name,
    run: () => runCheck(check, makeFileSystem),
  }));
}

async function runCheck(
  check: FileSystemCheck,
  makeFileSystem: MakeFileSystem,
): Promise<void> {
  const { fileSystem, directory } = await makeFileSystem();
  await check.run({ files: fileSystem, dir: directory });
}
