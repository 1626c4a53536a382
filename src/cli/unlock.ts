/** `unlock DIR`: gives up the lock of a program that has ended unseen. */

import { type Command, InvalidArgumentError } from "commander";
import { openFileSnapshotStore, type StoreLock } from "../../mod.ts";
import { hostIdOption, parsePath } from "./arguments.ts";
import { isBucket } from "./buckets.ts";
import { confirm } from "./confirm.ts";
import { CommandError } from "./failure.ts";
import { describeHolder } from "./lock_holder.ts";
import { print, warn } from "./output.ts";
import { findStore } from "./place.ts";
import { type LockingOptions, reporting, withStoreToRead } from "./stores.ts";

interface UnlockOptions extends LockingOptions {
  readonly yes?: true;
}

/** Adds the command. */
export function registerUnlock(program: Command): void {
  program.command("unlock")
    .summary("give up the lock of a program that has ended")
    .description(
      "Shows who has the store's lock, and gives it up after asking. That is " +
        "needed only where the holder can't be seen: it ran in another " +
        "container, or under another host name. The lock of a holder that is " +
        "seen alive is not given up. Two programs that write to a store at a " +
        "time destroy snapshots: make sure that the holder has ended.",
    )
    .argument("<DIR>", "the store's directory", parsePath)
    .option(
      "--yes",
      "give it up without asking; needed when stdin is not a terminal",
    )
    .addOption(hostIdOption())
    .action(unlock);
}

async function unlock(path: string, options: UnlockOptions): Promise<void> {
  if (isBucket(path)) {
    throw new InvalidArgumentError(
      "Cannot unlock a bucket: buckets have no lock, because any number of programs " +
        "may write to it",
    );
  }
  const { directory } = await findStore(path);
  const { hostId } = options;
  const { lock } = await withStoreToRead(
    directory,
    (store) => store.inspect(),
    { hostId },
  );
  if (lock === undefined) return warn(`no program has locked ${directory}`);
  await print(`locked by ${describeHolder(lock)}`);
  if (!await mayGiveUp(directory, lock, options)) return;
  // Takes the lock from the holder, unless that is seen alive by now.
  const store = await openFileSnapshotStore(directory, {
    ...reporting,
    hostId,
    sweep: false,
    takeLockFrom: lock.owner,
  });
  await store.close();
  await print(`unlocked ${directory}`);
}

/** @throws {CommandError} when the holder is alive, or its record is damaged. */
async function mayGiveUp(
  directory: string,
  { holder, owner, hint }: StoreLock,
  { yes }: UnlockOptions,
): Promise<boolean> {
  if (holder === "dead") return true;
  if (holder !== "unknown") {
    throw new CommandError(
      `Cannot unlock ${directory}: the holder is alive; end that program first`,
    );
  }
  if (owner === undefined) {
    throw new CommandError(
      `Cannot unlock ${directory}: ${hint ?? "the lock can't be read"}`,
    );
  }
  if (yes) return true;
  const isConfirmed = await confirm(
    "Give up the lock? The program must have ended.",
    { what: "give up the lock", without: "the lock stays" },
  );
  if (!isConfirmed) warn("the lock stays");
  return isConfirmed;
}
