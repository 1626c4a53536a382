/**
 * Small steps on files that several parts of the store take.
 *
 * @module
 */

import { SnapshotError, systemCode } from "../errors.ts";
import type { FileHandle, FileSystem } from "./file_system.ts";
import { showPath } from "./shown_path.ts";

/** Whether a name is taken, by an entry of any kind. */
export async function exists(fs: FileSystem, path: string): Promise<boolean> {
  try {
    await fs.stat(path);
    return true;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return false;
    throw error;
  }
}

/** Uses a file and closes it. A failed close never hides an earlier failure. */
export async function withFile<T>(
  file: FileHandle,
  use: (file: FileHandle) => Promise<T>,
): Promise<T> {
  let result: T;
  try {
    result = await use(file);
  } catch (error) {
    await file.close().catch(() => {});
    throw error;
  }
  await file.close();
  return result;
}

/** Uses a directory by a path that stays valid when its name is swapped. */
export async function withHeld<T>(
  { fileSystem }: { readonly fileSystem: FileSystem },
  path: string,
  use: (heldPath: string) => Promise<T>,
): Promise<T> {
  const held = await fileSystem.holdDirectory(path);
  try {
    return await use(held.path);
  } catch (error) {
    throw showPath(error, held.path, path);
  } finally {
    // Nothing was written through the handle, so a failure of close() loses
    // nothing.
    await held.close().catch(() => {});
  }
}

/** Writes all of the bytes, however few the system takes at a time. */
export async function writeFully(
  file: FileHandle,
  bytes: Uint8Array,
  position: number,
): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const rest = bytes.subarray(written);
    const count = await file.write(rest, position + written);
    if (count <= 0) {
      throw new SnapshotError(
        `Cannot write ${rest.length} bytes: the system took none`,
      );
    }
    written += count;
  }
}

/** Writes all of the bytes from the beginning, and makes them durable. */
export async function writeAndSync(
  file: FileHandle,
  bytes: Uint8Array,
): Promise<void> {
  await writeFully(file, bytes, 0);
  // The callers say which crash it survives.
  await file.sync();
}
