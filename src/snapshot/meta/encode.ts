/**
 * Writes `meta.json` byte for byte as Go's `encoding/json` writes
 * `fileSnapshotMeta` (`writeMeta` in `file_snapshot.go`): one line and a line
 * end. A snapshot that was taken before it was written has one field more.
 *
 * @module
 */

import type { Server, SnapshotMetaFields, Suffrage } from "../types.ts";
import { encodeBase64 } from "./base64.ts";

/**
 * The content of a `meta.json`. `crc` is `null` while the state is being
 * written; a snapshot with `null` is never published.
 */
export type MetaRecord = Omit<SnapshotMetaFields, "crc"> & {
  readonly crc: bigint | null;
};

/** Go's numbers for the suffrages are their places in this list. */
export const SUFFRAGES: readonly Suffrage[] = ["voter", "nonvoter", "staging"];

/** The bytes of a `meta.json`. */
export function encodeRecord(meta: MetaRecord): Uint8Array<ArrayBuffer> {
  const { crc, takenAt } = meta;
  return encodeLine([
    ...encodeFields(meta),
    `"CRC":${encodeCrc(crc)}`,
    // Not Go's, which passes over it; most snapshots have none.
    ...(takenAt === undefined ? [] : [`"TakenAt":"${takenAt.toISOString()}"`]),
  ]);
}

/** The bytes of an archive's `meta.json`: a `raft.SnapshotMeta` has no CRC. */
export function encodeArchiveMeta(
  meta: Omit<MetaRecord, "crc">,
): Uint8Array<ArrayBuffer> {
  return encodeLine(encodeFields(meta));
}

function encodeLine(fields: readonly string[]): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`{${fields.join(",")}}\n`);
}

function encodeFields(meta: Omit<MetaRecord, "crc">): string[] {
  return [
    `"Version":${meta.version}`,
    `"ID":${encodeString(meta.id)}`,
    `"Index":${meta.index}`,
    `"Term":${meta.term}`,
    `"Peers":"${encodeBase64(meta.peers)}"`,
    `"Configuration":{"Servers":${encodeServers(meta)}}`,
    `"ConfigurationIndex":${meta.configurationIndex}`,
    `"Size":${meta.size}`,
  ];
}

function encodeServers(
  { version, configuration }: Pick<MetaRecord, "version" | "configuration">,
): string {
  const { servers } = configuration;
  // Before version 1 there was no such field, and Go reads that as nil.
  if (version === 0 && servers.length === 0) return "null";
  return `[${servers.map(encodeServer).join(",")}]`;
}

function encodeServer(server: Server): string {
  const suffrage = SUFFRAGES.indexOf(server.suffrage);
  const id = encodeString(server.id);
  const address = encodeString(server.address);
  return `{"Suffrage":${suffrage},"ID":${id},"Address":${address}}`;
}

/** Eight bytes, most significant first, as Go's `hash.Hash64.Sum` gives them. */
function encodeCrc(crc: bigint | null): string {
  if (crc === null) return "null";
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, crc);
  return `"${encodeBase64(bytes)}"`;
}

const LONE_SURROGATE = /\p{Surrogate}/u;

/**
 * A string as Go 1.22 and later quote it. A lone surrogate becomes U+FFFD, as
 * invalid UTF-8 does in Go.
 */
function encodeString(text: string): string {
  // split() looks at each character by itself, which is slow.
  const parts = LONE_SURROGATE.test(text) ? text.split(LONE_SURROGATE) : [text];
  return `"${parts.map(escape).join("\\ufffd")}"`;
}

/**
 * Agrees with Go, which also escapes the characters that are special in HTML
 * and JavaScript.
 */
function escape(text: string): string {
  return JSON.stringify(text).slice(1, -1).replace(
    /[<>&\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
