/**
 * Decides whether the archive that a snapshot came from can be made again.
 *
 * @module
 */

import { SnapshotCorruptError, type SnapshotError } from "../errors.ts";
import { isSnapshotError } from "../is_snapshot_error.ts";
import { ORIGIN, readExtra } from "../snapshot/extras.ts";
import { resolveInit } from "../snapshot/init.ts";
import { encodeArchiveMeta } from "../snapshot/meta/encode.ts";
import type {
  SnapshotInit,
  SnapshotMeta,
  SnapshotMetaFields,
} from "../snapshot/types.ts";
import { SnapshotArchiveError } from "./archive_error.ts";
import {
  type ArchiveMeta,
  decodeArchiveMeta,
  initOfArchive,
} from "./archive_meta.ts";
import { SEALED_SUMS } from "./members.ts";
import { type ArchiveOrigin, decodeOrigin } from "./origin.ts";
import { checkSums, type Sums } from "./sums.ts";

/** The ID that Vault gives every snapshot. */
const VAULT_ID = "bolt-snapshot";

/** The warning about an archive without sealed sums. */
export const NO_SEAL =
  `came from Vault, but without ${SEALED_SUMS}: an ordinary restore crashes ` +
  "Vault (seen with 1.20.4); use `vault operator raft snapshot restore -force`";

/** Whether an archive with this ID in its `meta.json` came from Vault. */
export function isVaults(id: string): boolean {
  return id === VAULT_ID;
}

/**
 * The origin that the store has kept for the snapshot, if that is the origin of
 * this snapshot. `warn` gets the reason when the kept file is not used, and a
 * warning when the seal is missing.
 */
export async function loadOrigin(
  store: object,
  meta: SnapshotMeta,
  warn: (message: string) => void,
): Promise<ArchiveOrigin | undefined> {
  const what = `${ORIGIN} of snapshot ${meta.id}`;
  try {
    const bytes = await readExtra(store, meta.id, ORIGIN);
    if (bytes === undefined) return undefined;
    const origin = decodeOrigin(bytes, what);
    const { kept, init } = decodeKeptMeta(origin.meta, what);
    requireSame({ ...resolveInit(init), size: kept.size }, meta, what);
    if (isVaults(kept.id) && origin.sealedSums === undefined) {
      warn(`Snapshot ${meta.id} ${NO_SEAL}`);
    }
    return origin;
  } catch (error) {
    // Other errors say nothing about the file: the next attempt may succeed.
    if (!isOriginUnusable(error)) throw error;
    warn(
      `${error.message}; the archive gets a new meta.json, and no ` +
        `${SEALED_SUMS}, without which Vault needs restore -force`,
    );
    return undefined;
  }
}

/**
 * Checks that the kept sums match the members that were written.
 *
 * @throws {SnapshotCorruptError} with the reason `"archive"`.
 */
export function checkKeptSums(
  { sums }: ArchiveOrigin,
  actual: Sums,
  id: string,
): void {
  try {
    checkSums(sums, actual, 0);
  } catch (cause) {
    throw new SnapshotCorruptError(`${ORIGIN} of snapshot ${id}`, {
      reason: "archive",
      actual: "sums of another state or meta.json",
      expected: "the sums of this snapshot; remove the file to export the " +
        "snapshot without it",
      cause,
    });
  }
}

function isOriginUnusable(error: unknown): error is SnapshotError {
  return isSnapshotError(error, "ERR_SNAPSHOT_CORRUPT") ||
    isSnapshotError(error, "ERR_SNAPSHOT_VERSION_UNSUPPORTED");
}

/**
 * The content of the kept `meta.json`, and the snapshot that an import makes of
 * it.
 */
function decodeKeptMeta(
  bytes: Uint8Array,
  what: string,
): { readonly kept: ArchiveMeta; readonly init: SnapshotInit } {
  try {
    const kept = decodeArchiveMeta(bytes, 0);
    return { kept, init: initOfArchive(kept) };
  } catch (cause) {
    if (!(cause instanceof SnapshotArchiveError)) throw cause;
    throw new SnapshotCorruptError(what, {
      reason: "archive",
      actual: `${cause.actual} in the kept meta.json`,
      expected: cause.expected,
      cause,
    });
  }
}

/**
 * Rejects a file of another snapshot that was put into this one's directory.
 */
function requireSame(
  kept: Omit<SnapshotMetaFields, "id" | "crc">,
  meta: Omit<SnapshotMetaFields, "id" | "crc">,
  what: string,
): void {
  const [actual, expected] = [kept, meta].map((each) =>
    new TextDecoder().decode(encodeArchiveMeta({ ...each, id: "" }))
  );
  if (actual === expected) return;
  throw new SnapshotCorruptError(what, {
    reason: "archive",
    actual: "the meta.json of another snapshot",
    expected: "the meta.json of this snapshot",
  });
}
