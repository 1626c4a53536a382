/**
 * Snapshots to check a store with, and how to write and read them.
 *
 * @module
 */

import type {
  SnapshotInit,
  SnapshotMeta,
  SnapshotSource,
} from "../snapshot/types.ts";
import type { SnapshotStore } from "../snapshot/stores.ts";

/** An ordinary snapshot; other fields can be put over it. */
export const INIT: SnapshotInit = {
  index: 10n,
  term: 3n,
  configuration: {
    servers: [
      { suffrage: "voter", id: "my id", address: "over here" },
      { suffrage: "nonvoter", id: "another", address: "10.0.0.2:7000" },
      { suffrage: "staging", id: "", address: "" },
    ],
  },
  configurationIndex: 2n,
};

/** The bytes of a text. */
export function encode(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** That many bytes, without a short period. */
export function pattern(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (i ^ (i >>> 8) * 31) & 0xff;
  return bytes;
}

/** A stream of these chunks. */
export function streamOf(
  ...chunks: readonly unknown[]
): ReadableStream<Uint8Array> {
  return new ReadableStream<unknown>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  }) as ReadableStream<Uint8Array>;
}

/** Publishes a snapshot; resolves to its ID. */
export async function publish(
  store: SnapshotStore,
  state: string | Uint8Array,
  init: Partial<SnapshotInit> = {},
): Promise<string> {
  const sink = await store.create({ ...INIT, ...init });
  const bytes = typeof state === "string" ? encode(state) : state;
  await streamOf(bytes).pipeTo(sink);
  return sink.id;
}

/** Reads a source to its end; rejects with the source's error. */
export async function readAll(source: SnapshotSource): Promise<Uint8Array> {
  // Not by a Response: a browser's rejects with an error of its own.
  const chunks: BlobPart[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}

/** Reads a snapshot's state as text. */
export async function readText(
  store: SnapshotStore,
  id: string,
): Promise<string> {
  return new TextDecoder().decode(await readAll(await store.open(id)));
}

/** The IDs that a store lists. */
export async function listIds(store: SnapshotStore): Promise<string[]> {
  return (await store.list()).map(({ id }) => id);
}

/** The result of a restore. */
export interface Restored {
  /** The metadata that `restore()` resolved to. */
  readonly meta: SnapshotMeta | undefined;
  /** The state that was read last. */
  readonly text: string | undefined;
  /** The snapshots that were tried, in order. */
  readonly tried: readonly string[];
}

/** Restores a state as text. */
export async function restoreText(store: SnapshotStore): Promise<Restored> {
  const tried: string[] = [];
  let text: string | undefined;
  const { meta } = await store.restore(async (source) => {
    tried.push(source.meta.id);
    text = await new Response(source).text();
  }) ?? {};
  return { meta, text, tried };
}
