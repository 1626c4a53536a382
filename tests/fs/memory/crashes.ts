/** How the tests of power cuts make files and describe the disk afterwards. */

import type { CrashChoice } from "../../../src/fs/memory/crash_choice.ts";
import type { FileHandle } from "../../../src/fs/file_system.ts";
import type { MemoryFileSystem } from "../../../src/fs/memory/file_system.ts";

export const BLOCK = 4096;
export const MODELS = ["atomic", "split"] as const;

export function choice(
  keptPercent: number,
  seed = 1,
  renames: CrashChoice["renames"] = "atomic",
): CrashChoice {
  return { seed, keptPercent, renames };
}

export const NOTHING = choice(0);
export const EVERYTHING = choice(100);

export function filled(length: number, value: string): Uint8Array {
  return new Uint8Array(length).fill(value.charCodeAt(0));
}

/** A content in short: `a*4096 b*1`. */
function summary(content: Uint8Array): string {
  const text = new TextDecoder().decode(content).replaceAll("\0", ".");
  return text.replaceAll(/(.)\1*/g, (run) => ` ${run[0]}*${run.length}`).trim();
}

export async function create(
  files: MemoryFileSystem,
  path: string,
  bytes: Uint8Array = new Uint8Array(),
): Promise<FileHandle> {
  const handle = await files.open(path, "create");
  await handle.write(bytes, 0);
  return handle;
}

export async function createSynced(
  files: MemoryFileSystem,
  path: string,
  bytes?: Uint8Array,
): Promise<void> {
  const handle = await create(files, path, bytes);
  await handle.sync();
  await handle.close();
}

/** Every state that many seeds, shares and the models lead to, sorted. */
export function outcomes(
  files: MemoryFileSystem,
  describeState: (found: MemoryFileSystem) => string,
  models: readonly CrashChoice["renames"][] = MODELS,
): string[] {
  const found = new Set<string>();
  for (const renames of models) {
    for (const keptPercent of [0, 20, 50, 80, 100]) {
      for (let seed = 0; seed < 200; seed++) {
        const image = files.crashImage({ seed, keptPercent, renames });
        found.add(describeState(image));
      }
    }
  }
  return [...found].sort();
}

export const names = (files: MemoryFileSystem) => files.tree().join(" ");
export const contentOf = (path: string) => (files: MemoryFileSystem) =>
  files.tree().includes(path) ? summary(files.readFile(path)) : "gone";
