/**
 * Removes what writers that are gone have left, by its age alone: another
 * process may be writing what looks the same.
 *
 * @module
 */

import { sideBySide } from "../../fs/side_by_side.ts";
import type { Found, FoundSnapshot } from "./catalog.ts";
import { S3Failure } from "./client/failure.ts";
import { listUploads } from "./client/listing.ts";
import { abortUpload } from "./client/multipart.ts";
import { deleteObject, putObject } from "./client/objects.ts";
import { type BucketParts, isOlder } from "./parts.ts";
import { deleteParts } from "./removals.ts";

/** How many are removed side by side. */
const CONCURRENCY = 4;

/** What may be removed. */
export interface SweepRule {
  /** How old it must be, in milliseconds by the server's clock. */
  readonly olderThanMs: number;
  /** Whether this process is writing the snapshot. */
  readonly isOwn: (id: string) => boolean;
}

/** What became of the rest of a snapshot. */
export type SweepOutcome = "removed" | "left" | "failed";

/**
 * Sweeps; what can't be removed is reported, and is no failure. Resolves to what
 * became of each snapshot that was old enough.
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
  await sideBySide(old, CONCURRENCY, async (found) => {
    const { id } = found;
    outcomes.set(id, "failed");
    await attempt(parts, id, async () => {
      const isRemoved = await sweepOne(parts, found);
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
 * writer has published it: the writer looks the other way round. Resolves to
 * whether it was removed.
 */
async function sweepOne(
  parts: BucketParts,
  { id, state }: FoundSnapshot,
): Promise<boolean> {
  const { catalog, client, keys, options } = parts;
  const key = keys.key(id, "abandoned");
  if (state !== "abandoned") {
    // Shows whether anything can be deleted: otherwise it would stay for good.
    await deleteObject(client, key);
    await putObject(client, { key, body: new Uint8Array() }, options);
  }
  const found = await catalog.look(id);
  catalog.forget(id);
  if (found.part("meta.json") === undefined) {
    await deleteParts(parts, found, "abandoned");
    return true;
  }
  await deleteObject(client, key);
  return false;
}

async function sweepUploads(
  parts: BucketParts,
  { olderThanMs, isOwn }: SweepRule,
): Promise<void> {
  const { client, keys, report } = parts;
  for (const upload of await listUploads(client, keys.root)) {
    const name = keys.parse(upload.key);
    if (name === undefined || isOwn(name.id)) continue;
    if (!isOlder(parts, upload.initiated, olderThanMs)) continue;
    await abortUpload(client, upload);
    const { id } = name;
    report({ type: "cleanedUp", id, name: upload.key, state: "writing" });
  }
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
    // Without the right to it, the bucket's own rule removes these.
    const isExpected = error.isDenied || error.code === "NotImplemented";
    report({ type: "failed", operation: "sweep", id, error, isExpected });
  }
}
