/**
 * Makes a snapshot in a store of an archive.
 *
 * @module
 */

import { type OptionNames, requireKnown } from "../option_names.ts";
import { addExtra, ORIGIN } from "../snapshot/extras.ts";
import type { SnapshotMeta } from "../snapshot/types.ts";
import type { SnapshotStore } from "../snapshot/stores.ts";
import { ArchiveInput } from "./archive_input.ts";
import { initOfArchive } from "./archive_meta.ts";
import { isVaults, NO_SEAL } from "./kept_origin.ts";
import { SEALED_SUMS } from "./members.ts";
import { type ArchiveOrigin, encodeOrigin } from "./origin.ts";
import {
  openArchive,
  READ_OPTIONS,
  type ReadArchiveOptions,
} from "./read_archive.ts";

/** Options of `importArchive()`. */
export interface ImportArchiveOptions extends ReadArchiveOptions {
  /** Cancels the import when it aborts, until the snapshot is published. */
  readonly signal?: AbortSignal;
  /**
   * Called with a warning about a part that a later export will lack.
   * @default {console.warn}
   */
  readonly onWarning?: (message: string) => void;
}

const IMPORT_OPTIONS: OptionNames<ImportArchiveOptions> = {
  ...READ_OPTIONS,
  onWarning: true,
};

/**
 * Puts the snapshot in an archive into a store, whose retention applies, and
 * resolves to its metadata there. The ID is a new one of that store; index,
 * term and configuration are the archive's. The snapshot is published only when
 * everything in the archive has been checked, up to its last byte. On any error
 * the store stays as it was, and `archive` is cancelled.
 *
 * @throws {SnapshotArchiveError} when the archive can't be trusted.
 * @throws {UnsupportedSnapshotVersionError} when it is of an unknown version.
 * @throws {SnapshotPublishError} when the store can't write or publish the
 * snapshot.
 * @throws {TypeError} when the stream is locked, or gives something other than
 * bytes.
 *
 * @example Back up a running Consul
 * ```ts
 * import { openFileSnapshotStore } from "@raft/snapshots";
 * import { importArchive } from "@raft/snapshots/archive";
 *
 * async function backUp(consul: string): Promise<void> {
 *   const store = await openFileSnapshotStore("./backups", {
 *     order: "taken",
 *     retain: 7,
 *   });
 *   const { body } = await fetch(`${consul}/v1/snapshot`, {
 *     // Consul would compress twice, and Node 20 then holds all in memory.
 *     headers: { "accept-encoding": "identity" },
 *   });
 *   if (body !== null) console.log((await importArchive(store, body)).id);
 *   await store.close();
 * }
 * ```
 */
export async function importArchive(
  store: Pick<SnapshotStore, "create">,
  archive: ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>,
  options: ImportArchiveOptions = {},
): Promise<SnapshotMeta> {
  requireKnown(options, IMPORT_OPTIONS);
  const { signal, onWarning = (text) => console.warn(text), ...reading } =
    options;
  const abortable = signal === undefined ? {} : { signal };
  const { source, origin } = await openArchive(new ArchiveInput(archive), {
    ...reading,
    ...abortable,
  });
  let sink;
  try {
    sink = await store.create(initOfArchive(source.meta), abortable);
  } catch (error) {
    await source.cancel(error);
    throw error;
  }
  try {
    const isKept = addExtra(sink, () => ({
      name: ORIGIN,
      bytes: encodeOrigin(origin()),
    }));
    // The pipe does not abort the sink: an error of the abort would hide the
    // first one.
    await source.pipeTo(sink, { ...abortable, preventAbort: true });
    warnOfSeal(source.meta.id, origin(), isKept, onWarning);
    return sink.meta;
  } catch (error) {
    await sink.cancel(error).catch(() => {});
    throw error;
  }
}

/** Warns when the sums are missing that only Vault can seal, and needs. */
function warnOfSeal(
  id: string,
  { sealedSums }: ArchiveOrigin,
  isKept: boolean,
  warn: (message: string) => void,
): void {
  if (sealedSums === undefined && isVaults(id)) {
    warn(`The archive ${NO_SEAL}`);
  }
  if (sealedSums === undefined || isKept) return;
  warn(
    `The store can't keep ${SEALED_SUMS}: an archive that is made of this ` +
      "snapshot restores in Vault only with -force",
  );
}
