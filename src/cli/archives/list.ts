/** `list DIR` where DIR has archives. */

import type { ArchiveStore, StoredArchive } from "../../archive/mod.ts";
import { alignColumns, formatSize } from "../format.ts";
import { print, printJson } from "../output.ts";
import { reading } from "./open.ts";

/** Prints the archives, newest first. */
export async function listArchives(
  store: ArchiveStore,
  { json = false }: { readonly json?: boolean },
): Promise<void> {
  const archives = await reading(() => store.list());
  if (json) await printJson({ archives: archives.map(archiveJson) });
  else await print(...formatArchives(archives));
}

/** An archive as JSON; the index is a uint64. */
export function archiveJson({ name, index, size, createdAt }: StoredArchive) {
  return { name, index: String(index), size, createdAt };
}

function formatArchives(archives: readonly StoredArchive[]): string[] {
  const rows = archives.map(({ name, index, size, createdAt }) => [
    name,
    String(index),
    formatSize(size),
    createdAt.toISOString(),
  ]);
  return alignColumns(
    [["NAME", "INDEX", "SIZE", "TAKEN"], ...rows],
    ["left", "right", "right", "left"],
  );
}
