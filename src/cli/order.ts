/** `--order`: which snapshot commands take for the newest. */

import { type Command, Option } from "commander";
import type { SnapshotMeta, SnapshotOrder, SnapshotStore } from "../../mod.ts";
import { warn } from "./output.ts";

/** Of the command that runs: it may stand before it or after it. */
let order: SnapshotOrder = "raft";

/** Adds the option, which every command takes. */
export function addOrderOption(program: Command): void {
  program
    .addOption(
      new Option(
        "--order <ORDER>",
        "how the newest snapshot is found: raft compares term and index, " +
          "taken the time of the state (for backups)",
      ).choices(["raft", "taken"]).default("raft"),
    )
    .hook("preAction", () => {
      order = program.opts<{ readonly order: SnapshotOrder }>().order;
    });
}

/** The order, for the options of a store. */
export function currentOrder(): SnapshotOrder {
  return order;
}

/** When the state of a snapshot was taken; an archive may not tell. */
export function takenTime<T extends Date | undefined>(
  { takenAt, createdAt }: {
    readonly takenAt?: Date | undefined;
    readonly createdAt: T;
  },
): Date | T {
  return takenAt ?? createdAt;
}

/**
 * Warns when the snapshot that was just published is not the newest of its
 * store.
 */
export async function warnIfNotNewest(
  store: Pick<SnapshotStore, "list">,
  { id }: SnapshotMeta,
): Promise<void> {
  const [newest] = await store.list();
  if (newest === undefined || newest.id === id) return;
  warn(
    `${id} is not the newest snapshot here: ${newest.id} is, by ` +
      (order === "raft"
        ? "term and index; give --order taken to compare the times instead, " +
          "and keep each cluster in a store of its own"
        : "the time when it was taken"),
  );
}
