/**
 * For stores in places of your own: the seam between the store, which is written
 * once, and the places that snapshots are kept in. Write a backend, and
 * {@linkcode openSnapshotStore} makes it a store with every verb. It is
 * experimental, because the interface may still change; `docs/backend.md` shows a
 * complete backend.
 *
 * @experimental
 * @module
 */

export type {
  BackendHost,
  BackendInspection,
  BackendNames,
  BeginOptions,
  FinalParts,
  Look,
  PendingSnapshot,
  ReadableBackend,
  SnapshotBackend,
  StateHandle,
  UnfinishedName,
} from "../backend/backend.ts";
export { placeError } from "../backend/errors.ts";
export { MaybePublishedError } from "../backend/maybe_published_error.ts";
export { WriteAgainError } from "../backend/write_again_error.ts";
export { requireInteger } from "../backend/options.ts";
export { type OptionNames, requireKnown } from "../option_names.ts";
export { pause } from "../backend/pause.ts";
export type { BackendEvent } from "../snapshot/events.ts";
export type { Extra, ExtraName } from "../snapshot/extras.ts";
export type { ByteRange } from "../snapshot/open_options.ts";
export type { StoreOptions } from "../store/options.ts";
export { openSnapshotStore } from "../store/open_store.ts";
export { BackedStore } from "../store/store.ts";
