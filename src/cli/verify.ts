/** `verify DIR [ID...]`: reads snapshots and tells the good from the bad. */

import type { Command } from "commander";
import type { FileSnapshotStore } from "../../mod.ts";
import {
  InvalidSnapshotIdError,
  SnapshotError,
  SnapshotNotFoundError,
} from "../errors.ts";
import { CommandError } from "./failure.ts";
import { describeFinding, type Finding, findingJson } from "./finding.ts";
import { print, printJson, warn } from "./output.ts";
import { startProgress } from "./progress.ts";
import { publishedIds, withStoreToRead } from "./stores.ts";

interface VerifyCommandOptions {
  readonly json?: boolean;
}

/** Adds the command. */
export function registerVerify(program: Command): void {
  program.command("verify")
    .summary("read snapshots and check every byte")
    .description(
      "Reads snapshots and checks every byte of them. The exit code is 1 when " +
        "one is bad.",
    )
    .argument("<DIR>", "the store's directory")
    .argument("[ID...]", "the snapshots; all by default")
    .option("--json", "print an array of what was found")
    .action(verify);
}

async function verify(
  directory: string,
  named: readonly string[],
  { json = false }: VerifyCommandOptions,
): Promise<void> {
  const findings = await withStoreToRead(directory, async (store) => {
    if (named.length > 0) return await checkEach(store, named, { json });
    const ids = await publishedIds(directory);
    if (ids.length === 0) warn(`no snapshots in ${directory}`);
    return await checkEach(store, ids, { json, mayVanish: true });
  });
  if (json) await printJson(findings.map(findingJson));
  const bad = findings.filter(({ errors }) => errors.length > 0).length;
  if (bad > 0) {
    throw new CommandError(`${bad} of ${findings.length} snapshots: bad`);
  }
}

interface CheckSettings {
  readonly json: boolean;
  /** Whoever writes to the store may reap what we have just seen in it. */
  readonly mayVanish?: true;
}

async function checkEach(
  store: FileSnapshotStore,
  ids: readonly string[],
  settings: CheckSettings,
): Promise<Finding[]> {
  const idWidth = Math.max(0, ...ids.map(({ length }) => length));
  const findings: Finding[] = [];
  for (const id of ids) {
    try {
      const finding = await check(store, id);
      if (!settings.json) await print(...describeFinding(finding, idWidth));
      findings.push(finding);
    } catch (error) {
      const gone = error instanceof SnapshotNotFoundError;
      if (!gone || !settings.mayVanish) throw error;
    }
  }
  return findings;
}

async function check(store: FileSnapshotStore, id: string): Promise<Finding> {
  const progress = startProgress(`Checking ${id}`);
  try {
    const report = await store.verify(id, {
      onProgress: ({ done, total }) => progress.update(done, total),
    });
    return { ...report, report };
  } catch (error) {
    // A version that is not known or a disk that does not answer is no good
    // news either, and no reason to leave the others unchecked.
    if (!isFinding(error)) throw error;
    return { id, meta: undefined, errors: [error], report: undefined };
  } finally {
    progress.stop();
  }
}

function isFinding(error: unknown): error is SnapshotError {
  return error instanceof SnapshotError &&
    !(error instanceof SnapshotNotFoundError) &&
    !(error instanceof InvalidSnapshotIdError);
}
