/**
 * The tables as bars, in SVG files that suit a light page and a dark one.
 *
 * @module
 */

import type { Row, Table } from "./table.ts";

const WIDTH = 760;
const VALUE_WIDTH = 90;
const ROW_HEIGHT = 18;
const STYLE = "text { fill: #222 } .ours { fill: #2f6f9f } " +
  ".other { fill: #b0b0b0 } .range { stroke: #222; stroke-width: 1.5 } " +
  "@media (prefers-color-scheme: dark) { text { fill: #ddd } " +
  ".ours { fill: #5aa9e0 } .other { fill: #777 } .range { stroke: #ddd } }";

/** The tables of the README's picture, and which of the system's tools it is. */
const SUMMARY: Readonly<
  Record<string, { readonly title: string; readonly tool: string }>
> = {
  read: { title: "Read a snapshot, every byte checked", tool: "cat" },
  write: { title: "Write a snapshot until it is durable", tool: "dd" },
};

/** A plot of every table in which bytes count. */
export function toSvg(tables: readonly Table[]): string {
  const shown = tables.filter(({ id, rows }) =>
    !id.startsWith("memory") && rows.every(({ rate }) => rate !== undefined)
  );
  return draw(shown, 270);
}

/**
 * Reading and writing beside Go's store, and beside `cat` and `dd`: the picture
 * of the README.
 */
export function toSummarySvg(tables: readonly Table[]): string {
  const shown = tables.flatMap((table) => {
    const shown = SUMMARY[table.id];
    if (shown === undefined) return [];
    const ours = table.rows.find((row) => row.ours);
    const rows = [
      ours && { ...ours, name: `this library, ${ours.name}` },
      table.rows.find(({ name }) => name.startsWith("Go ")),
      table.rows.filter(({ name }) => name === "dd, cat")
        .map((row) => ({ ...row, name: shown.tool }))[0],
    ].filter((row) => row !== undefined);
    return [{ ...table, title: shown.title, rows }];
  });
  return draw(shown, 180);
}

/** What the colours and lines mean. */
function legend(): string {
  const swatch = (x: number, kind: string) =>
    `<rect x="${x}" y="6" width="18" height="12" class="${kind}"/>`;
  return [
    text(10, 16, "Longer is better.", "bold"),
    swatch(130, "ours"),
    text(153, 16, "this library"),
    swatch(235, "other"),
    text(258, 16, "others"),
    `<line x1="312" x2="330" y1="12" y2="12" class="range"/>`,
    text(
      335,
      16,
      "from the slowest round to the fastest; the bar is the median",
    ),
  ].join("\n");
}

/** Each table has a scale of its own, which its title names. */
function draw(tables: readonly Table[], labelWidth: number): string {
  const parts = [legend()];
  let top = 30;
  for (const { title, bytes, rows } of tables) {
    const most = Math.max(
      ...rows.map(({ range: [fastest] }) => bytes / fastest),
    );
    const scale = `GB/s, from 0 to ${(most / 1e9).toFixed(1)}`;
    parts.push(text(10, top + 14, `${title} (${scale})`, "bold"));
    top += 24;
    for (const row of rows) {
      parts.push(toBar(row, { bytes, most, labelWidth }, top));
      top += ROW_HEIGHT;
    }
    top += 16;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" ` +
    `height="${top}" font-family="sans-serif" font-size="12">\n` +
    `<style>${STYLE}</style>\n${parts.join("\n")}\n</svg>\n`;
}

function toBar(
  { name, ours, seconds, range: [fastest, slowest] }: Row,
  { bytes, most, labelWidth }: {
    readonly bytes: number;
    readonly most: number;
    readonly labelWidth: number;
  },
  top: number,
): string {
  const room = WIDTH - labelWidth - VALUE_WIDTH;
  const widthOf = (time: number) => Math.max(1, bytes / time / most * room);
  const x = (time: number) => (labelWidth + widthOf(time)).toFixed(1);
  const middle = top + ROW_HEIGHT / 2;
  return [
    text(10, top + 12, name),
    `<rect x="${labelWidth}" y="${top + 2}" ` +
    `width="${widthOf(seconds).toFixed(1)}" height="${ROW_HEIGHT - 5}" ` +
    `class="${ours ? "ours" : "other"}"/>`,
    `<line x1="${x(slowest)}" x2="${x(fastest)}" y1="${middle}" ` +
    `y2="${middle}" class="range"/>`,
    text(
      labelWidth + widthOf(fastest) + 6,
      top + 12,
      (bytes / seconds / 1e9).toFixed(2),
    ),
  ].join("\n");
}

function text(x: number, y: number, content: string, weight = "normal") {
  const safe = content.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return `<text x="${x.toFixed(1)}" y="${y}" font-weight="${weight}">` +
    `${safe}</text>`;
}
