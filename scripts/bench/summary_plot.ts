/**
 * The README's picture: reading and writing, here and in Go, on one scale. The
 * system's own tool is a line across the two bars of its group, not a bar, because
 * it checks nothing.
 *
 * @module
 */

import { bar, swatch, text, toDocument, WIDTH } from "./svg.ts";
import type { Row, Table } from "./table.ts";

const LABEL_WIDTH = 190;
const RIGHT_MARGIN = 20;
const ROW_HEIGHT = 24;
/** Title, two bars, the name of the line, and the space to the next group. */
const GROUP_HEIGHT = 24 + 2 * ROW_HEIGHT + 20 + 12;
const LEGEND_HEIGHT = 50;
/** A line further to the right than this has its name at its left. */
const NAME_LEFT_FROM = WIDTH - 140;

const TOOL_STYLE =
  ".tool { stroke: #b5541c; stroke-width: 2; stroke-dasharray: 4 2 } " +
  "@media (prefers-color-scheme: dark) { .tool { stroke: #f0a060 } }";

/** The tables of the picture, and the tool that each is compared with. */
const GROUPS: Readonly<
  Record<string, { readonly title: string; readonly tool: string }>
> = {
  read: { title: "Read a snapshot, every byte checked", tool: "cat" },
  write: { title: "Write a snapshot until it is durable", tool: "dd" },
};

/** A table's rows that the picture shows. */
interface Group {
  readonly title: string;
  readonly bytes: number;
  readonly ours: Row;
  readonly go: Row;
  readonly tool: Row;
}

/**
 * The picture. A group that lacks a bar or the line is left out, because a run
 * on a small scale measures some contestants only.
 */
export function toSummarySvg(tables: readonly Table[]): string {
  const groups = tables.flatMap(toGroups);
  const most = Math.max(
    ...groups.flatMap(({ bytes, ours, go, tool }) =>
      [ours, go, tool].map(({ range: [fastest] }) => bytes / fastest)
    ),
  );
  const parts = groups.map((group, i) =>
    drawGroup(group, most, LEGEND_HEIGHT + i * GROUP_HEIGHT)
  );
  const height = LEGEND_HEIGHT + groups.length * GROUP_HEIGHT;
  return toDocument([legend(groups), ...parts], height, TOOL_STYLE);
}

/** The table as a group; none when the picture does not show it. */
function toGroups({ id, bytes, rows }: Table): Group[] {
  const names = GROUPS[id];
  const ours = rows.find((row) => row.ours);
  const go = rows.find(({ name }) => name.startsWith("Go "));
  const tool = rows.find(({ name }) => name === "dd, cat");
  if (!names || !ours || !go || !tool) return [];
  const { title, tool: name } = names;
  return [{ title, bytes, ours, go, tool: { ...tool, name } }];
}

/** The meaning of the colours and lines, in two lines. */
function legend([first]: readonly Group[]): string {
  return [
    text(10, 16, "Longer is better.", { bold: true }),
    swatch(LABEL_WIDTH, 6, "ours"),
    text(LABEL_WIDTH + 23, 16, `this library on ${first?.ours.name}`),
    swatch(LABEL_WIDTH + 195, 6, "other"),
    text(LABEL_WIDTH + 218, 16, `Go's FileSnapshotStore, ${first?.go.name}`),
    `<line x1="${LABEL_WIDTH + 9}" x2="${LABEL_WIDTH + 9}" y1="25" y2="41" ` +
    `class="tool"/>`,
    text(LABEL_WIDTH + 23, 37, "cat or dd, unchecked"),
    `<line x1="${LABEL_WIDTH + 195}" x2="${LABEL_WIDTH + 213}" y1="33" ` +
    `y2="33" class="range"/>`,
    text(
      LABEL_WIDTH + 218,
      37,
      "slowest to fastest round; the bar is the median",
    ),
  ].join("\n");
}

function drawGroup(group: Group, most: number, top: number): string {
  const { title, bytes, ours, go, tool } = group;
  const room = WIDTH - LABEL_WIDTH - RIGHT_MARGIN;
  const lengthOf = (seconds: number) =>
    Math.max(1, bytes / seconds / most * room);
  const speed = ({ seconds }: Row) => `${toGBs(bytes, seconds)} GB/s`;
  const rows = [["this library", ours], ["Go", go]] as const;
  return [
    text(10, top + 14, title, { bold: true }),
    ...rows.flatMap(([name, row], i) => {
      const y = top + 24 + i * ROW_HEIGHT;
      const place = { left: LABEL_WIDTH, top: y + 2, height: ROW_HEIGHT - 5 };
      return [
        text(10, y + 16, `${name}, ${speed(row)}`),
        ...bar({ ...row, ...place, lengthOf }),
      ];
    }),
    ...toolLine(
      `${tool.name}, ${speed(tool)}`,
      LABEL_WIDTH + lengthOf(tool.seconds),
      top + 20,
    ),
  ].join("\n");
}

/** The median of the tool, across both bars; its name is below them. */
function toolLine(name: string, x: number, top: number): string[] {
  const bottom = top + 2 * ROW_HEIGHT + 22;
  const isLeft = x > NAME_LEFT_FROM;
  return [
    `<line x1="${x.toFixed(1)}" x2="${x.toFixed(1)}" y1="${top}" ` +
    `y2="${bottom}" class="tool"/>`,
    text(isLeft ? x - 6 : x + 6, bottom - 2, name, {
      anchor: isLeft ? "end" : "start",
    }),
  ];
}

function toGBs(bytes: number, seconds: number): string {
  return (bytes / seconds / 1e9).toFixed(2);
}
