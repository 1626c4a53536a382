/** `list DIR`: the snapshots of a store, newest first. */

import type { Command } from "commander";
import type { SnapshotMeta } from "../snapshot.ts";
import { alignColumns, formatSize, timeOf } from "./format.ts";
import { print, printJson, warn } from "./output.ts";
import { snapshotJson } from "./snapshot_json.ts";
import { withStoreToRead } from "./stores.ts";

interface ListOptions {
  readonly json?: true;
}

/** Adds the command. */
export function registerList(program: Command): void {
  program.command("list")
    .summary("list the snapshots, newest first")
    .description(
      "Lists the snapshots of a store, newest first. The state is not read: " +
        "verify does that.",
    )
    .argument("<DIR>", "the store's directory")
    .option("--json", "print an array of snapshots")
    .action(list);
}

async function list(directory: string, options: ListOptions): Promise<void> {
  const snapshots = await withStoreToRead(directory, (store) => store.list());
  if (options.json) return await printJson(snapshots.map(snapshotJson));
  if (snapshots.length === 0) return warn(`no snapshots in ${directory}`);
  await print(...formatList(snapshots));
}

function formatList(snapshots: readonly SnapshotMeta[]): string[] {
  const rows = snapshots.map((meta) => [
    meta.id,
    String(meta.term),
    String(meta.index),
    formatSize(meta.size),
    String(meta.configuration.servers.length),
    timeOf(meta.id) ?? "unknown",
  ]);
  return alignColumns(
    [["ID", "TERM", "INDEX", "SIZE", "SERVERS", "TAKEN"], ...rows],
    ["left", "right", "right", "right", "right", "left"],
  );
}
