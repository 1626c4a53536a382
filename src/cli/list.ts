/** `list DIR` or `list FILE...`: snapshots, newest first. */

import { type Command, InvalidArgumentError } from "commander";
import type { SnapshotMeta, SnapshotStore } from "../../mod.ts";
import type { ArchiveMeta } from "../archive/mod.ts";
import { checkArchive } from "./archive_file.ts";
import { listArchives } from "./archives/list.ts";
import { findArchives } from "./archives/open.ts";
import { parsePath } from "./arguments.ts";
import { CommandError, NOT_CHECKED } from "./failure.ts";
import { isFinding, stateOf } from "./finding.ts";
import {
  alignColumns,
  formatAge,
  formatCrc,
  formatLocalTime,
  formatSize,
} from "./format.ts";
import { takenTime } from "./order.ts";
import { note, print, printJson, terminalColumns, warn } from "./output.ts";
import { findPlace } from "./place.ts";
import { messageOf } from "./reason.ts";
import { withStoreToRead } from "./stores.ts";
import { tellUnfinished } from "./unfinished.ts";

interface ListOptions {
  readonly json?: true;
}

/** Adds the command. */
export function registerList(program: Command): void {
  program.command("list")
    .summary("list the snapshots, newest first")
    .description(
      "Lists the snapshots of a store, or those in archives, newest first. The " +
        "state in a store is not read: verify does that. Archives are read to " +
        "their ends and checked. The exit code is 1 when one is bad, and 3 " +
        "when none is bad but one can't be read or is of an unknown version.",
    )
    .argument("<DIR|FILE>", "the store's directory, or an archive", parsePath)
    .argument("[FILE...]", "more archives")
    .option(
      "--json",
      "print the snapshots, and the unfinished ones, as an object",
    )
    .action(list);
}

async function list(
  path: string,
  more: readonly string[],
  options: ListOptions,
): Promise<void> {
  const archives = await findArchives(path);
  if (archives !== undefined && more.length === 0) {
    return await listArchives(archives, options);
  }
  const place = await findPlace(path);
  if (place.kind === "archive") {
    return await listFiles([path, ...more.map(parsePath)], options);
  }
  if (more[0] !== undefined) {
    throw new InvalidArgumentError(
      `Cannot list ${more[0]} beside the store ${path}: give one store, or ` +
        "archives",
    );
  }
  const { directory } = place;
  const { snapshots, skipped, isBad } = await withStoreToRead(
    directory,
    readListing,
  );
  const unfinished = await tellUnfinished(directory);
  if (options.json) await printJson({ snapshots, unfinished });
  else if (snapshots.length > 0) {
    await print(...formatList(snapshots.map((meta) => [meta.id, meta])));
  } else if (skipped === 0) note(`no snapshots in ${directory}`);
  // The store has reported why. A broken store must not pass for an empty one.
  requireAll(snapshots.length, skipped, isBad);
}

/** @throws {CommandError} when some snapshots can't be used. */
function requireAll(usable: number, skipped: number, isBad: boolean): void {
  if (skipped === 0) return;
  throw new CommandError(
    `${skipped} of ${usable + skipped} snapshots can't be used`,
    { exitCode: isBad ? 1 : NOT_CHECKED },
  );
}

/** The usable snapshots, the number of the others, and whether one is bad. */
async function readListing(store: SnapshotStore) {
  // The store reports the snapshots that this list passes over.
  const snapshots = await store.list();
  const entries = await store.list({ unusable: true });
  const skipped = entries.filter(({ state }) =>
    state !== "usable" && state !== "quarantined"
  );
  const isBad = skipped.some(({ state }) => state === "corrupt");
  return { snapshots, skipped: skipped.length, isBad };
}

async function listFiles(
  files: readonly string[],
  { json }: ListOptions,
): Promise<void> {
  const found: (readonly [string, ArchiveMeta])[] = [];
  const rows: Record<string, unknown>[] = [];
  let isBad = false;
  for (const file of files) {
    try {
      const { meta, crc, fileSize } = await checkArchive(file);
      found.push([file, meta]);
      rows.push({ ...meta.toJSON(), crc: formatCrc(crc), file, fileSize });
    } catch (error) {
      // A snapshot that can't be used must not hide the others.
      if (!isFinding(error)) throw error;
      warn(messageOf(error));
      isBad ||= stateOf({ errors: [error] }) === "bad";
    }
  }
  if (json) await printJson({ snapshots: rows });
  else if (found.length > 0) {
    const time = (meta: ArchiveMeta) => takenTime(meta)?.getTime() ?? 0;
    await print(
      ...formatList(found.sort(([, a], [, b]) => time(b) - time(a)), "FILE"),
    );
  }
  requireAll(found.length, files.length - found.length, isBad);
}

function formatList(
  snapshots: readonly (readonly [string, SnapshotMeta | ArchiveMeta])[],
  name = "ID",
): string[] {
  const now = new Date();
  const rows = snapshots.map(([name, meta]) => {
    const time = takenTime(meta);
    return [
      name,
      String(meta.term),
      String(meta.index),
      formatSize(meta.size),
      String(meta.configuration.servers.length),
      time?.toISOString() ?? "unknown",
      time === undefined ? "" : formatAge(time, now),
      time === undefined ? "" : formatLocalTime(time),
    ];
  });
  const table = [
    [name, "TERM", "INDEX", "SIZE", "SERVERS", "TAKEN", "AGE", "LOCAL TIME"],
    ...rows,
  ];
  const align = (rows: readonly (readonly string[])[]) =>
    alignColumns(rows, [
      ...["left", "right", "right", "right", "right"] as const,
      ...["left", "left", "left"] as const,
    ]);
  const lines = align(table);
  const columns = terminalColumns() ?? Infinity;
  if (lines.every(({ length }) => length <= columns)) return lines;
  // A narrow terminal loses the local time, which the column before has in UTC.
  return align(table.map((row) => row.slice(0, -1)));
}
