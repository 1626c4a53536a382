/**
 * `verify DIR [ID...]` or `verify FILE...`: reads snapshots and tells the good
 * from the bad.
 */

import type { Command } from "commander";
import {
  parseSnapshotId,
  printable,
  SnapshotNotFoundError,
  type SnapshotStore,
} from "../../mod.ts";
import { checkArchive } from "./archive_file.ts";
import { checkArchives } from "./archives/check.ts";
import { findArchives } from "./archives/open.ts";
import { parsePath } from "./arguments.ts";
import { checkSnapshot } from "./check_snapshot.ts";
import { CommandError, NOT_CHECKED } from "./failure.ts";
import {
  describeFinding,
  type Finding,
  findingJson,
  type FindingState,
  isFinding,
  stateOf,
} from "./finding.ts";
import { note, print, printJson, printPainted, warn } from "./output.ts";
import { chooseId, findPlace, type StorePlace } from "./place.ts";
import { placeIn, publishedIds, resolveId, withStoreToRead } from "./stores.ts";
import { tellUnfinished } from "./unfinished.ts";

interface VerifyCommandOptions {
  readonly json?: boolean;
}

/** Adds the command. */
export function registerVerify(program: Command): void {
  program.command("verify")
    .summary("read snapshots and check every byte")
    .description(
      "Reads snapshots and checks every byte of them, in a store or in " +
        "archives. The exit code is 1 when one is bad, and 3 when none is bad " +
        "but one could not be read (???).",
    )
    .argument(
      "<DIR|FILE>",
      "the store's directory, or an archive",
      parsePath,
    )
    .argument(
      "[ID|FILE...]",
      "the snapshots, or latest, all by default; or more archives",
    )
    .option("--json", "print the results as an object")
    .action(verify);
}

async function verify(
  path: string,
  named: readonly string[],
  { json = false }: VerifyCommandOptions,
): Promise<void> {
  const archives = await findArchives(path);
  if (archives !== undefined) {
    const findings = await checkArchives(archives, named, { json });
    if (json) await printJson({ archives: findings.map(findingJson) });
    return requireGood(findings);
  }
  const place = await findPlace(path);
  const findings = place.kind === "archive"
    ? await verifyArchives([path, ...named.map(parsePath)], json)
    : await verifyStore(place, named, json);
  const isAll = place.kind === "store" && place.id === undefined &&
    named.length === 0;
  if (isAll && !json) await printNewestGood(findings);
  const unfinished = place.kind === "archive"
    ? undefined
    : await tellUnfinished(place.directory);
  if (json) {
    const snapshots = findings.map(findingJson);
    await printJson(unfinished ? { snapshots, unfinished } : { snapshots });
  }
  requireGood(findings);
}

/** Prints the newest good snapshot, unless it is the newest of all. */
async function printNewestGood(findings: readonly Finding[]): Promise<void> {
  const position = findings.findIndex((each) => stateOf(each) === "ok");
  if (position === 0 || findings.length === 0) return;
  const id = findings[position]?.id;
  await print(
    id === undefined
      ? "newest good: none"
      : `newest good: ${id} (index ${parseSnapshotId(id).index})`,
  );
}

/** One bad snapshot decides, whatever else could not be read. */
function requireGood(findings: readonly Finding[]): void {
  const count = (state: FindingState) =>
    findings.filter((finding) => stateOf(finding) === state).length;
  const [bad, unchecked] = [count("bad"), count("unchecked")];
  if (bad + unchecked === 0) return;
  const parts = [
    ...(bad > 0 ? [`${bad} of ${findings.length} snapshots: bad`] : []),
    ...(unchecked > 0
      ? [`${unchecked} of ${findings.length} snapshots: could not be checked`]
      : []),
  ];
  throw new CommandError(parts.join("; "), {
    exitCode: bad > 0 ? 1 : NOT_CHECKED,
  });
}

async function verifyArchives(
  files: readonly string[],
  json: boolean,
): Promise<Finding[]> {
  const idWidth = Math.max(...files.map((file) => printable(file).length));
  const findings: Finding[] = [];
  for (const file of files) {
    const finding = await checkFile(file);
    if (!json) await printPainted(...describeFinding(finding, idWidth));
    findings.push(finding);
  }
  return findings;
}

async function checkFile(file: string): Promise<Finding> {
  try {
    const { meta, unchecked } = await checkArchive(file);
    for (const member of unchecked) {
      warn(`cannot check ${member} in ${file}: only Vault has the key`);
    }
    return { id: file, meta, errors: [], report: undefined, unchecked };
  } catch (error) {
    // A file that can't be read is not a reason to leave the others unchecked.
    if (!isFinding(error)) throw error;
    const [meta, report] = [undefined, undefined];
    return { id: file, meta, errors: [error], report, unchecked: [] };
  }
}

async function verifyStore(
  place: StorePlace,
  named: readonly string[],
  json: boolean,
): Promise<Finding[]> {
  const { directory } = place;
  const [first, ...more] = named;
  const chosen = [chooseId(place, first), ...more];
  return await withStoreToRead(directory, async (store) => {
    if (chosen[0] !== undefined) {
      const ids: string[] = [];
      for (const id of chosen) {
        if (id !== undefined) ids.push(await resolveId(store, directory, id));
      }
      return await checkEach(store, ids, { json });
    }
    for (const name of (await store.inspect()).foreign) {
      warn(`Cannot check ${placeIn(directory, name)}: not a snapshot`);
    }
    const ids = await publishedIds(store);
    if (ids.length === 0) note(`no snapshots in ${directory}`);
    return await checkEach(store, ids, { json, mayVanish: true });
  });
}

interface CheckSettings {
  readonly json: boolean;
  /** Whether another program may remove a snapshot before it is checked. */
  readonly mayVanish?: true;
}

async function checkEach(
  store: SnapshotStore,
  ids: readonly string[],
  settings: CheckSettings,
): Promise<Finding[]> {
  const idWidth = Math.max(0, ...ids.map(({ length }) => length));
  const findings: Finding[] = [];
  for (const id of ids) {
    try {
      const finding = await checkSnapshot(store, id);
      if (!settings.json) {
        await printPainted(...describeFinding(finding, idWidth));
      }
      findings.push(finding);
    } catch (error) {
      const gone = error instanceof SnapshotNotFoundError;
      if (!gone || !settings.mayVanish) throw error;
    }
  }
  return findings;
}
