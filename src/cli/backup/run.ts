/**
 * Makes one backup: requests a snapshot, checks it, publishes it, and reads it
 * back.
 */

import { createHash } from "node:crypto";
import {
  type ArchiveMeta,
  type ArchiveStore,
  copyArchive,
  readArchive,
  type StoredArchive,
} from "../../archive/mod.ts";
import {
  applyRetentionPolicy,
  isSnapshotError,
  printable,
  type RetentionPolicy,
} from "../../../mod.ts";
import { removeArchives } from "../archives/remove.ts";
import { warn } from "../output.ts";
import { messageOf } from "../reason.ts";
import { requestSnapshot, SourceError } from "./source.ts";
import type { SourceSettings } from "./source_options.ts";
import type { RunOutcome, VerifiedBackup } from "./status.ts";

/** The settings of a backup. */
export interface BackupTask {
  readonly source: SourceSettings;
  readonly store: ArchiveStore;
  /** Which backups to keep; all without a policy. */
  readonly policy: RetentionPolicy | undefined;
}

/** A backup that is done. */
export interface BackupResult {
  readonly outcome: RunOutcome;
  /** The newest backup, which is known to be good. */
  readonly backup: VerifiedBackup;
}

/**
 * Makes a backup where nothing is known of those before. The newest one is read
 * only when it has the same index, because it may be large.
 */
export async function makeFirstBackup(
  task: BackupTask,
  signal: AbortSignal,
): Promise<BackupResult> {
  const [candidate] = await task.store.list();
  try {
    return await makeBackup(task, { candidate, signal });
  } catch (error) {
    if (!(error instanceof SameIndexError)) throw error;
  }
  const newest = await findNewestBackup(task.store, signal);
  return await makeBackup(task, { newest, signal });
}

/** The snapshot may equal the newest backup, which was not read yet. */
class SameIndexError extends Error {
  override readonly name = "SameIndexError";
}

/** The state before a backup. */
export interface Before {
  /** The newest good backup, as far as that is known. */
  readonly newest?: VerifiedBackup | undefined;
  /** The newest one, if it was not read. */
  readonly candidate?: StoredArchive | undefined;
  readonly signal: AbortSignal;
}

/**
 * Makes a backup. When nothing has changed since the newest good one, the
 * snapshot is checked, and not stored again.
 *
 * @throws {SameIndexError} when the candidate has the same index.
 */
export async function makeBackup(
  task: BackupTask,
  { newest, candidate, signal }: Before,
): Promise<BackupResult> {
  const { source, store } = task;
  const createdAt = new Date();
  const answer = await requestSnapshot(source, signal);
  const digest = new DigestSink(answer.sha256);
  const { meta, size } = await copyArchive(answer.chunks, async (meta) => {
    if (candidate?.index === meta.index) throw new SameIndexError();
    warnOfStepBack(meta, newest ?? candidate);
    if (isSame(meta, newest) && await isThere(newest, store)) {
      return digest.over(new WritableStream());
    }
    return digest.over(await store.create({ index: meta.index, createdAt }));
  }, { signal, requireSealedSums: source.vendor.sealsSums });
  const name = digest.archiveName;
  if (name === undefined) {
    return { outcome: "unchanged", backup: newest as VerifiedBackup };
  }
  const { index } = meta;
  const stored = { name, index, size, createdAt };
  const backup = await readBack(store, stored, { signal, hex: digest.hex });
  return { outcome: "saved", backup };
}

function isSame(
  { index, term }: ArchiveMeta,
  newest: VerifiedBackup | undefined,
): newest is VerifiedBackup {
  return newest?.index === index && newest.term === term;
}

/** Whether another program has removed or changed it meanwhile. */
async function isThere(
  { name, size }: VerifiedBackup,
  store: ArchiveStore,
): Promise<boolean> {
  const archives = await store.list();
  return archives.some((each) => each.name === name && each.size === size);
}

function warnOfStepBack(
  { index }: ArchiveMeta,
  newest: Pick<StoredArchive, "index"> | undefined,
): void {
  if (newest === undefined || index >= newest.index) return;
  warn(
    `the index is ${index}, and that of the last backup is ${newest.index}: ` +
      "the cluster was rebuilt, a server is behind, or two clusters share the " +
      "destination",
  );
}

/**
 * Reads an archive from the destination and checks all of it.
 *
 * @throws {Error} when it is bad, or not the bytes that were written.
 */
export async function readBack(
  store: ArchiveStore,
  { name, index, createdAt }: StoredArchive,
  { signal, hex }: { readonly signal: AbortSignal; readonly hex?: string },
): Promise<VerifiedBackup> {
  const hash = createHash("sha256");
  let size = 0;
  const hashed = async function* (
    stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  ) {
    for await (const chunk of stream) {
      hash.update(chunk);
      size += chunk.length;
      yield chunk;
    }
  };
  const source = await readArchive(hashed(await store.open(name)), { signal });
  await source.pipeTo(new WritableStream());
  const { meta } = source;
  const found = hash.digest("hex");
  if (meta.index !== index || hex !== undefined && hex !== found) {
    throw new Error(
      `Cannot trust the backup ${name} in ${printable(store.place)}: found ` +
        "another archive, expected the one that was written",
    );
  }
  return { name, index, term: meta.term, size, createdAt };
}

/**
 * The newest archive that is good: reads one after the other until one is.
 *
 * @throws {unknown} errors of the system, which do not mean that an archive is
 * bad.
 */
export async function findNewestBackup(
  store: ArchiveStore,
  signal: AbortSignal,
): Promise<VerifiedBackup | undefined> {
  for (const archive of await store.list()) {
    try {
      return await readBack(store, archive, { signal });
    } catch (error) {
      signal.throwIfAborted();
      const isGone = isSnapshotError(error, "ERR_SNAPSHOT_NOT_FOUND");
      if (isSnapshotError(error, "ERR_STORE_ACCESS")) throw error;
      if (!isGone) warn(`${archive.name} is not good: ${messageOf(error)}`);
    }
  }
  return undefined;
}

/**
 * Removes the backups that the policy does not keep; gives their names. The
 * newest good backup stays, whatever the policy says.
 */
export async function prune(
  { store, policy }: BackupTask,
  newest: VerifiedBackup,
  signal: AbortSignal,
): Promise<string[]> {
  if (policy === undefined) return [];
  const decisions = applyRetentionPolicy(await store.list(), policy, {
    timeOf: ({ createdAt }) => createdAt,
    protect: ({ name }) =>
      name === newest.name ? "newest known to be good" : undefined,
  });
  // The backup itself is done, whatever can't be removed.
  const { removed } = await removeArchives(store, decisions, signal);
  return removed.map(({ name }) => name);
}

/** Computes the SHA-256 of the bytes that go into a sink. */
class DigestSink {
  readonly #expected: string | undefined;
  readonly #hash = createHash("sha256");
  /** The digest in hexadecimal, once the sink was closed. */
  hex = "";
  /** The name of the archive, if it goes into a store. */
  archiveName: string | undefined;

  /** `expected` is the digest in base64, where it is known. */
  constructor(expected: string | undefined) {
    this.#expected = expected;
  }

  over(
    sink: WritableStream<Uint8Array> & { readonly archiveName?: string },
  ): WritableStream<Uint8Array> {
    this.archiveName = sink.archiveName;
    const writer = sink.getWriter();
    return new WritableStream({
      write: (chunk) => {
        this.#hash.update(chunk);
        return writer.write(chunk);
      },
      close: async () => {
        const digest = this.#hash.digest();
        this.hex = digest.toString("hex");
        const found = digest.toString("base64");
        if (this.#expected === undefined || this.#expected === found) {
          return await writer.close();
        }
        const error = new SourceError(
          "Cannot trust the snapshot: the server says that its SHA-256 is " +
            `${this.#expected}, found ${found}`,
        );
        await writer.abort(error).catch(() => {});
        throw error;
      },
      abort: (reason) => writer.abort(reason),
    });
  }
}
