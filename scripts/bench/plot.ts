/**
 * The tables as bars, in an SVG file.
 *
 * @module
 */

import { bar, swatch, text, toDocument, WIDTH } from "./svg.ts";
import type { Row, Table } from "./table.ts";

const LABEL_WIDTH = 270;
const VALUE_WIDTH = 90;
const ROW_HEIGHT = 18;

/**
 * A plot of every table in which bytes count. Each table has a scale of its own,
 * which its title names.
 */
export function toSvg(tables: readonly Table[]): string {
  const shown = tables.filter(({ id, rows }) =>
    !id.startsWith("memory") && rows.every(({ rate }) => rate !== undefined)
  );
  const parts = [legend()];
  let top = 30;
  for (const { title, bytes, rows } of shown) {
    const most = Math.max(
      ...rows.map(({ range: [fastest] }) => bytes / fastest),
    );
    const scale = `GB/s, from 0 to ${(most / 1e9).toFixed(1)}`;
    parts.push(text(10, top + 14, `${title} (${scale})`, { bold: true }));
    top += 24;
    for (const row of rows) {
      parts.push(toBar(row, { bytes, most }, top));
      top += ROW_HEIGHT;
    }
    top += 16;
  }
  return toDocument(parts, top);
}

/** The meaning of the colours and lines. */
function legend(): string {
  return [
    text(10, 16, "Longer is better.", { bold: true }),
    swatch(130, 6, "ours"),
    text(153, 16, "this library"),
    swatch(235, 6, "other"),
    text(258, 16, "others"),
    `<line x1="312" x2="330" y1="12" y2="12" class="range"/>`,
    text(
      335,
      16,
      "from the slowest round to the fastest; the bar is the median",
    ),
  ].join("\n");
}

function toBar(
  { name, ours, seconds, range }: Row,
  { bytes, most }: { readonly bytes: number; readonly most: number },
  top: number,
): string {
  const room = WIDTH - LABEL_WIDTH - VALUE_WIDTH;
  const lengthOf = (time: number) => Math.max(1, bytes / time / most * room);
  const height = ROW_HEIGHT - 5;
  const place = { left: LABEL_WIDTH, top: top + 2, height };
  return [
    text(10, top + 12, name),
    ...bar({ ...place, ours, lengthOf, seconds, range }),
    text(
      LABEL_WIDTH + lengthOf(range[0]) + 6,
      top + 12,
      (bytes / seconds / 1e9).toFixed(2),
    ),
  ].join("\n");
}
