/**
 * Metadata as users get it: plain fields, which a structured clone keeps, and
 * `toJSON()` on the prototype.
 *
 * @module
 */

import { formatCrc } from "../../text.ts";
import { timeOf } from "../id.ts";
import type {
  Configuration,
  SnapshotMeta as Meta,
  SnapshotMetaFields,
  SnapshotMetaJson,
} from "../types.ts";
import { encodeBase64 } from "./base64.ts";

/** `console.log()` shows the name of this class. */
class SnapshotMeta implements Meta {
  readonly version: 0 | 1;
  readonly id: string;
  readonly index: bigint;
  readonly term: bigint;
  readonly createdAt: Date;
  readonly size: number;
  readonly crc: bigint;
  readonly configuration: Configuration;
  readonly configurationIndex: bigint;
  readonly peers: Uint8Array;
  // Without a value it is not there: most snapshots have none.
  declare readonly takenAt?: Date;

  constructor(fields: SnapshotMetaFields, createdAt: Date) {
    this.version = fields.version;
    this.id = fields.id;
    this.index = fields.index;
    this.term = fields.term;
    this.createdAt = createdAt;
    this.size = fields.size;
    this.crc = fields.crc;
    this.configuration = fields.configuration;
    this.configurationIndex = fields.configurationIndex;
    this.peers = fields.peers;
    if (fields.takenAt !== undefined) this.takenAt = new Date(fields.takenAt);
  }

  toJSON(): SnapshotMetaJson {
    return {
      ...fieldsJson(this),
      createdAt: this.createdAt.toISOString(),
      crc: formatCrc(this.crc),
    };
  }
}

/**
 * The metadata of a snapshot.
 *
 * @throws {TypeError} when `id`, which the caller must have checked, is not an
 * ID.
 */
export function makeMeta(fields: SnapshotMetaFields): Meta {
  const createdAt = timeOf(fields.id);
  if (createdAt !== undefined) return new SnapshotMeta(fields, createdAt);
  throw new TypeError("Cannot make metadata: found an ID of another form");
}

/** A copy that shares nothing with the fields. */
export function copyFields(fields: SnapshotMetaFields): SnapshotMetaFields {
  const { peers, configuration: { servers }, takenAt } = fields;
  return {
    ...fields,
    peers: peers.slice(),
    configuration: { servers: servers.map((server) => ({ ...server })) },
    takenAt: takenAt && new Date(takenAt),
  };
}

/** The JSON of all but the time and the CRC, which an archive's may lack. */
export function fieldsJson(
  fields: Omit<SnapshotMetaFields, "crc">,
): Omit<SnapshotMetaJson, "createdAt" | "crc"> {
  const takenAt = fields.takenAt?.toISOString();
  return {
    id: fields.id,
    term: String(fields.term),
    index: String(fields.index),
    ...(takenAt === undefined ? {} : { takenAt }),
    size: fields.size,
    version: fields.version,
    configuration: fields.configuration,
    configurationIndex: String(fields.configurationIndex),
    peers: encodeBase64(fields.peers),
  };
}
