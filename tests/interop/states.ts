/**
 * Writes and reads snapshots with our store, to compare with those of the Go
 * program.
 *
 * @module
 */

import { createHash } from "node:crypto";
import {
  type FileSnapshotStoreOptions,
  type Logger,
  openFileSnapshotStore,
  type SnapshotMeta,
  type SnapshotSource,
  type SnapshotStore,
} from "@raft/snapshots";
import { bytes } from "../support/random.ts";
import type { Case } from "./matrix.ts";
import { type Meta, serverToWire } from "./wire.ts";

/** More than any test makes, so that retention removes none. */
export const RETAIN_ALL = 1_000_000;

const SILENT: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** Opens our store, does something with it, and closes it. */
export async function withStore<T>(
  base: string,
  use: (store: SnapshotStore) => Promise<T>,
  options: FileSnapshotStoreOptions = {},
): Promise<T> {
  const store = await openFileSnapshotStore(base, {
    retain: RETAIN_ALL,
    logger: SILENT,
    ...options,
  });
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

/** Cuts data into chunks of the sizes that a program might write. */
function* chunksOf(data: Uint8Array): Generator<Uint8Array> {
  const sizes = [1, 100, 4_096, 65_536, 1_000_003];
  for (let at = 0, n = 0; at < data.length; n++) {
    const size = sizes[n % sizes.length] ?? 1;
    yield data.subarray(at, at + size);
    at += size;
  }
}

/** Takes the snapshot with our store; resolves to its final metadata. */
export async function writeCase(
  store: SnapshotStore,
  one: Case,
): Promise<SnapshotMeta> {
  const { index, term, configuration, configurationIndex, content } = one;
  const sink = await store.create({
    index,
    term,
    configuration,
    configurationIndex,
  });
  const writer = sink.getWriter();
  for (const chunk of chunksOf(bytes(content.length, content.seed))) {
    await writer.write(chunk);
  }
  await writer.close();
  return sink.meta;
}

/** The same snapshot, as a request to the Go program. */
export function caseForGo(one: Case) {
  return {
    index: String(one.index),
    term: String(one.term),
    servers: one.configuration.servers.map(serverToWire),
    configurationIndex: String(one.configurationIndex),
    content: one.content,
  };
}

/** The SHA-256 of bytes, in base64 as the Go program gives it. */
export function sha256(data: Uint8Array): string {
  return createHash("sha256").update(data).digest("base64");
}

/** Reads a source out. */
export async function readOut(source: SnapshotSource): Promise<Uint8Array> {
  return new Uint8Array(await new Response(source).arrayBuffer());
}

/** The case with lone surrogates replaced, as `create()` does. */
export function wellFormed(one: Case): Case {
  const servers = one.configuration.servers.map((server) => ({
    ...server,
    id: server.id.toWellFormed(),
    address: server.address.toWellFormed(),
  }));
  return { ...one, configuration: { servers } };
}

/** A meta without its CRC, which Go's `List` and `Open` do not give. */
export function withoutCrc(
  meta: Meta & { readonly createdAt?: Date },
): Omit<Meta, "crc"> {
  const { crc: _, createdAt: __, ...rest } = meta;
  return rest;
}
