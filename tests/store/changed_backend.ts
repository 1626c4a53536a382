/**
 * Backends in memory that do something else than their contract says.
 */

import type {
  PendingSnapshot,
  SnapshotBackend,
  StateHandle,
} from "../../src/backend/backend.ts";
import { openSnapshotStore } from "@raft/snapshots/backend";
import type { SnapshotStore } from "@raft/snapshots";
import { bytes } from "../support/random.ts";
import { save } from "../support/store_fixture.ts";
import { EditableBackend } from "./editable_backend.ts";

/** Bytes of a block: the states below have several. */
export const BLOCK = 512;

/** A replacement for a method, which gets the usual one. */
export type Instead = (asUsual: () => unknown) => unknown;

/** The methods of a backend, of the states that it opens, and of its sinks. */
export const METHODS = [
  "connect",
  "names",
  "inspect",
  "readMeta",
  "readBlocks",
  "readExtra",
  "stateSize",
  "openState",
  "takenIds",
  "begin",
  "remove",
  "finishRemovals",
  "clean",
  "quarantine",
  "addBlocks",
  "close",
  "handle.size",
  "handle.read",
  "handle.close",
  "pending.append",
  "pending.publish",
  "pending.discard",
] as const;

/** One of them. */
export type Method = typeof METHODS[number];

/**
 * The place of a store's snapshots, with the handles that it has not closed.
 */
export class ChangedBackend {
  /** The usual behaviour. */
  readonly memory = new EditableBackend();
  /** How many states are open. */
  openStates = 0;
  /** How many snapshots are begun, and neither published nor discarded. */
  openPending = 0;
  readonly #changes = new Map<Method, Instead>();
  #read: StateHandle["read"] | undefined;

  /** From now on the method does this instead; nothing else, when left out. */
  change(method: Method, instead?: Instead): void {
    if (instead === undefined) this.#changes.delete(method);
    else this.#changes.set(method, instead);
  }

  /** From now on every state is read by this. */
  changeRead(read: StateHandle["read"]): void {
    this.#read = read;
  }

  /** Restores the usual behaviour of every method. */
  mend(): void {
    this.#changes.clear();
    this.#read = undefined;
  }

  /** Opens a store that reports nothing. */
  async open(retain = 100): Promise<SnapshotStore> {
    const quiet = () => {};
    const logger = { debug: quiet, info: quiet, warn: quiet, error: quiet };
    const options = { retain, blockSize: BLOCK, logger };
    return await openSnapshotStore(this.#proxy(), options);
  }

  #run(method: Method, asUsual: () => unknown): unknown {
    const instead = this.#changes.get(method);
    return instead === undefined ? asUsual() : instead(asUsual);
  }

  #proxy(): SnapshotBackend {
    return new Proxy<SnapshotBackend>(this.memory, {
      get: (memory, key) => {
        const value = Reflect.get(memory, key);
        const name = METHODS.find((method) => method === key);
        if (name === undefined) return value;
        return (...args: unknown[]) =>
          this.#run(name, () => this.#watch(value?.apply(memory, args)));
      },
    });
  }

  /** Wraps the handles that the memory gives out. */
  async #watch(promise: Promise<unknown>): Promise<unknown> {
    const value = await promise;
    if (typeof value !== "object" || value === null) return value;
    if ("read" in value) return this.#handle(value as StateHandle);
    if ("append" in value) return this.#pending(value as PendingSnapshot);
    return value;
  }

  #handle(handle: StateHandle): StateHandle {
    this.openStates++;
    let isOpen = true;
    return {
      size: this.#run("handle.size", () => handle.size) as number,
      read: (buffer, position) =>
        this.#run(
          "handle.read",
          () => (this.#read ?? handle.read)(buffer, position),
        ) as Promise<number>,
      close: () => {
        if (isOpen) this.openStates--;
        isOpen = false;
        return this.#run("handle.close", () => handle.close()) as Promise<void>;
      },
    };
  }

  #pending(pending: PendingSnapshot): PendingSnapshot {
    this.openPending++;
    let isOpen = true;
    const end = () => {
      if (isOpen) this.openPending--;
      isOpen = false;
    };
    return {
      append: (bytes) =>
        this.#run(
          "pending.append",
          () => pending.append(bytes),
        ) as Promise<void>,
      publish: (parts) =>
        this.#run("pending.publish", async () => {
          await pending.publish(parts);
          end();
        }) as Promise<void>,
      discard: () => {
        end();
        return this.#run(
          "pending.discard",
          () => pending.discard(),
        ) as Promise<void>;
      },
    };
  }
}

/** States by their snapshots' IDs. */
export type States = Map<string, Uint8Array>;

/** Fills the backend with three snapshots of several blocks, oldest first. */
export async function fill(backend: ChangedBackend): Promise<States> {
  const store = await backend.open();
  const states: States = new Map();
  for (let index = 1; index <= 3; index++) {
    const state = bytes(BLOCK * index + 100, index);
    states.set(await save(store, state, { index }), state);
  }
  await store.close();
  return states;
}

/** Makes snapshots such as Go writes them: without block checksums. */
export function unseal(backend: ChangedBackend, states: States): void {
  for (const id of states.keys()) backend.memory.removePart(id, "blocks.crc64");
}
