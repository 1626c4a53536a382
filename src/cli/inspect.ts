/** `inspect DIR [ID]` or `inspect FILE`: all that is known of one snapshot. */

import { type Command, InvalidArgumentError } from "commander";
import type { ArchiveMeta } from "../archive/mod.ts";
import { printable, type SnapshotMeta } from "../../mod.ts";
import { checkArchive, type CheckedArchive } from "./archive_file.ts";
import { parsePath } from "./arguments.ts";
import {
  alignColumns,
  formatCount,
  formatCrc,
  formatLocalTime,
  formatSize,
  formatTime,
} from "./format.ts";
import { takenTime } from "./order.ts";
import { print, printJson } from "./output.ts";
import { chooseId, findPlace } from "./place.ts";
import {
  openChosen,
  placeIn,
  requireStore,
  withStoreToRead,
} from "./stores.ts";
import { tellUnfinished } from "./unfinished.ts";

interface InspectOptions {
  readonly json?: boolean;
}

/** Adds the command. */
export function registerInspect(program: Command): void {
  program.command("inspect")
    .summary("show all that is known of a snapshot")
    .description(
      "Shows a snapshot's metadata. The state in a store is not read: verify " +
        "does that. An archive is read to its end and checked, because its " +
        "metadata can't be trusted before.",
    )
    .argument(
      "<DIR|FILE>",
      "the store's directory, or an archive",
      parsePath,
    )
    .argument(
      "[ID]",
      "the snapshot in the store, or latest, which is the default",
    )
    .option("--json", "print the snapshot as an object")
    .action(inspect);
}

async function inspect(
  path: string,
  id: string | undefined,
  { json = false }: InspectOptions,
): Promise<void> {
  const place = await findPlace(path);
  if (place.kind === "archive") {
    if (id === undefined) return await inspectArchive(path, json);
    throw new InvalidArgumentError(
      `Cannot inspect ${id}: ${path} is an archive, which has one snapshot`,
    );
  }
  const { directory } = place;
  // First, because a store may have unfinished snapshots only.
  await requireStore(directory);
  const unfinished = await tellUnfinished(directory);
  const meta = await readMeta(directory, chooseId(place, id));
  if (json) return await printJson({ ...meta.toJSON(), unfinished });
  const where = placeIn(directory, meta.id);
  await print(...metaLines(meta, [["Path", printable(where)]]));
}

async function inspectArchive(file: string, json: boolean): Promise<void> {
  const archive = await checkArchive(file);
  const { meta, crc, fileSize, unchecked } = archive;
  if (json) {
    return await printJson({
      ...meta.toJSON(),
      crc: formatCrc(crc),
      file,
      fileSize,
      unchecked,
    });
  }
  await print(...metaLines({ ...meta, crc }, describeArchive(file, archive)));
}

function describeArchive(
  file: string,
  { fileSize, unchecked }: CheckedArchive,
): [string, string][] {
  const passed = "SHA-256 of meta.json and state.bin, size, CRC-32: passed";
  return [
    ["Archive", printable(file)],
    ["Archive size", sizeInFull(fileSize)],
    ["Checks", passed],
    ...unchecked.map((
      name,
    ): [string, string] => ["Not checked", printable(name)]),
  ];
}

function readMeta(
  directory: string,
  id: string | undefined,
): Promise<SnapshotMeta> {
  return withStoreToRead(directory, async (store) => {
    // open() reports why a snapshot can't be used, and list() leaves it out. In
    // this mode open() reads no state.
    const source = await openChosen(store, directory, { id, verify: "stream" });
    await source.cancel();
    return source.meta;
  });
}

function sizeInFull(bytes: number): string {
  return bytes < 1024
    ? formatSize(bytes)
    : `${formatSize(bytes)} (${formatCount(bytes)} bytes)`;
}

/** In UTC, with its age and in the local time zone. */
function describeTime(time: Date | undefined): string {
  if (time === undefined) return "unknown";
  return `${formatTime(time, new Date())}, ${formatLocalTime(time)} local time`;
}

function metaLines(
  meta: ArchiveMeta & Pick<SnapshotMeta, "crc">,
  whereabouts: readonly [string, string][],
): string[] {
  const { servers } = meta.configuration;
  return [
    ...alignColumns([
      ["ID", printable(meta.id)],
      ["Term", String(meta.term)],
      ["Index", String(meta.index)],
      ["Taken", describeTime(takenTime(meta))],
      ["Size", sizeInFull(meta.size)],
      ["CRC-64", formatCrc(meta.crc)],
      ["Version", String(meta.version)],
      ...whereabouts,
      ["Configuration", `of index ${meta.configurationIndex}`],
      ["Servers", servers.length === 0 ? "none" : String(servers.length)],
    ], ["left", "left"]),
    ...alignColumns(
      servers.map((
        { suffrage, id, address },
      ) => [`  ${suffrage}`, printable(id), printable(address)]),
      ["left", "left", "left"],
    ),
  ];
}
