/**
 * Reads every `meta.json` that any version of Go's store writes, with the same
 * result as Go's decoder (`readMeta` in `file_snapshot.go`), and rejects every
 * text that Go rejects. It also rejects texts that Go never writes but accepts:
 * keys of another case, keys given twice, bytes after the value, invalid UTF-8.
 *
 * @module
 */

import { isLosslessNumber, parse } from "lossless-json";
import type { Configuration, Server, Suffrage } from "../types.ts";
import { parseTakenAt } from "../taken_at.ts";
import { printable, quote, shorten } from "../../text.ts";
import { UINT64_MAX } from "../../uint64.ts";
import { decodeBase64 } from "./base64.ts";
import { corruptMeta } from "./corrupt_meta.ts";
import { type MetaRecord, SUFFRAGES } from "./encode.ts";

/** A record as it was read: this library may not know its version. */
export type DecodedRecord = Omit<MetaRecord, "version"> & {
  readonly version: number;
};

/** No `meta.json` is longer; a longer file would only fill the memory. */
export const META_SIZE_MAX = 1024 * 1024;

/** A Go record is 4 deep; deeper unknown fields are an attack on the stack. */
const DEPTH_MAX = 1_000;

const INT64_MAX = 2n ** 63n - 1n;

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const META_FIELDS = [
  "Version",
  "ID",
  "Index",
  "Term",
  "Peers",
  "Configuration",
  "ConfigurationIndex",
  "Size",
  "CRC",
  "TakenAt",
] as const;

/**
 * The record in the bytes of a `meta.json`; `what` names it in errors.
 *
 * @throws {SnapshotCorruptError} with the reason `"meta"`.
 */
export function decodeRecord(bytes: Uint8Array, what: string): DecodedRecord {
  const meta = new GoObject(parseJson(bytes, what), META_FIELDS, what);
  const takenAt = decodeTime(meta, what);
  return {
    version: Number(meta.integer("Version", -INT64_MAX - 1n, INT64_MAX)),
    id: meta.string("ID"),
    index: meta.integer("Index", 0n, UINT64_MAX),
    term: meta.integer("Term", 0n, UINT64_MAX),
    peers: meta.bytes("Peers") ?? new Uint8Array(0),
    configuration: decodeConfiguration(meta.value("Configuration"), what),
    configurationIndex: meta.integer("ConfigurationIndex", 0n, UINT64_MAX),
    size: decodeSize(meta, what),
    crc: decodeCrc(meta, what),
    ...(takenAt === undefined ? {} : { takenAt }),
  };
}

function parseJson(bytes: Uint8Array, what: string): unknown {
  if (bytes.length > META_SIZE_MAX) {
    throw corruptMeta(what, {
      expected: `at most ${META_SIZE_MAX} bytes`,
      actual: bytes.length,
    });
  }
  let text;
  try {
    text = UTF8.decode(bytes);
  } catch (cause) {
    throw corruptMeta(what, {
      expected: "UTF-8",
      actual: "other bytes",
      cause,
    });
  }
  const { depth, members } = measure(text);
  if (depth > DEPTH_MAX) {
    const expected = `at most ${DEPTH_MAX} levels of nesting`;
    throw corruptMeta(what, { expected, actual: `${depth} levels` });
  }
  let value;
  try {
    value = parse(text, null, { onDuplicateKey: refuseDuplicateKey });
  } catch (cause) {
    const found = cause instanceof Error ? cause.message : String(cause);
    const actual = `invalid JSON (${printable(found)})`;
    throw corruptMeta(what, { expected: "a JSON value", actual, cause });
  }
  // The parser accepts a key that is given twice when it finds the two values
  // equal, and it finds {} and [] equal.
  if (countMembers(value) !== members) {
    throw corruptMeta(what, {
      expected: "every key once",
      actual: "a key twice",
    });
  }
  return value;
}

function refuseDuplicateKey({ key }: { readonly key: string }): never {
  throw new SyntaxError(`the key ${quote(key)} twice`);
}

/**
 * How deep brackets are nested, and how many members all objects have as they
 * are written; exact for valid JSON, enough for the rest.
 */
function measure(text: string): { depth: number; members: number } {
  let depth = 0;
  let level = 0;
  let members = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (quoted) {
      if (char === "\\") i++;
      else if (char === '"') quoted = false;
    } else if (char === '"') quoted = true;
    else if (char === "[" || char === "{") depth = Math.max(depth, ++level);
    else if (char === "]" || char === "}") level--;
    else if (char === ":") members++;
  }
  return { depth, members };
}

/** How many members all objects have in a value that was parsed. */
function countMembers(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  if (isLosslessNumber(value)) return 0;
  const values = Object.values(value);
  const own = Array.isArray(value) ? 0 : values.length;
  return values.reduce((sum, one) => sum + countMembers(one), own);
}

/** A JSON object read as Go reads it into a struct with these fields. */
class GoObject<Field extends string> {
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #what: string;

  constructor(value: unknown, fields: readonly Field[], what: string) {
    if (!isObject(value)) {
      throw corruptMeta(what, {
        expected: "an object",
        actual: describeValue(value),
      });
    }
    this.#values = value;
    this.#what = what;
    for (const key of Object.keys(this.#values)) {
      if ((fields as readonly string[]).includes(key)) continue;
      const folded = fold(key);
      const field = fields.find((each) => fold(each) === folded);
      if (field !== undefined) {
        throw corruptMeta(what, {
          expected: `the key "${field}"`,
          actual: quote(key),
        });
      }
    }
  }

  /** The field's value; `undefined` stands for Go's zero value. */
  value(field: Field): unknown {
    // Own fields only, because a key "__proto__" in the file could add
    // inherited ones.
    if (!Object.hasOwn(this.#values, field)) return undefined;
    return this.#values[field] ?? undefined;
  }

  integer(field: Field, min: bigint, max: bigint): bigint {
    const value = this.value(field);
    if (value === undefined) return 0n;
    const text = isLosslessNumber(value) ? value.value : "";
    if (/^-?\d{1,20}$/.test(text) && !(min === 0n && text.startsWith("-"))) {
      const integer = BigInt(text);
      if (integer >= min && integer <= max) return integer;
    }
    throw corruptMeta(`${field} in ${this.#what}`, {
      expected: `an integer from ${min} to ${max}`,
      actual: describeValue(value),
    });
  }

  string(field: Field): string {
    const value = this.value(field);
    if (value === undefined) return "";
    // Go turns an escaped lone surrogate into U+FFFD, and so does this.
    if (typeof value === "string") return value.toWellFormed();
    throw corruptMeta(`${field} in ${this.#what}`, {
      expected: "a string",
      actual: describeValue(value),
    });
  }

  bytes(field: Field): Uint8Array | undefined {
    const value = this.value(field);
    if (value === undefined) return undefined;
    const bytes = typeof value === "string" ? decodeBase64(value) : undefined;
    if (bytes !== undefined) return bytes;
    throw corruptMeta(`${field} in ${this.#what}`, {
      expected: "base64",
      actual: describeValue(value),
    });
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) &&
    !isLosslessNumber(value);
}

/**
 * The form of a key that Go compares: ASCII case is folded, and so are the two
 * other letters that fold to ASCII.
 */
function fold(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
    .replaceAll("\u017f", "s").replaceAll("\u212a", "k");
}

function decodeConfiguration(value: unknown, what: string): Configuration {
  const fields = ["Servers"] as const;
  const servers = value === undefined
    ? undefined
    : new GoObject(value, fields, `Configuration in ${what}`).value("Servers");
  if (servers === undefined) return { servers: [] };
  if (!Array.isArray(servers)) {
    throw corruptMeta(`Servers in ${what}`, {
      expected: "an array",
      actual: describeValue(servers),
    });
  }
  return {
    servers: servers.map((server: unknown, i) =>
      decodeServer(server, `server ${i} in ${what}`)
    ),
  };
}

function decodeServer(value: unknown, what: string): Server {
  const fields = ["Suffrage", "ID", "Address"] as const;
  const server = new GoObject(value ?? {}, fields, what);
  return {
    suffrage: decodeSuffrage(server, what),
    id: server.string("ID"),
    address: server.string("Address"),
  };
}

function decodeSuffrage(server: GoObject<"Suffrage">, what: string): Suffrage {
  const number = server.integer("Suffrage", -INT64_MAX - 1n, INT64_MAX);
  const suffrage = SUFFRAGES[Number(number)];
  if (suffrage !== undefined) return suffrage;
  throw corruptMeta(`Suffrage of ${what}`, {
    expected: "0, 1 or 2",
    actual: number,
  });
}

function decodeSize(meta: GoObject<"Size">, what: string): number {
  const size = meta.integer("Size", -INT64_MAX - 1n, INT64_MAX);
  if (size >= 0n && size <= Number.MAX_SAFE_INTEGER) return Number(size);
  throw corruptMeta(`Size in ${what}`, {
    expected: "a possible file size",
    actual: size,
  });
}

function decodeCrc(meta: GoObject<"CRC">, what: string): bigint | null {
  const bytes = meta.bytes("CRC");
  if (bytes === undefined) return null;
  if (bytes.length === 8) return new DataView(bytes.buffer).getBigUint64(0);
  throw corruptMeta(`CRC in ${what}`, {
    expected: "8 bytes",
    actual: `${bytes.length} bytes`,
  });
}

/** When the state was taken: Go passes over this field. */
function decodeTime(meta: GoObject<"TakenAt">, what: string): Date | undefined {
  const text = meta.string("TakenAt");
  if (text === "") return undefined;
  const time = parseTakenAt(text);
  if (time !== undefined) return time;
  throw corruptMeta(`TakenAt in ${what}`, {
    expected: "a time",
    actual: quote(text),
  });
}

/** A value in few words, because a value from a disk may be of any length. */
function describeValue(value: unknown): string {
  if (value === null || value === undefined) return "nothing";
  if (Array.isArray(value)) return "an array";
  if (isLosslessNumber(value)) return shorten(value.value);
  if (typeof value === "object") return "an object";
  return typeof value === "string" ? quote(value) : String(value);
}
