/**
 * `SHA256SUMS`: a line `<64 hexadecimal digits>  <name>` for `meta.json`, and
 * one for `state.bin`. Go writes them in any order.
 *
 * @module
 */

import { quote } from "../text.ts";
import {
  type SnapshotArchiveDetails,
  SnapshotArchiveError,
} from "./archive_error.ts";
import { META, STATE, SUMS } from "./members.ts";

/** The digests of the two members, in hexadecimal. */
export interface Sums {
  /** Of `meta.json`. */
  readonly [META]: string;
  /** Of `state.bin`. */
  readonly [STATE]: string;
}

const NAMES = [META, STATE] as const;

/** The bytes of a `SHA256SUMS`. */
export function encodeSums(sums: Sums): Uint8Array<ArrayBuffer> {
  const lines = NAMES.map((name) => `${sums[name]}  ${name}\n`);
  return new TextEncoder().encode(lines.join(""));
}

/**
 * Checks that a `SHA256SUMS` is of these digests and of no others; `offset` is
 * where it starts.
 *
 * @throws {SnapshotArchiveError} with the reason `"digest"`.
 */
export function checkSums(
  bytes: Uint8Array,
  actual: Sums,
  offset: number,
): void {
  // A byte order mark is part of the text, which Go then refuses.
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  const listed = decodeSums(text, offset);
  for (const name of NAMES) {
    const expected = listed.get(name);
    if (expected === actual[name]) continue;
    throw expected === undefined
      ? sumsError({
        member: SUMS,
        actual: `no digest of ${name}`,
        expected: "one",
        offset,
      })
      : sumsError({
        member: name,
        actual: `SHA-256 ${actual[name]}`,
        expected: `SHA-256 ${expected}`,
      });
  }
}

function decodeSums(text: string, offset: number): Map<string, string> {
  const listed = new Map<string, string>();
  const lines = text.split("\n");
  if (lines.pop() !== "") {
    throw sumsError({
      member: SUMS,
      actual: "a last line that does not end",
      expected: "a line end",
      offset,
    });
  }
  for (const line of lines) {
    const [, digest, name = ""] =
      /^([0-9a-fA-F]{64}) {2}(meta\.json|state\.bin)$/.exec(line) ?? [];
    if (digest === undefined || listed.has(name)) {
      const expected = "one line for each of meta.json and state.bin";
      throw sumsError({
        member: SUMS,
        actual: `the line ${quote(line)}`,
        expected,
        offset,
      });
    }
    listed.set(name, digest.toLowerCase());
  }
  return listed;
}

function sumsError(
  details: Omit<SnapshotArchiveDetails, "reason">,
): SnapshotArchiveError {
  return new SnapshotArchiveError({ reason: "digest", ...details });
}
