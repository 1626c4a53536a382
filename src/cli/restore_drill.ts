/** `restore-drill DIR`: shows that the newest backup can be restored. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import { type ArchiveStore, importArchive } from "../archive/mod.ts";
import {
  copySnapshot,
  type SnapshotMeta,
  type SnapshotStore,
} from "../../mod.ts";
import { findArchives, reading } from "./archives/open.ts";
import { parseDuration, parsePath } from "./arguments.ts";
import { CommandError, NOT_CHECKED } from "./failure.ts";
import { counted, formatDuration, formatSize } from "./format.ts";
import { withInterrupts } from "./interrupt.ts";
import { takenTime } from "./order.ts";
import { print, printJson } from "./output.ts";
import { startProgress } from "./progress.ts";
import { systemReason } from "./reason.ts";
import { publishedIds, withStoreToRead, withStoreToWrite } from "./stores.ts";

interface DrillOptions {
  readonly scratch: string;
  readonly maxAge?: number;
  readonly json?: boolean;
}

/** The result of a drill. */
interface Drill {
  /** The name or ID of the backup. */
  readonly backup: string;
  /** When it was made: an import or a copy of a state is younger than it. */
  readonly createdAt: Date;
  /** When its state was taken. */
  readonly takenAt: Date;
  /** The snapshot in the scratch store. */
  readonly meta: SnapshotMeta;
}

/** Adds the command. */
export function registerRestoreDrill(program: Command): void {
  program.command("restore-drill")
    .summary("show that the newest backup can be restored")
    .description(
      "Reads the newest backup, checks every byte of it, puts it into a scratch " +
        "store, reads it back from there as a restart would, and removes the " +
        "scratch store. DIR has the archives of backup, or is a store. Nothing " +
        "in DIR changes. For cron: exit code 0 only when all of that went well.",
    )
    .argument("<DIR>", "the backups; or s3://BUCKET/PREFIX", parsePath)
    .option(
      "--scratch <DIR>",
      "where the scratch store is made",
      parsePath,
      tmpdir(),
    )
    .option(
      "--max-age <DURATION>",
      "fail when the newest backup is older, such as 25h",
      parseDuration,
    )
    .option("--json", "print the result as an object")
    .action(drill);
}

async function drill(place: string, options: DrillOptions): Promise<void> {
  const startedAt = Date.now();
  const found = await withInterrupts((signal) =>
    withScratch(options.scratch, (scratch) => restore(place, scratch, signal))
  );
  const { backup, createdAt, takenAt, meta } = found;
  const ageMs = Math.max(startedAt - takenAt.getTime(), 0);
  if (options.json === true) {
    const snapshot = { ...meta.toJSON(), createdAt };
    const durationMs = Date.now() - startedAt;
    await printJson({ backup, ageSeconds: ageMs / 1000, durationMs, snapshot });
  } else {
    await print(
      `restored ${backup} in ${
        formatDuration(Date.now() - startedAt)
      }: index ` +
        `${meta.index}, term ${meta.term}, ${formatSize(meta.size)}, ` +
        `${counted(meta.configuration.servers.length, "server")}, taken ` +
        `${formatDuration(ageMs)} ago`,
    );
  }
  const { maxAge = Infinity } = options;
  if (ageMs <= maxAge) return;
  throw new CommandError(
    `The newest backup is too old: ${
      formatDuration(ageMs)
    }, expected at most ` +
      formatDuration(maxAge),
  );
}

async function withScratch<T>(
  parent: string,
  use: (directory: string) => Promise<T>,
): Promise<T> {
  const directory = await makeIn(parent);
  try {
    return await use(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function makeIn(parent: string): Promise<string> {
  try {
    return await mkdtemp(join(parent, "raft-snapshots-drill-"));
  } catch (error) {
    throw new CommandError(
      `Cannot make a scratch store in ${parent}: ${systemReason(error)}`,
      { cause: error, exitCode: NOT_CHECKED },
    );
  }
}

async function restore(
  place: string,
  scratch: string,
  signal: AbortSignal,
): Promise<Drill> {
  const archives = await findArchives(place);
  return await withStoreToWrite(scratch, {}, async (store) => {
    const found = archives === undefined
      ? await bringSnapshot(place, store, signal)
      : await reading(() => bringArchive(archives, store, signal));
    return { ...found, meta: await readBack(store) };
  });
}

async function bringArchive(
  archives: ArchiveStore,
  scratch: SnapshotStore,
  signal: AbortSignal,
) {
  const [newest] = await archives.list();
  if (newest === undefined) throw noBackupIn(archives.place);
  const { name, createdAt } = newest;
  const progress = startProgress(`Restoring ${name}`);
  try {
    await importArchive(scratch, await archives.open(name), {
      signal,
      onProgress: ({ done, total }) => progress.update(done, total),
      onWarning: () => {},
    });
  } finally {
    progress.stop();
  }
  return { backup: name, createdAt, takenAt: createdAt };
}

async function bringSnapshot(
  place: string,
  scratch: SnapshotStore,
  signal: AbortSignal,
) {
  return await withStoreToRead(place, async (store) => {
    const [id] = await publishedIds(store);
    if (id === undefined) throw noBackupIn(place);
    const progress = startProgress(`Restoring ${id}`);
    try {
      await copySnapshot(store, id, scratch, {
        signal,
        onProgress: ({ done, total }) => progress.update(done, total),
      });
    } finally {
      progress.stop();
    }
    const meta = await store.stat(id);
    return {
      backup: id,
      createdAt: meta.createdAt,
      takenAt: takenTime(meta),
    };
  });
}

/** Restores as a restart does, from the disk. */
async function readBack(scratch: SnapshotStore): Promise<SnapshotMeta> {
  const restored = await scratch.restore(async (source) => {
    await source.pipeTo(new WritableStream());
  });
  if (restored !== undefined && restored.skipped.length === 0) {
    return restored.meta;
  }
  throw new CommandError("Cannot restore the backup from the scratch store");
}

function noBackupIn(place: string): CommandError {
  return new CommandError(
    `There is no backup in ${place}; give the place that backup --to has filled`,
  );
}
