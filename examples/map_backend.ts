// deno-lint-ignore-file require-await -- a real place has something to wait for

/**
 * A backend of your own: snapshots in a `Map` of names to bytes, in place of a
 * key-value store. A snapshot is visible once its `meta.json` is there.
 */

import { SnapshotNotFoundError } from "@raft/snapshots";
import type { SnapshotBackend, StateHandle } from "@raft/snapshots/backend";

/** Makes a backend that keeps snapshots in `files`. */
export function mapBackend(files: Map<string, Uint8Array>): SnapshotBackend {
  const claimed = new Set<string>();
  const writing = new Set<string>();
  const published = () =>
    [...files.keys()].filter((name) => name.endsWith("/meta.json"))
      .map((name) => name.slice(0, -"/meta.json".length));

  /** A file of a snapshot, if the snapshot is visible. */
  const find = (id: string, name: string) => {
    if (files.has(`${id}/meta.json`)) return files.get(`${id}/${name}`);
    throw new SnapshotNotFoundError(`Cannot find snapshot ${id} in the map`);
  };
  const state = (id: string) => find(id, "state.bin") ?? new Uint8Array();

  return {
    place: "a map",
    async names() {
      return {
        published: published(),
        quarantined: [],
        unfinished: [...writing].map((id) => ({ id, state: "writing" })),
        foreign: [],
      };
    },
    // The store has the bytes checked; a copy, because callers may change it.
    readMeta: async (id) => (find(id, "meta.json") as Uint8Array).slice(),
    readBlocks: async (id) => find(id, "blocks.crc64")?.slice(),
    stateSize: async (id) => state(id).length,
    async openState(id): Promise<StateHandle> {
      // A later removal takes the name out of the map, not these bytes.
      const bytes = state(id);
      return {
        size: bytes.length,
        async read(buffer, position) {
          const part = bytes.subarray(position, position + buffer.length);
          buffer.set(part);
          return part.length;
        },
        async close() {},
      };
    },
    takenIds: async () => [...published(), ...claimed],
    async begin(id) {
      if (claimed.has(id)) return "taken";
      claimed.add(id);
      writing.add(id);
      const chunks: Uint8Array<ArrayBuffer>[] = [];
      return {
        async append(bytes) {
          chunks.push(bytes.slice());
        },
        async publish({ meta, blocks }) {
          const whole = await new Blob(chunks).arrayBuffer();
          files.set(`${id}/state.bin`, new Uint8Array(whole));
          if (blocks !== undefined) files.set(`${id}/blocks.crc64`, blocks);
          // Written last: from here on the snapshot is visible, with all of its
          // parts.
          files.set(`${id}/meta.json`, meta);
          writing.delete(id);
        },
        async discard() {
          claimed.delete(id);
          writing.delete(id);
        },
      };
    },
    async remove(ids) {
      const failures = new Map<string, unknown>();
      for (const id of ids) {
        // Removed first, because no reader may see a snapshot that lacks a
        // part.
        if (!files.delete(`${id}/meta.json`)) {
          const message = `Cannot find snapshot ${id} in the map`;
          failures.set(id, new SnapshotNotFoundError(message));
        }
        files.delete(`${id}/blocks.crc64`);
        files.delete(`${id}/state.bin`);
      }
      return failures;
    },
  };
}
