/** What `verify` says of one snapshot, in words and in JSON. */

import process from "node:process";
import { styleText } from "node:util";
import { SnapshotCorruptError } from "../errors.ts";
import type { SnapshotMeta } from "../snapshot.ts";
import { messageOf } from "./failure.ts";
import { formatCrc, formatSize } from "./format.ts";

/** What came of checking one snapshot. */
export interface Finding {
  readonly id: string;
  /** `undefined` when the metadata itself can't be trusted. */
  readonly meta: SnapshotMeta | undefined;
  /** Everything that is wrong; empty when it is good. */
  readonly errors: readonly Error[];
}

/** Lines for the terminal; `idWidth` lines the sizes up. */
export function describeFinding(
  { id, meta, errors }: Finding,
  idWidth: number,
): string[] {
  const verdict = errors.length === 0
    ? paint("green", "ok ")
    : paint("red", "bad");
  const size = meta === undefined ? "" : formatSize(meta.size);
  return [
    `${verdict}  ${id.padEnd(idWidth)}  ${size}`.trimEnd(),
    ...errors.map((error) => `     ${messageOf(error)}`),
  ];
}

function paint(colour: "green" | "red", text: string): string {
  const wanted = process.stdout.isTTY && !process.env["NO_COLOR"];
  return wanted ? styleText(colour, text) : text;
}

/** An object to be printed. */
export function findingJson(finding: Finding): Record<string, unknown> {
  return {
    id: finding.id,
    ok: finding.errors.length === 0,
    size: finding.meta?.size ?? null,
    errors: finding.errors.map(errorJson),
  };
}

function errorJson(error: Error): Record<string, unknown> {
  const message = messageOf(error);
  if (!(error instanceof SnapshotCorruptError)) return { message };
  return {
    reason: error.reason,
    expected: plain(error.expected),
    actual: plain(error.actual),
    offset: error.offset ?? null,
    message,
  };
}

/** Only CRCs are bigints here; they read as they do everywhere else. */
function plain(value: string | number | bigint): string | number {
  return typeof value === "bigint" ? formatCrc(value) : value;
}
