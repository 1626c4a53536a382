/** A map of a snapshot's state that shows where its bad blocks are. */

import type { VerifyReport } from "../../mod.ts";
import { formatCount, formatSize } from "./format.ts";
import { paint } from "./output.ts";

const ROW_LENGTH_MAX = 64;
const ROWS_MAX = 4;
/** The indentation of the lines of a finding. */
const INDENT = 5;
const GOOD = "░";
const BAD = "X";

/** Lines for the terminal; none when all blocks are good, or there is only one. */
export function describeBlocks(
  report: VerifyReport,
  columns: number = ROW_LENGTH_MAX + INDENT,
): string[] {
  const { blockSize, blockCount, badOffsets } = report;
  if (badOffsets.length === 0 || blockCount < 2) return [];
  const rowLength = Math.max(1, Math.min(ROW_LENGTH_MAX, columns - INDENT));
  const marks = markBlocks(report, ROWS_MAX * rowLength);
  const perMark = Math.ceil(blockCount / marks.length) * blockSize;
  const rows: string[] = [];
  for (let at = 0; at < marks.length; at += rowLength) {
    rows.push(marks.slice(at, at + rowLength).map(colour).join(""));
  }
  const bad = formatCount(badOffsets.length);
  return [
    `${bad} of ${formatCount(blockCount)} blocks of ${
      formatSize(blockSize)
    } are bad (${BAD}); a mark is up to ${formatSize(perMark)}`,
    ...rows,
  ];
}

/** A mark stands for one block, or for several where there are too many. */
function markBlocks(
  { blockSize, blockCount, badOffsets }: VerifyReport,
  marksMax: number,
): string[] {
  const count = Math.min(blockCount, marksMax);
  const marks = new Array<string>(count).fill(GOOD);
  for (const offset of badOffsets) {
    marks[Math.floor(offset / blockSize * count / blockCount)] = BAD;
  }
  return marks;
}

function colour(mark: string): string {
  return mark === BAD ? paint("red", mark) : mark;
}
