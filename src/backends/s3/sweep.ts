/**
 * Removes the remains of writers that have ended, by their age alone, because
 * the snapshot of a live writer looks the same.
 *
 * @module
 */

import { sideBySide } from "../../fs/side_by_side.ts";
import type { Found, FoundSnapshot } from "./catalog.ts";
import { S3Failure } from "./client/failure.ts";
import { listUploads } from "./client/listing.ts";
import { abortUpload } from "./client/multipart.ts";
import { deleteObject, putObject } from "./client/objects.ts";
import { isSweepMark, newSweepMark, type SweepMark } from "./names.ts";
import { type BucketParts, isOlder } from "./parts.ts";

/** How many are removed side by side. */
const CONCURRENCY = 4;

/**
 * A sweep's mark that is older was left by one that has ended: none takes half as
 * long.
 */
const MARK_MS_MAX = 3_600_000;

/** Which snapshots may be removed. */
export interface SweepRule {
  /** How old it must be, in milliseconds by the server's clock. */
  readonly olderThanMs: number;
  /** Whether this process is writing the snapshot. */
  readonly isOwn: (id: string) => boolean;
}

/** The outcome for the rest of a snapshot. */
export type SweepOutcome = "removed" | "left" | "failed";

/**
 * Sweeps. Objects that can't be removed are reported, and do not fail the call.
 * Resolves to the outcome of each snapshot that was old enough.
 */
export async function sweep(
  parts: BucketParts,
  { snapshots }: Found,
  rule: SweepRule,
): Promise<ReadonlyMap<string, SweepOutcome>> {
  const outcomes = new Map<string, SweepOutcome>();
  const old = [...snapshots.values()].filter((found) =>
    isUnfinished(found) && isOlder(parts, found.modified, rule.olderThanMs) &&
    !rule.isOwn(found.id)
  );
  await sideBySide(old, CONCURRENCY, async ({ id }) => {
    outcomes.set(id, "failed");
    await attempt(parts, id, async () => {
      const isRemoved = await sweepOne(parts, id, rule);
      outcomes.set(id, isRemoved ? "removed" : "left");
      if (!isRemoved) return;
      parts.report({ type: "cleanedUp", id, name: id, state: "writing" });
    });
  });
  await attempt(parts, undefined, () => sweepUploads(parts, rule));
  return outcomes;
}

function isUnfinished({ state }: FoundSnapshot): boolean {
  return state === "writing" || state === "abandoned";
}

/**
 * Says first that it is about to remove the snapshot, and looks then whether the
 * writer has published it: the writer looks the other way round, so one of them
 * sees the other. Resolves to whether it was removed.
 */
async function sweepOne(
  parts: BucketParts,
  id: string,
  { olderThanMs }: SweepRule,
): Promise<boolean> {
  const { catalog, client, keys, options } = parts;
  const mark = newSweepMark();
  const key = keys.key(id, mark);
  const endsAt = client.serverTime + MARK_MS_MAX / 2;
  // Finds out whether the mark can be deleted, because it would otherwise stay.
  await deleteObject(client, key);
  await putObject(client, { key, body: new Uint8Array() }, options);
  const found = await catalog.look(id);
  catalog.forget(id);
  // A writer may have continued since the sweep has listed the bucket.
  const isLeft = found.isWhole || !isOlder(parts, found.modified, olderThanMs);
  const doomed = found.parts.filter((part) =>
    isSweepMark(part) ? part !== mark && isStale(parts, found, part) : !isLeft
  );
  for (const part of doomed) {
    // This machine has slept, so another sweep may take the mark for a stale
    // one.
    if (client.serverTime > endsAt) return false;
    await deleteObject(client, keys.key(id, part));
  }
  if (!isLeft) await removeLateMeta(parts, id);
  await deleteObject(client, key);
  return !isLeft;
}

/**
 * Removes `meta.json` of a writer that has ended before it saw the mark: its
 * state is gone.
 */
async function removeLateMeta(
  { catalog, client, keys }: BucketParts,
  id: string,
): Promise<void> {
  const found = await catalog.look(id);
  catalog.forget(id);
  if (!found.part("meta.json") || found.isWhole) return;
  await deleteObject(client, keys.key(id, "meta.json"));
}

/**
 * Whether the sweep that has put a mark has ended without removing it. Any other
 * sweep may be about to remove the state, which the writer must see.
 */
function isStale(
  parts: BucketParts,
  found: FoundSnapshot,
  mark: SweepMark,
): boolean {
  const { modified = 0 } = found.part(mark) ?? {};
  return isOlder(parts, modified, MARK_MS_MAX);
}

async function sweepUploads(
  parts: BucketParts,
  { olderThanMs, isOwn }: SweepRule,
): Promise<void> {
  const { client, keys, report } = parts;
  const old = (await listUploads(client, keys.root)).flatMap((upload) => {
    const { id } = keys.parse(upload.key) ?? {};
    if (id === undefined || isOwn(id)) return [];
    return isOlder(parts, upload.initiated, olderThanMs)
      ? [{ id, upload }]
      : [];
  });
  await sideBySide(old, CONCURRENCY, ({ id, upload }) =>
    // One that can't be aborted does not keep the others.
    attempt(parts, id, async () => {
      await abortUpload(client, upload);
      report({ type: "cleanedUp", id, name: upload.key, state: "writing" });
    }));
}

async function attempt(
  { report }: BucketParts,
  id: string | undefined,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof S3Failure)) throw error;
    // Without the right to delete, the bucket's own rule removes these.
    const isExpected = error.isDenied || error.code === "NotImplemented";
    report({ type: "failed", operation: "sweep", id, error, isExpected });
  }
}
