/** Reads archives of a store of them to the end, and tells good from bad. */

import {
  type ArchiveMeta,
  type ArchiveStore,
  readArchive,
} from "../../archive/mod.ts";
import { SnapshotError, SnapshotNotFoundError } from "../../../mod.ts";
import { describeFinding, type Finding, stateOf } from "../finding.ts";
import { printPainted, warn } from "../output.ts";
import { startProgress } from "../progress.ts";
import { reading } from "./open.ts";

/**
 * Checks archives, all of them when none is named, and prints the results
 * unless they are to be JSON.
 */
export async function checkArchives(
  store: ArchiveStore,
  named: readonly string[],
  { json, signal }: { readonly json: boolean; readonly signal?: AbortSignal },
): Promise<Finding[]> {
  const listed = await reading(() => store.list());
  const names = named.length > 0 ? named : listed.map(({ name }) => name);
  const width = Math.max(0, ...names.map(({ length }) => length));
  const findings: Finding[] = [];
  for (const name of names) {
    try {
      const finding = await checkOne(store, name, signal);
      if (!json) await printPainted(...describeFinding(finding, width));
      findings.push(finding);
    } catch (error) {
      // Another program may remove one that was listed.
      const isGone = error instanceof SnapshotNotFoundError;
      if (!isGone || named.length > 0) throw error;
    }
  }
  return findings;
}

/** Checks one archive. */
export async function checkOne(
  store: ArchiveStore,
  name: string,
  signal?: AbortSignal,
): Promise<Finding> {
  const unchecked: string[] = [];
  const progress = startProgress(`Checking ${name}`);
  const done = { id: name, report: undefined, unchecked };
  let meta: ArchiveMeta | undefined;
  try {
    const source = await readArchive(await store.open(name), {
      ...(signal === undefined ? {} : { signal }),
      onProgress: ({ done, total }) => progress.update(done, total),
      onUnchecked: (member) => unchecked.push(member),
    });
    await source.pipeTo(new WritableStream());
    meta = source.meta;
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof SnapshotNotFoundError) throw error;
    if (!(error instanceof SnapshotError)) throw error;
    return { ...done, meta: undefined, errors: [error] };
  } finally {
    progress.stop();
  }
  for (const member of unchecked) {
    warn(`cannot check ${member} in ${name}: only Vault has the key`);
  }
  return { ...done, meta, errors: [] };
}

/** The newest archive that is good; the ones that are not, on the way to it. */
export async function findNewestGoodArchive(
  store: ArchiveStore,
  signal: AbortSignal,
): Promise<{ name: string | undefined; passedOver: Finding[] }> {
  const passedOver: Finding[] = [];
  for (const { name } of await reading(() => store.list())) {
    const finding = await checkOne(store, name, signal);
    if (stateOf(finding) === "ok") return { name, passedOver };
    passedOver.push(finding);
  }
  return { name: undefined, passedOver };
}
