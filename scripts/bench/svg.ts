/**
 * The parts that the SVG files of the bench have in common. They suit a light
 * page and a dark one.
 *
 * @module
 */

/** The width of a picture, in its units. */
export const WIDTH = 760;

const STYLE = "text { fill: #222 } .ours { fill: #2f6f9f } " +
  ".other { fill: #b0b0b0 } .range { stroke: #222; stroke-width: 1.5 } " +
  "@media (prefers-color-scheme: dark) { text { fill: #ddd } " +
  ".ours { fill: #5aa9e0 } .other { fill: #777 } .range { stroke: #ddd } }";

/** The whole file, from its elements; `style` is added to that of all files. */
export function toDocument(
  parts: readonly string[],
  height: number,
  style = "",
): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" ` +
    `height="${height}" font-family="sans-serif" font-size="12">\n` +
    `<style>${STYLE}${style}</style>\n${parts.join("\n")}\n</svg>\n`;
}

/** How a text looks. */
export interface TextOptions {
  /** Whether it is bold. @default {false} */
  readonly bold?: boolean;
  /** The end of the text that is at `x`. @default {"start"} */
  readonly anchor?: "start" | "end";
}

/** A line of text on the base line `y`. */
export function text(
  x: number,
  y: number,
  content: string,
  { bold = false, anchor = "start" }: TextOptions = {},
): string {
  const safe = content.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  const end = anchor === "end" ? ' text-anchor="end"' : "";
  return `<text x="${x.toFixed(1)}" y="${y}" ` +
    `font-weight="${bold ? "bold" : "normal"}"${end}>${safe}</text>`;
}

/** The colour of a bar, in a legend. */
export function swatch(x: number, y: number, kind: "ours" | "other"): string {
  return `<rect x="${x}" y="${y}" width="18" height="12" class="${kind}"/>`;
}

/** A bar, and the range of its rounds as a line along its middle. */
export function bar(
  { left, top, height, ours, lengthOf, seconds, range: [fastest, slowest] }: {
    readonly left: number;
    readonly top: number;
    readonly height: number;
    readonly ours: boolean;
    readonly lengthOf: (seconds: number) => number;
    readonly seconds: number;
    readonly range: readonly [number, number];
  },
): string[] {
  const x = (time: number) => (left + lengthOf(time)).toFixed(1);
  const middle = top + (height + 1) / 2;
  return [
    `<rect x="${left}" y="${top}" width="${lengthOf(seconds).toFixed(1)}" ` +
    `height="${height}" class="${ours ? "ours" : "other"}"/>`,
    `<line x1="${x(slowest)}" x2="${x(fastest)}" y1="${middle}" ` +
    `y2="${middle}" class="range"/>`,
  ];
}
