/**
 * The tables as bars, in SVG files that suit a light page and a dark one.
 *
 * @module
 */

import type { Row, Table } from "./table.ts";

const WIDTH = 760;
const LABEL_WIDTH = 270;
const VALUE_WIDTH = 90;
const ROW_HEIGHT = 18;
const LEGEND = "Longer is better. Bars: median; lines: slowest to fastest " +
  "round. Blue: this library; grey: others.";
const STYLE = "text { fill: #222 } .ours { fill: #2f6f9f } " +
  ".other { fill: #b0b0b0 } .range { stroke: #222; stroke-width: 1.5 } " +
  "@media (prefers-color-scheme: dark) { text { fill: #ddd } " +
  ".ours { fill: #5aa9e0 } .other { fill: #777 } .range { stroke: #ddd } }";

/** A plot of every table in which bytes count. */
export function toSvg(tables: readonly Table[]): string {
  const shown = tables.filter(({ id, rows }) =>
    !id.startsWith("memory") && rows.every(({ rate }) => rate !== undefined)
  );
  return draw(shown);
}

/**
 * Reading and writing beside Go's store, and beside `cat` and `dd`: the picture
 * of the README.
 */
export function toSummarySvg(tables: readonly Table[]): string {
  const shown = tables.flatMap((table) => {
    const title = { read: "Read, checked", write: "Write, durable" }[table.id];
    if (title === undefined) return [];
    const rows = [
      table.rows.find(({ ours }) => ours),
      table.rows.find(({ name }) => name.startsWith("Go ")),
      table.rows.find(({ name }) => name === "dd, cat"),
    ].filter((row) => row !== undefined);
    return [{ ...table, title, rows }];
  });
  return draw(shown);
}

/** Each table has a scale of its own, which its title names. */
function draw(tables: readonly Table[]): string {
  const parts = [text(10, 16, LEGEND)];
  let top = 30;
  for (const { title, bytes, rows } of tables) {
    const most = Math.max(
      ...rows.map(({ range: [fastest] }) => bytes / fastest),
    );
    const scale = `GB/s, from 0 to ${(most / 1e9).toFixed(1)}`;
    parts.push(text(10, top + 14, `${title} (${scale})`, "bold"));
    top += 24;
    for (const row of rows) {
      parts.push(toBar(row, { bytes, most }, top));
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
  { bytes, most }: { readonly bytes: number; readonly most: number },
  top: number,
): string {
  const room = WIDTH - LABEL_WIDTH - VALUE_WIDTH;
  const widthOf = (time: number) => Math.max(1, bytes / time / most * room);
  const x = (time: number) => (LABEL_WIDTH + widthOf(time)).toFixed(1);
  const middle = top + ROW_HEIGHT / 2;
  return [
    text(10, top + 12, name),
    `<rect x="${LABEL_WIDTH}" y="${top + 2}" ` +
    `width="${widthOf(seconds).toFixed(1)}" height="${ROW_HEIGHT - 5}" ` +
    `class="${ours ? "ours" : "other"}"/>`,
    `<line x1="${x(slowest)}" x2="${x(fastest)}" y1="${middle}" ` +
    `y2="${middle}" class="range"/>`,
    text(
      LABEL_WIDTH + widthOf(fastest) + 6,
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
