/** `seal DIR ID...`: adds block checksums to snapshots that Go wrote. */

import { type Command, InvalidArgumentError } from "commander";
import {
  SnapshotError,
  type SnapshotMeta,
  SnapshotNotFoundError,
  type SnapshotStore,
} from "../../mod.ts";
import { hostIdOption, parsePath } from "./arguments.ts";
import { CommandError, exitCodeOfError } from "./failure.ts";
import { counted } from "./format.ts";
import { withInterrupts } from "./interrupt.ts";
import { note, print, printJson, warn } from "./output.ts";
import { findStore } from "./place.ts";
import { startProgress } from "./progress.ts";
import { messageOf } from "./reason.ts";
import {
  type LockingOptions,
  publishedIds,
  resolveId,
  withStoreToMend,
} from "./stores.ts";

interface SealOptions extends LockingOptions {
  readonly all?: boolean;
  readonly json?: boolean;
}

/** Adds the command. */
export function registerSeal(program: Command): void {
  program.command("seal")
    .summary("add block checksums to snapshots that Go wrote")
    .description(
      "Checks snapshots against their CRC and adds blocks.crc64 to those that " +
        "have none: from then on they are read in one pass, a part can be read " +
        "alone, and verify tells which blocks are bad. Go ignores the file. " +
        "A bad snapshot is not changed.",
    )
    .argument("<DIR>", "the store's directory", parsePath)
    .argument("[ID...]", "the snapshots; latest is the newest")
    .option("--all", "seal all snapshots that have no block checksums")
    .addOption(hostIdOption())
    .option("--json", "print an array of the snapshots")
    .action(seal);
}

async function seal(
  path: string,
  named: readonly string[],
  { all = false, json = false, ...options }: SealOptions,
): Promise<void> {
  const { directory, id } = await findStore(path);
  const chosen = id === undefined ? named : [id, ...named];
  if (all === chosen.length > 0) {
    throw new InvalidArgumentError(
      "Cannot tell which snapshots to seal: give their IDs, or --all",
    );
  }
  const run: Sealing = { sealed: [], errors: [], json };
  await withInterrupts((signal) =>
    withStoreToMend(directory, options, async (store) => {
      if (all) return await sealAll(store, run, signal);
      for (const id of chosen) {
        await sealOne(
          store,
          await resolveId(store, directory, id),
          run,
          signal,
        );
      }
    })
  );
  if (json) await printJson(run.sealed);
  const [first] = run.errors;
  if (first === undefined) return;
  throw new CommandError(
    `Could not seal: ${
      counted(run.errors.length, "snapshot")
    }; none of these has changed`,
    { exitCode: Math.min(...run.errors.map(exitCodeOfError)), cause: first },
  );
}

/** The progress so far. */
interface Sealing {
  readonly sealed: SnapshotMeta[];
  /** The errors of snapshots that could not be sealed. */
  readonly errors: unknown[];
  readonly json: boolean;
}

/** After a bad snapshot the others are still sealed. */
async function sealAll(
  store: SnapshotStore,
  run: Sealing,
  signal: AbortSignal,
): Promise<void> {
  for (const id of await publishedIds(store)) {
    try {
      const { blocks } = await store.header(id);
      if (blocks === undefined) await sealOne(store, id, run, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof SnapshotError)) throw error;
      // Another program has removed it meanwhile.
      if (error instanceof SnapshotNotFoundError) continue;
      warn(messageOf(error));
      run.errors.push(error);
    }
  }
  if (run.sealed.length + run.errors.length === 0) {
    note("all snapshots are sealed");
  }
}

async function sealOne(
  store: SnapshotStore,
  id: string,
  { sealed, json }: Sealing,
  signal: AbortSignal,
): Promise<void> {
  const progress = startProgress(`Checking ${id}`);
  try {
    const meta = await store.seal(id, {
      signal,
      onProgress: ({ done, total }) => progress.update(done, total),
    });
    sealed.push(meta);
  } finally {
    progress.stop();
  }
  if (!json) await print(`sealed ${id}`);
}
