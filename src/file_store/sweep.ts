/**
 * Removing what was left unfinished, when a store is opened. A Go server knows
 * no lock and may be writing to the same directory: what it acknowledges must
 * stay whole.
 *
 * @module
 */

import { systemCode } from "../errors.ts";
import { describe } from "../text.ts";
import type { StoreContext } from "./context.ts";
import { type TemporaryName, temporaryName } from "../snapshot/id.ts";
import { removeTemporary } from "./remove.ts";
import { isForeignAndYoung, unfinishedNames } from "./unfinished.ts";

/** Where a leftover of each state comes from, for the log. */
const ORIGINS: Readonly<Record<TemporaryName["state"], string>> = {
  writing: "an unfinished snapshot that no process is writing any more",
  deleted: "the rest of a deletion",
  sealing: "the rest of a seal",
  corrupt: "a corrupt snapshot",
};

/** The outcome for a leftover; `"gone"`: it was published or removed meanwhile. */
export type SweepOutcome = "removed" | "left" | "failed" | "gone";

/**
 * Removes the directories that no live process can be writing: the lock proves
 * that for those of this library, their age for those of another program. A
 * failure is reported and does not stop the rest. Resolves to the outcomes by
 * name.
 */
export async function sweepUnfinished(
  context: StoreContext,
): Promise<Map<string, SweepOutcome>> {
  const outcomes = new Map<string, SweepOutcome>();
  const names = await unfinishedNames(context);
  const isWriting = ({ state }: TemporaryName) => state === "writing";
  // First, because the others are given names of this kind.
  for (const rest of names.filter((name) => !isWriting(name))) {
    const name = temporaryName(rest);
    outcomes.set(name, await remove(context, name, rest));
  }
  for (const draft of names.filter(isWriting)) {
    outcomes.set(temporaryName(draft), await sweepDraft(context, draft));
  }
  return outcomes;
}

async function sweepDraft(
  context: StoreContext,
  draft: TemporaryName,
): Promise<SweepOutcome> {
  const name = temporaryName(draft);
  try {
    if (await isForeignAndYoung(context, draft)) {
      context.logger.info(
        `Left ${name} alone: it was changed less than ` +
          `${context.foreignTmpAgeMs / 1000} s ago, so another program ` +
          "may be writing it",
      );
      return "left";
    }
    const renamed = await takeAway(context, draft);
    return renamed === undefined
      ? "gone"
      : await remove(context, renamed, draft);
  } catch (error) {
    context.logger.warn(
      `Cannot remove ${context.path}/${name}: ${describe(error)}; ` +
        "the next opening tries again",
    );
    return "failed";
  }
}

/**
 * Takes the name away before the files: a Go server that is still writing fails
 * to publish it, and keeps its log. With the files removed under its name, Go
 * would publish and acknowledge a snapshot that lacks some of them.
 *
 * Nothing is synced: after a power cut that brings the name back, no process is
 * left that could publish it. Resolves to the new name; to nothing when the
 * snapshot has been published or removed meanwhile.
 */
async function takeAway(
  context: StoreContext,
  draft: TemporaryName,
): Promise<string | undefined> {
  const name = temporaryName(draft);
  const renamed = temporaryName({ id: draft.id, state: "deleted" });
  try {
    await context.fileSystem.rename(
      `${context.path}/${name}`,
      `${context.path}/${renamed}`,
    );
    return renamed;
  } catch (error) {
    const code = systemCode(error);
    if (code === "ENOENT") return undefined;
    // What is in the lower layer of an overlayfs can't be renamed. It came with
    // an image, so that no process is writing it.
    if (code === "EXDEV") return name;
    throw error;
  }
}

async function remove(
  context: StoreContext,
  name: string,
  leftover: TemporaryName,
): Promise<SweepOutcome> {
  await removeTemporary(context, name);
  if (context.leftovers.has(name)) return "failed"; // which has been reported
  context.logger.info(
    `Removed ${temporaryName(leftover)}: ${ORIGINS[leftover.state]}`,
  );
  return "removed";
}
