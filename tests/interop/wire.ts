/**
 * The format of snapshots in the Go program's answers, and how it maps to ours.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type {
  Server,
  SnapshotMeta,
  SnapshotMetaFields,
  Suffrage,
} from "@raft/snapshots";

/** A server: a number for the suffrage, base64 for the strings. */
export interface WireServer {
  readonly suffrage: string;
  readonly id: string;
  readonly address: string;
}

/** A Go `fileSnapshotMeta`: decimal integers, base64 bytes, `null` for nil. */
export interface WireMeta {
  readonly version: string;
  readonly id: string;
  readonly index: string;
  readonly term: string;
  readonly peers: string | null;
  readonly servers: readonly WireServer[] | null;
  readonly configurationIndex: string;
  readonly size: string;
  readonly crc: string | null;
}

/** The bytes of a state, given by a seed: see `tests/support/random.ts`. */
export interface Content {
  readonly seed: number;
  readonly length: number;
}

const SUFFRAGES: readonly Suffrage[] = ["voter", "nonvoter", "staging"];

export function toBase64(data: Uint8Array | string): string {
  return Buffer.from(data).toString("base64");
}

export function fromBase64(base64: string): Uint8Array {
  return new Uint8Array(Buffer.from(base64, "base64"));
}

/** The string that was sent; an address of an old snapshot may not be UTF-8. */
function textFromBase64(base64: string): string {
  return new TextDecoder("utf-8", { ignoreBOM: true })
    .decode(fromBase64(base64));
}

export function serverToWire(server: Server): WireServer {
  return {
    suffrage: String(SUFFRAGES.indexOf(server.suffrage)),
    id: toBase64(server.id),
    address: toBase64(server.address),
  };
}

/** Our metadata, with a CRC of `null` before the snapshot is published. */
export type Meta = Omit<SnapshotMetaFields, "crc"> & {
  readonly crc: bigint | null;
};

/**
 * Go's metadata as ours; `undefined` for a value that our types can't hold, so
 * that it must be refused: a suffrage of 3, a negative size, a CRC of 5 bytes.
 */
export function metaFromWire(wire: WireMeta): Meta | undefined {
  const version = Number(wire.version);
  const servers = serversFromWire(wire.servers);
  const size = Number(wire.size);
  const crc = crcFromWire(wire.crc);
  if (version !== 0 && version !== 1) return undefined;
  if (servers === undefined || crc === undefined) return undefined;
  if (!Number.isSafeInteger(size) || size < 0) return undefined;
  return {
    version,
    id: textFromBase64(wire.id),
    index: BigInt(wire.index),
    term: BigInt(wire.term),
    peers: fromBase64(wire.peers ?? ""),
    configuration: { servers },
    configurationIndex: BigInt(wire.configurationIndex),
    size: size + 0, // no -0
    crc,
  };
}

/** Metadata as a plain object of the fields that Go has. */
export function fieldsOf<T extends { readonly createdAt: unknown }>(
  { createdAt: _, ...fields }: T,
): Omit<T, "createdAt"> {
  return fields;
}

/** A snapshot's metadata in the format of the Go program. */
export function metaToWire(meta: SnapshotMeta): WireMeta {
  const crc = new Uint8Array(8);
  new DataView(crc.buffer).setBigUint64(0, meta.crc);
  return {
    version: String(meta.version),
    id: toBase64(meta.id),
    index: String(meta.index),
    term: String(meta.term),
    peers: toBase64(meta.peers),
    servers: meta.configuration.servers.map(serverToWire),
    configurationIndex: String(meta.configurationIndex),
    size: String(meta.size),
    crc: toBase64(crc),
  };
}

export function serversFromWire(
  wire: readonly WireServer[] | null,
): Server[] | undefined {
  const servers: Server[] = [];
  for (const { suffrage, id, address } of wire ?? []) {
    const known = SUFFRAGES[Number(suffrage)];
    if (known === undefined) return undefined;
    servers.push({
      suffrage: known,
      id: textFromBase64(id),
      address: textFromBase64(address),
    });
  }
  return servers;
}

function crcFromWire(wire: string | null): bigint | null | undefined {
  if (wire === null) return null;
  const bytes = fromBase64(wire);
  if (bytes.length !== 8) return undefined;
  return new DataView(bytes.buffer).getBigUint64(0);
}
