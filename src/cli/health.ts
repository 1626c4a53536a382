/** The health of a store, for `doctor`. */

import { statfs } from "node:fs/promises";
import {
  type ListEntry,
  type QuarantinedSnapshot,
  type SnapshotMeta,
  SnapshotNotFoundError,
  type SnapshotReader,
  type StoreInspection,
} from "../../mod.ts";
import { isBucket } from "./buckets.ts";
import { checkSnapshot } from "./check_snapshot.ts";
import { type Finding, type FindingState, stateOf } from "./finding.ts";

/** The result of an examination. */
export interface Health {
  readonly place: string;
  /** When it was looked at. */
  readonly now: Date;
  /** Of all published snapshots, newest first. */
  readonly findings: readonly Finding[];
  /** Whether the states were read. */
  readonly isRead: boolean;
  /** The newest one by the store's order, good or not. */
  readonly newest: SnapshotMeta | undefined;
  /** The one that a start restores. */
  readonly restored: SnapshotMeta | undefined;
  readonly quarantined: readonly QuarantinedSnapshot[];
  readonly inspection: StoreInspection;
  /** Bytes of the states, also of those that are unfinished. */
  readonly usedBytes: number;
  /** Bytes that are free in the file system, where it tells. */
  readonly freeBytes: number | undefined;
}

/** How to look. */
export interface HealthOptions {
  /** Whether to read the states. */
  readonly read: boolean;
  readonly signal: AbortSignal;
}

/** Looks at a store; takes no lock and changes nothing. */
export async function examine(
  store: SnapshotReader,
  directory: string,
  { read, signal }: HealthOptions,
): Promise<Health> {
  const inspection = await store.inspect();
  const findings: Finding[] = [];
  const metas = new Map<string, SnapshotMeta>();
  for (const entry of await store.list({ unusable: true })) {
    if (entry.state === "quarantined") continue;
    if (entry.state === "usable") metas.set(entry.id, entry.meta);
    const finding = await look(store, entry, { read, signal });
    if (finding !== undefined) findings.push(finding);
  }
  const good = findings.find((finding) => stateOf(finding) === "ok");
  const sizes = [
    ...findings.map(({ meta }) => meta?.size ?? 0),
    ...inspection.unfinished.map(({ size = 0 }) => size),
  ];
  return {
    place: directory,
    now: new Date(),
    findings,
    isRead: read,
    newest: metas.get(findings[0]?.id ?? ""),
    restored: metas.get(good?.id ?? ""),
    quarantined: inspection.quarantined,
    inspection,
    usedBytes: sizes.reduce((sum, size) => sum + size, 0),
    freeBytes: await freeBytesOf(directory),
  };
}

/** How many are in a state. */
export function countOf({ findings }: Health, state: FindingState): number {
  return findings.filter((finding) => stateOf(finding) === state).length;
}

/** Checks one snapshot; `undefined` when another program has removed it. */
async function look(
  store: SnapshotReader,
  entry: Exclude<ListEntry, { readonly state: "quarantined" }>,
  { read, signal }: HealthOptions,
): Promise<Finding | undefined> {
  const { id } = entry;
  if (!read) {
    const [meta, errors] = entry.state === "usable"
      ? [entry.meta, []]
      : [undefined, [entry.error]];
    return { id, meta, errors, report: undefined };
  }
  try {
    return await checkSnapshot(store, id, signal);
  } catch (error) {
    if (error instanceof SnapshotNotFoundError) return undefined;
    throw error;
  }
}

/** Deno tells only with --allow-sys; a bucket has no end. */
async function freeBytesOf(directory: string): Promise<number | undefined> {
  if (isBucket(directory)) return undefined;
  try {
    const { bavail, bsize } = await statfs(directory);
    return bavail * bsize;
  } catch {
    return undefined;
  }
}
