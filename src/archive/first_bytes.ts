/**
 * Guesses the format of a file that is not an archive by its first bytes, and
 * advises what to do. An HTTP client that decompresses by itself leaves a plain
 * tar, a proxy answers with HTML, a failed download leaves an empty file.
 *
 * @module
 */

import { quote } from "../text.ts";
import { BLOCK_BYTES, FIELDS } from "./tar_layout.ts";

/** How many of the first bytes are examined: the length of a tar's header. */
export const FIRST_BYTES = BLOCK_BYTES;

/** The formats that are recognized. */
export type ArchiveLookalike =
  | "empty"
  | "tar"
  | "gzip"
  | "zstd"
  | "zip"
  | "xz"
  | "bzip2"
  | "html"
  | "json"
  | "utf-16"
  | "text"
  | "unknown";

/** A guess at a file's format. */
export interface FirstBytes {
  /** The format. */
  readonly looksLike: ArchiveLookalike;
  /** The format and the first bytes, in words. */
  readonly actual: string;
  /** Advice for the caller. */
  readonly hint: string;
}

interface Format {
  readonly looksLike: ArchiveLookalike;
  readonly words: string;
  readonly hint: string;
  readonly matches: (bytes: Uint8Array, text: string) => boolean;
}

/** The bytes may be in a file or come from a server. */
const READ_IT = "the text may say why there is no archive";

const repack = (tool: string) =>
  `decompress the file with ${tool} and compress the tar in it with gzip`;

/** The first format that matches counts. */
const FORMATS: readonly Format[] = [
  {
    looksLike: "empty",
    words: "no bytes",
    hint: "the download has probably failed: repeat the download",
    matches: ({ length }) => length === 0,
  },
  {
    looksLike: "tar",
    words: "a tar that is not compressed",
    hint:
      "compress the file with gzip first (some HTTP clients decompress their " +
      "downloads: ask the server for accept-encoding: identity)",
    matches: (_, text) =>
      text.slice(FIELDS.magic.start).startsWith("ustar") ||
      text.startsWith("meta.json\0"),
  },
  {
    looksLike: "gzip",
    words: "another gzip file",
    hint: "decompress the file once with gunzip",
    matches: startsWith(0x1f, 0x8b),
  },
  {
    looksLike: "zstd",
    words: "a zstd file",
    hint: repack("zstd -d"),
    matches: startsWith(0x28, 0xb5, 0x2f, 0xfd),
  },
  {
    looksLike: "zip",
    words: "a zip file",
    hint: "unpack the file: the archive may be inside",
    matches: startsWith(0x50, 0x4b, 0x03, 0x04),
  },
  {
    looksLike: "xz",
    words: "an xz file",
    hint: repack("xz -d"),
    matches: startsWith(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00),
  },
  {
    looksLike: "bzip2",
    words: "a bzip2 file",
    hint: repack("bzip2 -d"),
    matches: (_, text) => /^BZh[1-9]/.test(text),
  },
  {
    looksLike: "utf-16",
    words: "text in UTF-16",
    hint: "download the archive as bytes: a redirection in PowerShell turns " +
      "bytes into text",
    matches: (bytes) =>
      startsWith(0xff, 0xfe)(bytes) || startsWith(0xfe, 0xff)(bytes),
  },
  {
    looksLike: "html",
    words: "HTML",
    hint: `a proxy or a login page has answered; ${READ_IT}`,
    matches: (_, text) =>
      /^(\xef\xbb\xbf)?\s*<(!doctype|html|head|body|\?xml|!--)/i.test(text),
  },
  {
    looksLike: "json",
    words: "JSON",
    hint: `the server has probably answered with an error; ${READ_IT}`,
    matches: (_, text) =>
      /^(\xef\xbb\xbf)?\s*(\{\s*["}]|\[\s*["{\]])/.test(text),
  },
  {
    looksLike: "text",
    words: "text",
    hint: `the server has probably answered with an error; ${READ_IT}`,
    // deno-lint-ignore no-control-regex -- binary files have control characters
    matches: (_, text) => !/[\0-\x08\x0e-\x1f\x7f]/.test(text),
  },
];

/**
 * Guesses the format by `bytes`, the first {@linkcode FIRST_BYTES} of a file.
 */
export function describeFirstBytes(bytes: Uint8Array): FirstBytes {
  const text = String.fromCharCode(...bytes.subarray(0, FIRST_BYTES));
  const format = FORMATS.find(({ matches }) => matches(bytes, text));
  const begins = shown(bytes, format?.looksLike);
  if (format === undefined) {
    const isZero = bytes.every((byte) => byte === 0);
    const actual = `${isZero ? "zeros" : "unknown data"}${begins}`;
    const hint = "check that the file is a snapshot archive (.snap)";
    return { looksLike: "unknown", actual, hint };
  }
  const { looksLike, words, hint } = format;
  return { looksLike, actual: words + begins, hint };
}

/** Text as text, other bytes in hexadecimal: enough to recognise them. */
function shown(bytes: Uint8Array, looksLike?: ArchiveLookalike): string {
  if (looksLike === "empty") return "";
  if (
    looksLike === "html" || looksLike === "json" || looksLike === "text"
  ) {
    return ` (${quote(new TextDecoder().decode(bytes.subarray(0, 60)))})`;
  }
  const hex = [...bytes.subarray(0, 8)]
    .map((byte) => byte.toString(16).padStart(2, "0"));
  return ` (${hex.join(" ")})`;
}

function startsWith(...magic: readonly number[]) {
  return (bytes: Uint8Array) => magic.every((byte, i) => bytes[i] === byte);
}
