/** Which bytes of a state are bad, as text: `4–5 MiB, 300–500 MiB`. */

import type { VerifyReport } from "../../mod.ts";
import { formatSize } from "./format.ts";

/** A part of a state, in bytes. */
export interface ByteRange {
  /** The first byte. */
  readonly start: number;
  /** The byte after the last one. */
  readonly end: number;
}

/** More than this would not be read. */
const SHOWN_MAX = 8;

/** The bad parts of a state; blocks side by side are one part. */
export function badRanges(
  { badOffsets, blockSize, meta }: Pick<
    VerifyReport,
    "badOffsets" | "blockSize" | "meta"
  >,
): ByteRange[] {
  const ranges: ByteRange[] = [];
  for (const start of badOffsets) {
    const end = Math.min(start + blockSize, meta?.size ?? Infinity);
    const last = ranges.at(-1);
    if (last?.end === start) ranges[ranges.length - 1] = { ...last, end };
    else ranges.push({ start, end });
  }
  return ranges;
}

/** The ranges in words; the first few of many. */
export function formatRanges(ranges: readonly ByteRange[]): string {
  const more = ranges.length - SHOWN_MAX;
  const shown = ranges.slice(0, SHOWN_MAX).map(formatRange);
  return shown.join(", ") + (more > 0 ? ` and ${more} more` : "");
}

/** The unit once, where both ends have the same: `4–5 MiB`. */
function formatRange({ start, end }: ByteRange): string {
  const [[from, unit], [to, unitOfEnd]] = [start, end].map((bytes) =>
    formatSize(bytes).replace(/\.0 /, " ").split(" ")
  ) as [[string, string], [string, string]];
  return unit === unitOfEnd || start === 0
    ? `${from}–${to} ${unitOfEnd}`
    : `${from} ${unit}–${to} ${unitOfEnd}`;
}
