/**
 * Memory as a place for snapshots. A snapshot is visible once it is in the map.
 *
 * @module
 */

import type {
  BackendInspection,
  BackendNames,
  FinalParts,
  PendingSnapshot,
  SnapshotBackend,
  StateHandle,
} from "../../backend/backend.ts";
import { SnapshotCorruptError, SnapshotNotFoundError } from "../../errors.ts";
import type { ExtraName } from "../../snapshot/extras.ts";
import { MemoryState } from "./memory_state.ts";

/** A published snapshot. */
interface StoredSnapshot extends FinalParts {
  readonly state: MemoryState;
}

/** Keeps snapshots as long as the process lives. */
export class MemoryBackend implements SnapshotBackend {
  /** The name of the place, for messages. */
  readonly place = "memory";
  readonly #published = new Map<string, StoredSnapshot>();
  readonly #quarantined = new Map<string, StoredSnapshot>();
  /** The states of the snapshots that are not published yet. */
  readonly #pending = new Map<string, MemoryState>();

  // deno-lint-ignore require-await -- the interface is async, here and below
  async names(): Promise<BackendNames> {
    return {
      published: [...this.#published.keys()],
      quarantined: [...this.#quarantined.keys()],
      unfinished: [...this.#pending.keys()].map((id) => (
        { id, state: "writing" }
      )),
      foreign: [],
    };
  }

  // deno-lint-ignore require-await
  async inspect(): Promise<BackendInspection> {
    return {
      unfinished: [...this.#pending].map(([id, { size }]) => ({
        id,
        name: id,
        state: "writing",
        size,
        changedAt: undefined,
        isForeign: false,
        mayBeUnderWay: true,
      })),
      quarantined: [...this.#quarantined.keys()].map((id) => (
        { id, name: id }
      )),
      foreign: [],
      lock: undefined,
    };
  }

  // deno-lint-ignore require-await
  async readMeta(id: string, sizeMax: number): Promise<Uint8Array> {
    return limited(`meta.json of snapshot ${id}`, this.#get(id).meta, sizeMax);
  }

  // deno-lint-ignore require-await
  async readBlocks(
    id: string,
    sizeMax: number,
  ): Promise<Uint8Array | undefined> {
    const { blocks } = this.#get(id);
    const what = `blocks.crc64 of snapshot ${id}`;
    return blocks === undefined ? undefined : limited(what, blocks, sizeMax);
  }

  // deno-lint-ignore require-await
  async readExtra(
    id: string,
    name: ExtraName,
  ): Promise<Uint8Array | undefined> {
    const extra = this.#published.get(id)?.extra;
    return extra?.name === name ? extra.bytes : undefined;
  }

  // deno-lint-ignore require-await
  async stateSize(id: string): Promise<number> {
    return this.#get(id).state.size;
  }

  // deno-lint-ignore require-await
  async openState(id: string): Promise<StateHandle> {
    return this.#get(id).state.open();
  }

  // deno-lint-ignore require-await
  async takenIds(): Promise<readonly string[]> {
    return [
      ...this.#published.keys(),
      ...this.#quarantined.keys(),
      ...this.#pending.keys(),
    ];
  }

  async begin(id: string): Promise<PendingSnapshot | "taken"> {
    if ((await this.takenIds()).includes(id)) return "taken";
    const state = new MemoryState();
    this.#pending.set(id, state);
    return {
      append: (bytes) => {
        state.append(bytes);
        return Promise.resolve();
      },
      publish: (parts) => {
        this.#pending.delete(id);
        this.#published.set(id, { ...parts, state });
        return Promise.resolve();
      },
      discard: () => {
        this.#pending.delete(id);
        return Promise.resolve();
      },
    };
  }

  // deno-lint-ignore require-await
  async remove(
    ids: readonly string[],
    from: "published" | "quarantined",
  ): Promise<ReadonlyMap<string, unknown>> {
    const place = from === "published" ? this.#published : this.#quarantined;
    const failures = new Map<string, unknown>();
    for (const id of ids) {
      if (!place.delete(id)) failures.set(id, notFound(id));
    }
    return failures;
  }

  // deno-lint-ignore require-await
  async quarantine(id: string): Promise<string> {
    const snapshot = this.#get(id);
    this.#quarantined.set(id, snapshot);
    this.#published.delete(id);
    return id;
  }

  // deno-lint-ignore require-await
  async addBlocks(id: string, bytes: Uint8Array): Promise<void> {
    this.#published.set(id, { ...this.#get(id), blocks: bytes });
  }

  #get(id: string): StoredSnapshot {
    const snapshot = this.#published.get(id);
    if (snapshot !== undefined) return snapshot;
    throw notFound(id);
  }
}

function notFound(id: string): SnapshotNotFoundError {
  return new SnapshotNotFoundError(`Cannot find snapshot ${id} in memory`);
}

function limited(what: string, bytes: Uint8Array, sizeMax: number) {
  if (bytes.length <= sizeMax) return bytes;
  throw new SnapshotCorruptError(what, {
    reason: "meta",
    expected: `at most ${sizeMax} bytes`,
    actual: `${bytes.length} bytes`,
  });
}
