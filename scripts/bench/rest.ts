/**
 * Gives each contestant that writes the same machine.
 *
 * @module
 */

import { join } from "node:path";

const MIB = 1024 ** 2;

const MS_PER_BYTE = 2000 / 1024 ** 3;

/**
 * Waits as long as a disk may need after so many bytes. Disks of clouds take a
 * burst, and then far less until they have rested; so none pays for the writes
 * of another.
 */
export function rest(bytes: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, bytes * MS_PER_BYTE));
}

/**
 * Writes and removes a file of so many bytes, which reaches no disk. The hosts of
 * virtual machines take free memory back, and a write into memory that must come
 * from the host again takes three times as long.
 */
export async function warmMemory(folder: string, bytes: number): Promise<void> {
  const path = join(folder, "warm");
  const block = new Uint8Array(MIB);
  using file = await Deno.open(path, { write: true, create: true });
  for (let i = 0; i < bytes; i += MIB) await file.write(block);
  await Deno.remove(path);
}
