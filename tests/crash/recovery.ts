/**
 * The findings of a store that is opened after a crash.
 *
 * @module
 */

import {
  type FileSnapshotStoreOptions,
  type FileSystem,
  type Logger,
  NoUsableSnapshotError,
  openFileSnapshotStore,
  SnapshotCorruptError,
  type SnapshotSource,
  type SnapshotStore,
} from "@raft/snapshots";

/** Where the store is. */
export const BASE = "/srv/raft";

/** Logs nothing: a store that opens after a crash logs a lot. */
export const silent: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
};

/** A snapshot as a reader finds it. */
export interface FoundSnapshot {
  readonly id: string;
  /** Its state; `undefined` when it was refused as corrupt. */
  readonly state: Uint8Array | undefined;
  /** Whether `verify()` finds it to be good. */
  readonly ok: boolean;
  readonly sealed: boolean;
}

/** The outcome of `restore()`. */
export type Restored =
  | { readonly id: string; readonly state: Uint8Array }
  | "nothing there"
  | "nothing usable";

/** All that a store finds. */
export interface Found {
  /** The names in `snapshots/` once it is open. */
  readonly names: readonly string[];
  /** The snapshots of `list()`, newest first, with their states if readable. */
  readonly listed: readonly FoundSnapshot[];
  /** The result of `restore()`. */
  readonly restored: Restored;
}

/** The bytes of a source. */
export async function stateOf(
  source: SnapshotSource,
): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await new Response(source).arrayBuffer());
}

async function read(
  store: SnapshotStore,
  id: string,
): Promise<Uint8Array | undefined> {
  try {
    return await stateOf(await store.open(id));
  } catch (error) {
    if (error instanceof SnapshotCorruptError) return undefined;
    throw error;
  }
}

async function restore(store: SnapshotStore): Promise<Restored> {
  let state = new Uint8Array();
  try {
    const { meta } = await store.restore(async (source) => {
      state = await stateOf(source);
    }) ?? {};
    return meta === undefined ? "nothing there" : { id: meta.id, state };
  } catch (error) {
    if (error instanceof NoUsableSnapshotError) return "nothing usable";
    throw error;
  }
}

/** Opens the store, reads everything in it, restores, and closes it. */
export async function recover(
  fileSystem: FileSystem,
  others: FileSnapshotStoreOptions = {},
): Promise<Found> {
  const options = { fileSystem, logger: silent, blockSize: 4096, ...others };
  const store = await openFileSnapshotStore(BASE, options);
  try {
    const entries = await fileSystem.readDirectory(`${BASE}/snapshots`);
    const names = entries.map(({ name }) => name);
    const listed: FoundSnapshot[] = [];
    for (const { id } of await store.list()) {
      const { ok, sealed } = await store.verify(id);
      listed.push({ id, state: await read(store, id), ok, sealed });
    }
    return { names, listed, restored: await restore(store) };
  } finally {
    await store.close();
  }
}

/**
 * As `recover()`, with a store that changes nothing; also gives the IDs that it
 * has called corrupt. `undefined` where there is no store yet.
 */
export async function recoverReadOnly(
  fileSystem: FileSystem,
): Promise<{ found: Found; corrupt: string[] } | undefined> {
  try {
    await fileSystem.stat(`${BASE}/snapshots`);
  } catch {
    return undefined;
  }
  const corrupt: string[] = [];
  const warn = (message: string) => {
    const id = /^(?:Skipping|Cannot restore) snapshot (\d+-\d+-\d+)/
      .exec(message)?.[1];
    if (id !== undefined) corrupt.push(id);
  };
  const logger = { ...silent, warn };
  const found = await recover(fileSystem, { readOnly: true, logger });
  return { found, corrupt };
}
