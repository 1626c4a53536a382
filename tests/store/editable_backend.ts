/**
 * A backend in memory whose snapshots a test can damage.
 */

import type { StateHandle } from "../../src/backend/backend.ts";
import { MemoryBackend } from "../../src/backends/memory/memory_backend.ts";
import { MemoryState } from "../../src/backends/memory/memory_state.ts";
import { readFully } from "../../src/bytes.ts";
import { SnapshotCorruptError } from "../../src/errors.ts";

/** The parts of a snapshot, by the names that the files have on a disk. */
export type Part = "meta.json" | "blocks.crc64" | "state.bin";

/** The parts that a test has replaced; `undefined`: the part is missing. */
type Edits = Map<Part, Uint8Array | undefined>;

/** Memory whose snapshots can be read, changed and removed part by part. */
export class EditableBackend extends MemoryBackend {
  readonly #edits = new Map<string, Edits>();
  /** How many states are open. */
  openStates = 0;

  /** The content of a part of a snapshot. */
  async read(id: string, part: Part): Promise<Uint8Array> {
    if (part === "meta.json") return await this.readMeta(id, Infinity);
    if (part === "blocks.crc64") {
      return await this.readBlocks(id, Infinity) ?? new Uint8Array();
    }
    const handle = await this.#open(id);
    const state = new Uint8Array(handle.size);
    await readFully(handle, state, 0);
    return state;
  }

  /** Puts other bytes in the place of a part. */
  write(id: string, part: Part, content: Uint8Array): void {
    this.#editsOf(id).set(part, content);
  }

  /** Flips one bit; a second time flips it back. */
  async corrupt(
    id: string,
    offset = 0,
    part: Part = "state.bin",
  ): Promise<void> {
    const content = (await this.read(id, part)).slice();
    content[offset] = (content[offset] ?? 0) ^ 1;
    this.write(id, part, content);
  }

  /** Removes a part. */
  removePart(id: string, part: Part): void {
    this.#editsOf(id).set(part, undefined);
  }

  override async readMeta(id: string, sizeMax: number): Promise<Uint8Array> {
    const bytes = await super.readMeta(id, sizeMax);
    return this.#edited(id, "meta.json", bytes);
  }

  override async readBlocks(
    id: string,
    sizeMax: number,
  ): Promise<Uint8Array | undefined> {
    const bytes = await super.readBlocks(id, sizeMax);
    const edits = this.#edits.get(id);
    return edits?.has("blocks.crc64") ? edits.get("blocks.crc64") : bytes;
  }

  override async stateSize(id: string): Promise<number> {
    return (await this.#open(id)).size;
  }

  override async openState(id: string): Promise<StateHandle> {
    const { size, read, close } = await this.#open(id);
    this.openStates++;
    let isOpen = true;
    return {
      size,
      read,
      close: () => {
        if (isOpen) this.openStates--;
        isOpen = false;
        return close();
      },
    };
  }

  async #open(id: string): Promise<StateHandle> {
    const handle = await super.openState(id);
    if (!this.#edits.get(id)?.has("state.bin")) return handle;
    const state = new MemoryState();
    state.append(this.#edited(id, "state.bin", new Uint8Array()));
    return state.open();
  }

  override async addBlocks(id: string, bytes: Uint8Array): Promise<void> {
    await super.addBlocks(id, bytes);
    this.#edits.get(id)?.delete("blocks.crc64");
  }

  #editsOf(id: string): Edits {
    const edits = this.#edits.get(id) ?? new Map();
    this.#edits.set(id, edits);
    return edits;
  }

  #edited(id: string, part: Part, bytes: Uint8Array): Uint8Array {
    const edits = this.#edits.get(id);
    if (!edits?.has(part)) return bytes;
    const edited = edits.get(part);
    if (edited !== undefined) return edited;
    throw new SnapshotCorruptError(`${part} of snapshot ${id}`, {
      reason: part === "meta.json" ? "meta" : "size",
      expected: "a file",
      actual: "nothing",
    });
  }
}
