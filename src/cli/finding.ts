/** What `verify` says of one snapshot, in words and in JSON. */

import { SnapshotCorruptError } from "../errors.ts";
import type { SnapshotMeta, VerifyReport } from "../snapshot.ts";
import { describeBlocks } from "./block_map.ts";
import { messageOf } from "./failure.ts";
import { formatCrc, formatSize } from "./format.ts";
import { paint } from "./output.ts";

/** What came of checking one snapshot. */
export interface Finding {
  readonly id: string;
  /** `undefined` when the metadata itself can't be trusted. */
  readonly meta: SnapshotMeta | undefined;
  /** Everything that is wrong; empty when it is good. */
  readonly errors: readonly Error[];
  /** What the store reported; `undefined` when it could not check. */
  readonly report: VerifyReport | undefined;
}

/** Lines for the terminal; `idWidth` lines the sizes up. */
export function describeFinding(
  { id, meta, errors, report }: Finding,
  idWidth: number,
): string[] {
  const verdict = errors.length === 0
    ? paint("green", "ok ")
    : paint("red", "bad");
  const size = meta === undefined ? "" : formatSize(meta.size);
  return [
    `${verdict}  ${id.padEnd(idWidth)}  ${size}`.trimEnd(),
    ...errors.map((error) => `     ${messageOf(error)}`),
    ...(report === undefined ? [] : describeBlocks(report))
      .map((line) => `     ${line}`),
  ];
}

/** An object to be printed. */
export function findingJson(finding: Finding): Record<string, unknown> {
  const { report } = finding;
  return {
    id: finding.id,
    ok: finding.errors.length === 0,
    size: finding.meta?.size ?? null,
    sealed: report?.sealed ?? false,
    blockSize: report?.blockSize ?? 0,
    blockCount: report?.blockCount ?? 0,
    badOffsets: report?.badOffsets ?? [],
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
