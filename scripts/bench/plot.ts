/**
 * The tables as bars, in one SVG file.
 *
 * @module
 */

import type { Row, Table } from "./table.ts";

const WIDTH = 760;
const LABEL_WIDTH = 270;
const VALUE_WIDTH = 90;
const ROW_HEIGHT = 18;

/** A plot of every table in which bytes count: longer is faster. */
export function toSvg(tables: readonly Table[]): string {
  const shown = tables.filter(({ id, rows }) =>
    !id.startsWith("memory") && rows.every(({ rate }) => rate !== undefined)
  );
  let top = 10;
  const parts: string[] = [];
  for (const { title, rows } of shown) {
    parts.push(text(10, top + 14, `${title} (GB/s)`, "bold"));
    top += 24;
    const most = Math.max(...rows.map(({ rate }) => rate ?? 0));
    for (const row of rows) {
      parts.push(toBar(row, most, top));
      top += ROW_HEIGHT;
    }
    top += 16;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" ` +
    `height="${top}" font-family="sans-serif" font-size="12">\n` +
    `<rect width="100%" height="100%" fill="#fff"/>\n` +
    `${parts.join("\n")}\n</svg>\n`;
}

function toBar(row: Row, most: number, top: number): string {
  const rate = row.rate ?? 0;
  const room = WIDTH - LABEL_WIDTH - VALUE_WIDTH;
  const width = Math.max(1, (rate / most) * room);
  const color = row.ours ? "#2f6f9f" : "#b8b8b8";
  return [
    text(10, top + 12, row.name),
    `<rect x="${LABEL_WIDTH}" y="${top + 2}" width="${width.toFixed(1)}" ` +
    `height="${ROW_HEIGHT - 5}" fill="${color}"/>`,
    text(LABEL_WIDTH + width + 6, top + 12, rate.toFixed(2)),
  ].join("\n");
}

function text(x: number, y: number, content: string, weight = "normal") {
  const safe = content.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return `<text x="${x.toFixed(1)}" y="${y}" font-weight="${weight}" ` +
    `fill="#222">${safe}</text>`;
}
