/** `list DIR`: the snapshots of a store, newest first. */

import type { Command } from "commander";
import type { SnapshotMeta, SnapshotStore } from "../../mod.ts";
import { listArchives } from "./archives/list.ts";
import { findArchives } from "./archives/open.ts";
import { parsePath } from "./arguments.ts";
import { CommandError, NOT_CHECKED } from "./failure.ts";
import { alignColumns, formatSize } from "./format.ts";
import { takenTime } from "./order.ts";
import { print, printJson, warn } from "./output.ts";
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
      "Lists the snapshots of a store, newest first. The state is not read: " +
        "verify does that. The exit code is 1 when one is bad, and 3 when none " +
        "is bad but one can't be read or is of an unknown version.",
    )
    .argument("<DIR>", "the store's directory", parsePath)
    .option(
      "--json",
      "print the snapshots, and the unfinished ones, as an object",
    )
    .action(list);
}

async function list(directory: string, options: ListOptions): Promise<void> {
  const archives = await findArchives(directory);
  if (archives !== undefined) return await listArchives(archives, options);
  const { snapshots, skipped, isBad } = await withStoreToRead(
    directory,
    readListing,
  );
  const unfinished = await tellUnfinished(directory);
  if (options.json) {
    await printJson({
      snapshots,
      unfinished,
    });
  } else if (snapshots.length > 0) await print(...formatList(snapshots));
  else if (skipped === 0) warn(`no snapshots in ${directory}`);
  // The store has reported why. A broken store must not pass for an empty one.
  if (skipped > 0) {
    const all = snapshots.length + skipped;
    throw new CommandError(`${skipped} of ${all} snapshots can't be used`, {
      exitCode: isBad ? 1 : NOT_CHECKED,
    });
  }
}

/** The usable snapshots, the number of the others, and whether one is bad. */
async function readListing(store: SnapshotStore) {
  // The store reports what this list passes over.
  const snapshots = await store.list();
  const entries = await store.list({ unusable: true });
  const skipped = entries.filter(({ state }) =>
    state !== "usable" && state !== "quarantined"
  );
  const isBad = skipped.some(({ state }) => state === "corrupt");
  return { snapshots, skipped: skipped.length, isBad };
}

function formatList(snapshots: readonly SnapshotMeta[]): string[] {
  const rows = snapshots.map((meta) => [
    meta.id,
    String(meta.term),
    String(meta.index),
    formatSize(meta.size),
    String(meta.configuration.servers.length),
    takenTime(meta).toISOString(),
  ]);
  return alignColumns(
    [["ID", "TERM", "INDEX", "SIZE", "SERVERS", "TAKEN"], ...rows],
    ["left", "right", "right", "right", "right", "left"],
  );
}
