/** `inspect DIR [ID]`: all that is known of one snapshot. */

import { join } from "node:path";
import type { Command } from "commander";
import type { SnapshotMeta } from "../snapshot.ts";
import {
  alignColumns,
  formatCount,
  formatCrc,
  formatSize,
  timeOf,
} from "./format.ts";
import { print, printJson } from "./output.ts";
import { snapshotJson } from "./snapshot_json.ts";
import { newestOf, withStoreToRead } from "./stores.ts";

interface InspectOptions {
  readonly json?: true;
}

/** Adds the command. */
export function registerInspect(program: Command): void {
  program.command("inspect")
    .summary("show all that is known of a snapshot")
    .description(
      "Shows a snapshot's metadata. The state is not read: verify does that.",
    )
    .argument("<DIR>", "the store's directory")
    .argument("[ID]", "the snapshot; the newest by default")
    .option("--json", "print the snapshot as an object")
    .action(inspect);
}

async function inspect(
  directory: string,
  id: string | undefined,
  options: InspectOptions,
): Promise<void> {
  const meta = await readMeta(directory, id);
  if (options.json) return await printJson(snapshotJson(meta));
  await print(...describe(meta, join(directory, "snapshots", meta.id)));
}

function readMeta(
  directory: string,
  id: string | undefined,
): Promise<SnapshotMeta> {
  return withStoreToRead(directory, async (store) => {
    if (id === undefined) return await newestOf(store, directory);
    // open() says what is wrong with an ID, where list() leaves it out; in this
    // mode nothing of the state is read before it is asked for.
    const source = await store.open(id, { verify: "stream" });
    await source.cancel();
    return source.meta;
  });
}

function describe(meta: SnapshotMeta, path: string): string[] {
  const { servers } = meta.configuration;
  const size = meta.size < 1024
    ? formatSize(meta.size)
    : `${formatSize(meta.size)} (${formatCount(meta.size)} bytes)`;
  return [
    ...alignColumns([
      ["ID", meta.id],
      ["Term", String(meta.term)],
      ["Index", String(meta.index)],
      ["Taken", timeOf(meta.id) ?? "unknown"],
      ["Size", size],
      ["CRC-64", formatCrc(meta.crc)],
      ["Version", String(meta.version)],
      ["Path", path],
      ["Configuration", `of index ${meta.configurationIndex}`],
      ["Servers", servers.length === 0 ? "none" : String(servers.length)],
    ], ["left", "left"]),
    ...alignColumns(
      servers.map((
        { suffrage, id, address },
      ) => [`  ${suffrage}`, id, address]),
      ["left", "left", "left"],
    ),
  ];
}
