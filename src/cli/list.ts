/** `list DIR`: the snapshots of a store, newest first. */

import type { Command } from "commander";
import {
  SnapshotCorruptError,
  type SnapshotMeta,
  SnapshotNotFoundError,
  type SnapshotStore,
} from "../../mod.ts";
import { parsePath } from "./arguments.ts";
import { CommandError, NOT_CHECKED } from "./failure.ts";
import { alignColumns, formatSize } from "./format.ts";
import { print, printJson, warn } from "./output.ts";
import { publishedIds, withStoreToRead } from "./stores.ts";
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
  const { snapshots, skipped, isBad } = await withStoreToRead(
    directory,
    (store) => readListing(directory, store),
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
async function readListing(directory: string, store: SnapshotStore) {
  const ids = await publishedIds(store, directory);
  const snapshots = await store.list();
  const listed = new Set(snapshots.map(({ id }) => id));
  const errors: unknown[] = [];
  for (const id of ids) {
    if (!listed.has(id)) errors.push(await whyNotListed(store, id));
  }
  // Another program may have removed some of them meanwhile.
  const skipped = errors.filter((error) =>
    !(error instanceof SnapshotNotFoundError)
  );
  const isBad = skipped.some((error) => error instanceof SnapshotCorruptError);
  return { snapshots, skipped: skipped.length, isBad };
}

/** The error of opening a snapshot; `undefined` when it opens by now. */
async function whyNotListed(
  store: SnapshotStore,
  id: string,
): Promise<unknown> {
  try {
    await (await store.open(id, { verify: "stream" })).cancel();
    return undefined;
  } catch (error) {
    return error;
  }
}

function formatList(snapshots: readonly SnapshotMeta[]): string[] {
  const rows = snapshots.map((meta) => [
    meta.id,
    String(meta.term),
    String(meta.index),
    formatSize(meta.size),
    String(meta.configuration.servers.length),
    meta.createdAt.toISOString(),
  ]);
  return alignColumns(
    [["ID", "TERM", "INDEX", "SIZE", "SERVERS", "TAKEN"], ...rows],
    ["left", "right", "right", "right", "right", "left"],
  );
}
