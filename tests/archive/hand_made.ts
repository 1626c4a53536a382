/**
 * Archives made by hand, by nothing of ours, so that each byte of them may be
 * as wrong as a test wants it.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { Buffer } from "node:buffer";

/** A member, and the fields of its header. All but the name have usual values. */
export interface Member {
  readonly name: string;
  readonly content?: Uint8Array | string;
  /** The size field of the header. */
  readonly size?: string;
  readonly type?: string;
  readonly magic?: string;
  readonly prefix?: string;
  /** In seconds since 1970. */
  readonly modified?: number;
  /** The checksum field of the header. */
  readonly checksum?: string;
  /** The byte that fills up the last block. */
  readonly padding?: number;
}

/** The magic of GNU tar's own format. */
export const GNU_MAGIC = "ustar  \0";

/** An eleven-digit number, as it stands in a header. */
export function octal(value: number, digits = 11): string {
  return `${value.toString(8).padStart(digits, "0")}\0`;
}

/** A member as bytes of a tar. */
export function memberBytes(member: Member): Buffer {
  const content = Buffer.from(member.content ?? "");
  const rest = (512 - content.length % 512) % 512;
  return Buffer.concat([
    headerBytes(member, content.length),
    content,
    Buffer.alloc(rest, member.padding ?? 0),
  ]);
}

function headerBytes(member: Member, length: number): Buffer {
  const block = Buffer.alloc(512);
  const put = (at: number, text: string) => block.write(text, at, "latin1");
  put(0, member.name);
  put(100, octal(0o600, 7) + octal(0, 7) + octal(0, 7));
  put(124, member.size ?? octal(length));
  put(136, octal(member.modified ?? 1_700_000_000));
  put(156, member.type ?? "0");
  put(257, member.magic ?? "ustar\x0000");
  put(329, octal(0, 7) + octal(0, 7));
  put(345, member.prefix ?? "");
  put(148, " ".repeat(8));
  const sum = block.reduce((total, byte) => total + byte, 0);
  put(148, member.checksum ?? `${octal(sum, 6)} `);
  return block;
}

/** How a tar that Go writes ends. */
export const TAR_END = Buffer.alloc(1024);

/** A tar of these members, with its end. */
export function tar(...members: readonly Member[]): Buffer {
  return Buffer.concat([...members.map(memberBytes), TAR_END]);
}

/** The tar as an archive; stored, so that a test knows where things are. */
export function pack(packed: Uint8Array, level = 0): Buffer {
  return gzipSync(packed, { level });
}

/** An archive of these members. */
export function archiveOf(...members: readonly Member[]): Buffer {
  return pack(tar(...members));
}

export const STATE = "the state of the machine";

/** A `meta.json` as Go writes it, with some fields changed. */
export function metaText(changes: Record<string, unknown> = {}): string {
  const meta = {
    Version: 1,
    ID: "3-10-1700000000123",
    Index: 10,
    Term: 3,
    Peers: "kalvdmVyIGhlcmU=",
    Configuration: {
      Servers: [{ Suffrage: 0, ID: "my id", Address: "over here" }],
    },
    ConfigurationIndex: 2,
    Size: STATE.length,
    ...changes,
  };
  return JSON.stringify(meta) + "\n";
}

export function sha256(content: Uint8Array | string): string {
  return createHash("sha256").update(content).digest("hex");
}

/** The three members of a good archive, each of which a test may replace. */
export function members(
  content: {
    readonly meta?: string;
    readonly state?: Uint8Array | string;
    readonly sums?: string;
  } = {},
): { meta: Member; state: Member; sums: Member } {
  const { state = STATE } = content;
  const { meta = metaText({ Size: Buffer.from(state).length }) } = content;
  const sums = content.sums ??
    `${sha256(meta)}  meta.json\n${sha256(state)}  state.bin\n`;
  return {
    meta: { name: "meta.json", content: meta },
    state: { name: "state.bin", content: state },
    sums: { name: "SHA256SUMS", content: sums },
  };
}

/** A good archive, or one with some members changed. */
export function archive(content: Parameters<typeof members>[0] = {}): Buffer {
  const { meta, state, sums } = members(content);
  return archiveOf(meta, state, sums);
}
