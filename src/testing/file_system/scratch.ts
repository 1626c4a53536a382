/**
 * The common parts of the checks of a file system.
 *
 * @module
 */

import { systemCode } from "../../errors.ts";
import type { FileSystem, OpenMode } from "../../fs/file_system.ts";
import { rejection } from "../assertions.ts";

/** A directory for one check. */
export interface Scratch {
  /** The file system. */
  readonly files: FileSystem;
  /** An empty directory. */
  readonly dir: string;
}

/** One check, which is given a directory of its own. */
export interface FileSystemCheck {
  /** The requirement, as a sentence. */
  readonly name: string;
  /** Rejects when the file system does not meet the requirement. */
  run(scratch: Scratch): Promise<void>;
}

/** The bytes of a text. */
export function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** The text of bytes. */
export function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** Makes a file. */
export async function write(
  files: FileSystem,
  path: string,
  text: string,
): Promise<void> {
  const handle = await files.open(path, "create");
  await handle.write(encode(text), 0);
  await handle.close();
}

/** The text in a file. */
export async function read(files: FileSystem, path: string): Promise<string> {
  const handle = await files.open(path, "read");
  const buffer = new Uint8Array((await handle.stat()).size);
  await handle.read(buffer, 0);
  await handle.close();
  return decode(buffer);
}

/** Opens a file, and does nothing with it. */
export async function openAndClose(
  files: FileSystem,
  path: string,
  how: OpenMode,
): Promise<void> {
  await (await files.open(path, how)).close();
}

/** Waits for a rejection with an error of the system that has this code. */
export async function assertFails(
  promise: Promise<unknown>,
  code: string,
): Promise<void> {
  const error = await rejection(promise, `a call that must fail with ${code}`);
  if (error instanceof Error && systemCode(error) === code) return;
  throw new Error(`Wrong error: found ${String(error)}, expected ${code}`, {
    cause: error,
  });
}
