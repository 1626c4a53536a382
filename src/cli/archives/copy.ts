/** `copy FROM TO [NAME]` where FROM has archives. */

import { InvalidArgumentError } from "commander";
import {
  type ArchiveStore,
  copyArchive,
  importArchive,
  type StoredArchive,
} from "../../archive/mod.ts";
import { CommandError } from "../failure.ts";
import { withInterrupts } from "../interrupt.ts";
import { print, printJson, warn } from "../output.ts";
import { startProgress } from "../progress.ts";
import { withStoreToWrite, type WritingOptions } from "../stores.ts";
import { archiveJson } from "./list.ts";
import { isStore, openArchives, reading } from "./open.ts";

interface CopyFlags extends WritingOptions {
  readonly maxSize?: number;
  readonly ifMissing?: boolean;
  readonly json?: boolean;
}

/**
 * Copies an archive, the newest by default: as it is, or into a store of
 * snapshots where there is one. Everything in it is checked on the way.
 */
export async function copyFromArchives(
  from: ArchiveStore,
  to: string,
  { name, ...flags }: CopyFlags & { readonly name: string | undefined },
): Promise<void> {
  const intoStore = await isStore(to);
  if (!intoStore && flags.retain !== undefined) {
    throw new InvalidArgumentError(
      "Cannot use --retain where archives are copied as they are: see prune",
    );
  }
  const archive = await choose(from, name);
  const progress = startProgress(`Copying ${archive.name}`);
  const result = await withInterrupts(async (signal) => {
    const onProgress = ({ done, total }: { done: number; total: number }) =>
      progress.update(done, total);
    const reading = {
      signal,
      onProgress,
      ...(flags.maxSize === undefined ? {} : { stateSizeMax: flags.maxSize }),
    };
    try {
      if (intoStore) {
        return await withStoreToWrite(to, flags, async (store) => {
          const opened = await from.open(archive.name);
          const how = { ...reading, onWarning: warn };
          return await importArchive(store, opened, how);
        });
      }
      return await copyOne(from, to, { archive, flags, reading });
    } finally {
      progress.stop();
    }
  });
  if (flags.json === true) return await printJson(result);
  await print("id" in result ? result.id : result.name);
}

async function copyOne(
  from: ArchiveStore,
  to: string,
  { archive, flags, reading }: {
    readonly archive: StoredArchive;
    readonly flags: CopyFlags;
    readonly reading: Parameters<typeof copyArchive>[2];
  },
) {
  const target = await openArchives(to, flags);
  const { name, createdAt } = archive;
  if (flags.ifMissing === true && await has(target, archive)) {
    return archiveJson(archive);
  }
  const { size } = await copyArchive(await from.open(name), ({ index }) => {
    if (index === archive.index) return target.create({ index, createdAt });
    throw new CommandError(
      `Cannot copy ${name}: its snapshot has the index ${index}, expected ` +
        `${archive.index} as in its name`,
    );
  }, reading);
  return archiveJson({ ...archive, size });
}

/** A directory that is not there has nothing yet. */
async function has(
  target: ArchiveStore,
  { name, size }: StoredArchive,
): Promise<boolean> {
  const there = await target.list().catch((error) => {
    if (error.systemCode === "ENOENT") return [];
    throw error;
  });
  return there.some((each) => each.name === name && each.size === size);
}

async function choose(
  from: ArchiveStore,
  name: string | undefined,
): Promise<StoredArchive> {
  const archives = await reading(() => from.list());
  const isWanted = (each: StoredArchive) =>
    name === undefined || name === "latest" || each.name === name;
  const found = archives.find(isWanted);
  if (found !== undefined) return found;
  throw new CommandError(
    `Cannot find ${name ?? "an archive"} in ${from.place}`,
  );
}
