/** `delete DIR ID...`: removes snapshots by their IDs. */

import type { Command } from "commander";
import { parseSnapshotId, type SnapshotReader } from "../../mod.ts";
import { hostIdOption, parsePath } from "./arguments.ts";
import { CommandError, NOT_CHECKED } from "./failure.ts";
import { stateOf } from "./finding.ts";
import { withInterrupts } from "./interrupt.ts";
import { findNewestGood } from "./newest_good.ts";
import { print, printJson } from "./output.ts";
import { findStore } from "./place.ts";
import { messageOf } from "./reason.ts";
import {
  type LockingOptions,
  publishedIds,
  resolveId,
  withStoreToMend,
} from "./stores.ts";

interface DeleteOptions extends LockingOptions {
  readonly force?: true;
  readonly json?: true;
}

/** Adds the command. */
export function registerDelete(program: Command): void {
  program.command("delete")
    .summary("remove snapshots by their IDs")
    .description(
      "Removes snapshots. The newest one that is good is not removed without " +
        "--force, because a Raft node has deleted the log before it. To find " +
        "it, delete reads the newest snapshots until one is good.",
    )
    .argument("<DIR>", "the store's directory", parsePath)
    .argument("<ID...>", "the snapshots; latest is the newest")
    .option("--force", "remove them without checking which are good")
    .addOption(hostIdOption())
    .option("--json", "print the IDs as an array")
    .action(deleteSnapshots);
}

async function deleteSnapshots(
  path: string,
  ids: readonly string[],
  options: DeleteOptions,
): Promise<void> {
  const { directory } = await findStore(path);
  const deleted = await withInterrupts((signal) =>
    withStoreToMend(directory, options, async (store) => {
      const published = await publishedIds(store);
      const doomed: string[] = [];
      for (const id of new Set(ids)) {
        doomed.push(await resolveId(store, directory, id));
      }
      for (const id of doomed) parseSnapshotId(id);
      // A wrong ID is an error before anything is removed.
      const missing = doomed.find((id) => !published.includes(id));
      if (missing !== undefined) {
        throw new CommandError(
          `Cannot find snapshot ${missing} in ${directory}`,
        );
      }
      if (!options.force) {
        await requireNotNeeded(store, { doomed, published, signal });
      }
      for (const id of doomed) {
        signal.throwIfAborted();
        await store.delete(id);
        if (!options.json) await print(`deleted ${id}`);
      }
      return doomed;
    })
  );
  if (options.json) await printJson(deleted);
}

/** @throws {CommandError} when one is, or may be, the newest good snapshot. */
async function requireNotNeeded(
  store: SnapshotReader,
  { doomed, published, signal }: {
    readonly doomed: readonly string[];
    readonly published: readonly string[];
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const good = await findNewestGood(store, published, signal);
  if (good.id !== undefined && doomed.includes(good.id)) {
    throw new CommandError(
      `Cannot delete ${good.id}, the newest good snapshot; --force deletes it`,
    );
  }
  const unknown = good.passedOver.find((finding) =>
    stateOf(finding) === "unchecked" && doomed.includes(finding.id)
  );
  if (unknown === undefined) return;
  const [reason] = unknown.errors;
  throw new CommandError(
    `Cannot delete ${unknown.id}, which may be the newest good snapshot: ` +
      `${messageOf(reason)}; --force deletes it`,
    { exitCode: NOT_CHECKED, cause: reason },
  );
}
