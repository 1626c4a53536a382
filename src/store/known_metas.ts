/**
 * The metadata of snapshots that have been read and checked, so that a list does
 * not read them again as long as the backend says that nothing has changed.
 *
 * @module
 */

import { makeMeta } from "../snapshot/meta/snapshot_meta.ts";
import type { SnapshotMeta } from "../snapshot/types.ts";

/** Keeps metadata by ID and version. */
export class KnownMetas {
  readonly #known = new Map<
    string,
    { readonly version: string; readonly meta: SnapshotMeta }
  >();

  /** Whether it keeps the metadata of any version. */
  has(id: string): boolean {
    return this.#known.has(id);
  }

  /** A copy of the metadata of that version, which the caller may change. */
  get(id: string, version: string | undefined): SnapshotMeta | undefined {
    const known = this.#known.get(id);
    return known !== undefined && known.version === version
      ? copy(known.meta)
      : undefined;
  }

  /** Keeps metadata, if a version is given. */
  note(version: string | undefined, meta: SnapshotMeta): void {
    if (version === undefined) this.#known.delete(meta.id);
    else this.#known.set(meta.id, { version, meta: copy(meta) });
  }

  /** Forgets all others. */
  keepOnly(ids: readonly string[]): void {
    const kept = new Set(ids);
    for (const id of this.#known.keys()) {
      if (!kept.has(id)) this.#known.delete(id);
    }
  }
}

/** A copy, because a caller may change its metadata. */
function copy(meta: SnapshotMeta): SnapshotMeta {
  const servers = meta.configuration.servers.map((server) => ({ ...server }));
  const peers = meta.peers.slice();
  return makeMeta({ ...meta, configuration: { servers }, peers });
}
