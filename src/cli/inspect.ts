/** `inspect DIR [ID]` or `inspect FILE`: the metadata of one snapshot. */

import { basename } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import type { ArchiveMeta } from "../archive/mod.ts";
import {
  printable,
  type SnapshotMeta,
  type SnapshotSource,
} from "../../mod.ts";
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
import {
  contentsJson,
  describeContents,
  keyOptionsOf,
  parseDepth,
  StateInspection,
  type StateOptions,
} from "./inspect_state.ts";
import { takenTime } from "./order.ts";
import { print, printJson } from "./output.ts";
import { chooseId, findPlace } from "./place.ts";
import { startProgress } from "./progress.ts";
import {
  openChosen,
  placeIn,
  requireStore,
  withStoreToRead,
} from "./stores.ts";
import { tellUnfinished } from "./unfinished.ts";

interface InspectOptions extends StateOptions {
  readonly json?: boolean;
}

/** Adds the command. */
export function registerInspect(program: Command): void {
  program.command("inspect")
    .summary("show the metadata of a snapshot")
    .description(
      "Shows a snapshot's metadata. The state in a store is not read, unless " +
        "--types or the path of its state.bin asks for it. An archive is read " +
        "to its end and checked, because its metadata can't be trusted before. " +
        "Of the states of Consul and Nomad, inspect shows how many records of " +
        "each type there are, and how long they are.",
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
    .option("--types", "read the state, and count its records by their types")
    .option(
      "--depth <N>",
      "count Consul's keys as well, by their first N parts (default: 2)",
      parseDepth,
    )
    .option("--filter <PREFIX>", "count only the keys that begin so")
    .option("--json", "print the snapshot as an object")
    .action(inspect);
}

async function inspect(
  path: string,
  id: string | undefined,
  options: InspectOptions,
): Promise<void> {
  const place = await findPlace(path);
  if (place.kind === "archive") {
    if (id === undefined) return await inspectArchive(path, options);
    throw new InvalidArgumentError(
      `Cannot inspect ${id}: ${path} is an archive, which has one snapshot`,
    );
  }
  const { directory } = place;
  // First, because a store may have unfinished snapshots only.
  await requireStore(directory);
  const unfinished = await tellUnfinished(directory);
  const state = wantsState(path, options)
    ? new StateInspection(options)
    : undefined;
  const meta = await readMeta(directory, chooseId(place, id), state);
  const where = placeIn(directory, meta.id);
  await printAll({ ...meta.toJSON(), unfinished }, {
    lines: metaLines(meta, [["Path", printable(where)]]),
    state,
    json: options.json,
  });
}

function wantsState(path: string, options: InspectOptions): boolean {
  return options.types === true || basename(path) === "state.bin" ||
    keyOptionsOf(options) !== undefined;
}

/** Prints the metadata, also of a snapshot whose state is damaged. */
async function printAll(
  object: Record<string, unknown>,
  { lines, state, json }: {
    readonly lines: readonly string[];
    readonly state: StateInspection | undefined;
    readonly json: boolean | undefined;
  },
): Promise<void> {
  if (!json) await print(...lines);
  const contents = state?.finish();
  if (json) {
    const more = contents && { state: contentsJson(contents) };
    await printJson({ ...object, ...more });
  } else if (contents !== undefined) {
    await print("", ...describeContents(contents));
  }
}

async function inspectArchive(
  file: string,
  options: InspectOptions,
): Promise<void> {
  const state = new StateInspection(options);
  const archive = await checkArchive(file, { take: state.take });
  const { meta, crc, fileSize, unchecked } = archive;
  const checked = { crc: formatCrc(crc), file, fileSize, unchecked };
  await printAll({ ...meta.toJSON(), ...checked }, {
    lines: metaLines({ ...meta, crc }, describeArchive(file, archive)),
    state,
    json: options.json,
  });
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
  state: StateInspection | undefined,
): Promise<SnapshotMeta> {
  return withStoreToRead(directory, async (store) => {
    // open() reports why a snapshot can't be used, and list() leaves it out. In
    // this mode open() reads no state.
    const source = await openChosen(store, directory, { id, verify: "stream" });
    if (state === undefined) await source.cancel();
    else await readAll(source, state);
    return source.meta;
  });
}

async function readAll(
  source: SnapshotSource,
  state: StateInspection,
): Promise<void> {
  const progress = startProgress("Reading");
  let done = 0;
  try {
    for await (const chunk of source) {
      state.take(chunk);
      progress.update(done += chunk.length, source.meta.size);
    }
  } finally {
    progress.stop();
  }
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
