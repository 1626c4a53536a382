/**
 * A place that keeps nothing.
 *
 * @module
 */

import type {
  BackendNames,
  PendingSnapshot,
  SnapshotBackend,
} from "../../backend/backend.ts";
import { SnapshotNotFoundError } from "../../errors.ts";

/** Takes every snapshot and keeps none. */
export class DiscardBackend implements SnapshotBackend {
  /** The name of the place, for messages. */
  readonly place = "a store that keeps nothing";

  names(): Promise<BackendNames> {
    const [published, quarantined, unfinished, foreign] = [[], [], [], []];
    return Promise.resolve({ published, quarantined, unfinished, foreign });
  }

  readMeta(id: string): Promise<never> {
    return Promise.reject(notFound(id));
  }

  readBlocks(id: string): Promise<never> {
    return Promise.reject(notFound(id));
  }

  stateSize(id: string): Promise<never> {
    return Promise.reject(notFound(id));
  }

  openState(id: string): Promise<never> {
    return Promise.reject(notFound(id));
  }

  takenIds(): Promise<readonly string[]> {
    return Promise.resolve([]);
  }

  begin(): Promise<PendingSnapshot> {
    const nothing = () => Promise.resolve();
    return Promise.resolve({
      append: nothing,
      publish: nothing,
      discard: nothing,
    });
  }

  remove(ids: readonly string[]): Promise<ReadonlyMap<string, unknown>> {
    return Promise.resolve(new Map(ids.map((id) => [id, notFound(id)])));
  }

  addBlocks(id: string): Promise<never> {
    return Promise.reject(notFound(id));
  }
}

function notFound(id: string): SnapshotNotFoundError {
  return new SnapshotNotFoundError(
    `Cannot find snapshot ${id}: this store keeps none`,
  );
}
