/** The result of `verify` for one snapshot, in words and in JSON. */

import { SnapshotArchiveError } from "../archive/mod.ts";
import {
  printable,
  SnapshotCorruptError,
  SnapshotError,
  systemCode,
  type VerifyReport,
} from "../../mod.ts";
import { badRanges, formatRanges } from "./bad_ranges.ts";
import { describeBlocks } from "./block_map.ts";
import { CommandError } from "./failure.ts";
import { formatSize } from "./format.ts";
import { paint, terminalColumns } from "./output.ts";
import { messageOf } from "./reason.ts";

/** The outcome of checking one snapshot. */
export interface Finding {
  /** The snapshot's ID, or the archive's file. */
  readonly id: string;
  /** `undefined` when the metadata itself can't be trusted. */
  readonly meta: { readonly size: number } | undefined;
  /** All errors that were found; empty for a good snapshot. */
  readonly errors: readonly Error[];
  /** The store's report; `undefined` when the snapshot could not be checked. */
  readonly report: VerifyReport | undefined;
  /** Of an archive: the members that could not be checked. */
  readonly unchecked?: readonly string[];
}

/**
 * The outcome of a check. A snapshot that could not be read, or is of a version
 * that this tool does not know, is `"unchecked"` and may be good.
 */
export type FindingState = "ok" | "bad" | "unchecked";

/** The outcome of a check, from its errors. */
export function stateOf(
  { errors }: Pick<Finding, "errors">,
): FindingState {
  if (errors.length === 0) return "ok";
  const isBad = errors.some((error) =>
    error instanceof SnapshotCorruptError ||
    error instanceof SnapshotArchiveError
  );
  return isBad ? "bad" : "unchecked";
}

/** Whether an error is about one archive, so that others can be looked at. */
export function isFinding(error: unknown): error is Error {
  return error instanceof SnapshotError || error instanceof CommandError;
}

/** The mark of each state. */
const MARKS: Readonly<Record<FindingState, () => string>> = {
  ok: () => paint("green", "ok "),
  bad: () => paint("red", "bad"),
  unchecked: () => paint("yellow", "???"),
};

/** Lines for the terminal; `idWidth` lines the sizes up. */
export function describeFinding(
  finding: Finding,
  idWidth: number,
): string[] {
  const { id, meta, errors, report } = finding;
  const mark = MARKS[stateOf(finding)]();
  const size = meta === undefined ? "" : formatSize(meta.size);
  return [
    `${mark}  ${printable(id).padEnd(idWidth)}  ${size}`.trimEnd(),
    ...errors.map((error) => `     ${messageOf(error)}`),
    ...(report === undefined ? [] : describeState(report, errors.length > 0))
      .map((line) => `     ${line}`),
  ];
}

function describeState(report: VerifyReport, isBad: boolean): string[] {
  // Without metadata neither its length nor its CRC is known.
  return isBad && report.blockSize === 0
    ? ["state.bin: not checked"]
    : [...describeRanges(report), ...describeBlocks(report, terminalColumns())];
}

/** In words, which also mail and screen readers keep. */
function describeRanges(report: VerifyReport): string[] {
  const ranges = badRanges(report);
  return ranges.length === 0 || report.blockCount < 2
    ? []
    : [`bad: ${formatRanges(ranges)}`];
}

/** An object to be printed. */
export function findingJson(finding: Finding): Record<string, unknown> {
  const { id, errors, meta, unchecked } = finding;
  return {
    id,
    ok: errors.length === 0,
    state: stateOf(finding),
    size: meta?.size ?? null,
    ...(unchecked === undefined ? blocksJson(finding) : { unchecked }),
    errors: errors.map(errorJson),
  };
}

function blocksJson({ report }: Finding): Record<string, unknown> {
  return {
    sealed: report?.sealed ?? false,
    blockSize: report?.blockSize ?? 0,
    blockCount: report?.blockCount ?? 0,
    badOffsets: report?.badOffsets ?? [],
    badRanges: report === undefined ? [] : badRanges(report),
  };
}

/** The form that `JSON.stringify()` gives errors of the library. */
function errorJson(error: Error): unknown {
  if (error instanceof SnapshotError) return error;
  const code = systemCode(error) ?? null;
  return { name: error.name, code, message: messageOf(error) };
}
