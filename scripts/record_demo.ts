/**
 * Runs the demo, and writes its output as docs/demo.svg: a terminal of 80
 * columns in which the lines appear one after the other. A viewer that does not
 * animate, or that was told to keep still, shows the last picture.
 *
 *     deno run -A scripts/record_demo.ts [OPTIONS OF THE DEMO]
 *
 * @module
 */

import { join } from "node:path";
import { mustRun } from "./support/command.ts";
import { root } from "./support/repository.ts";
import { TextLineStream } from "./support/text_line_stream.ts";

const COLUMNS = 80;
const LINE_HEIGHT = 19;
const FONT_SIZE = 13;
/** The widest of the usual fonts: a line must not reach over the edge. */
const CHARACTER_WIDTH = 0.62 * FONT_SIZE;
const MARGIN = 16;
/** Longer waits are cut: a reader has seen the line that they follow. */
const PAUSE_MS_MAX = 1200;

/** A line of the demo, and how long after the one before it came. */
interface RecordedLine {
  readonly text: string;
  readonly pauseMs: number;
}

const STYLE = `
.screen { fill: #f6f8fa; stroke: #d0d7de }
text { font: ${FONT_SIZE}px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #1f2328 }
.title { font-weight: bold } .detail { fill: #636c76 }
.good { fill: #116329 } .bad { fill: #953800 }
@media (prefers-color-scheme: dark) {
  .screen { fill: #151b23; stroke: #3d444d } text { fill: #f0f6fc }
  .detail { fill: #9198a1 } .good { fill: #56d364 } .bad { fill: #e3b341 }
}
@keyframes appear { from { opacity: 0 } to { opacity: 1 } }
@media (prefers-reduced-motion: no-preference) {
  text { animation: appear 1ms step-end backwards }
}
`.trim();

/** The marks that the demo puts before a line, and how they are shown. */
const MARKS: readonly (readonly [start: RegExp, kind: string])[] = [
  [/^ {2}✓/, "good"],
  [/^ {2}!/, "bad"],
  [/^ {4}/, "detail"],
  [/^(\$|\d\.|Done)/, "title"],
];

/** Cuts a line between words to the width of the terminal. */
function wrap(text: string): string[] {
  const lines: string[] = [];
  let rest = text;
  while (rest.length > COLUMNS) {
    const end = rest.lastIndexOf(" ", COLUMNS);
    const cut = end > COLUMNS / 2 ? end : COLUMNS;
    lines.push(rest.slice(0, cut));
    rest = `      ${rest.slice(cut).trimStart()}`;
  }
  return [...lines, rest];
}

/** Text of the picture; spaces that XML would join become no-break spaces. */
function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;")
    .replaceAll("  ", "\u00a0\u00a0").replace(/^ /, "\u00a0");
}

/** Draws a terminal in which the lines appear one after the other. */
function toTerminalSvg(lines: readonly RecordedLine[]): string {
  const texts: string[] = [];
  let delayMs = 0;
  let y = MARGIN;
  for (const { text, pauseMs } of lines) {
    delayMs += Math.min(pauseMs, PAUSE_MS_MAX);
    const kind = MARKS.find(([start]) => start.test(text))?.[1] ?? "plain";
    for (const part of wrap(text)) {
      y += LINE_HEIGHT;
      if (part.trim() === "") continue;
      texts.push(
        `<text x="${MARGIN}" y="${y - 5}" class="${kind}" ` +
          `style="animation-delay:${Math.round(delayMs)}ms">` +
          `${escape(part)}</text>`,
      );
    }
  }
  const width = Math.ceil(COLUMNS * CHARACTER_WIDTH) + 2 * MARGIN;
  const height = y + MARGIN;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ` +
    `${height}" width="${width}" height="${height}">\n` +
    `<style>\n${STYLE}\n</style>\n<rect class="screen" x="0.5" y="0.5" ` +
    `width="${width - 1}" height="${height - 1}" rx="8"/>\n` +
    `${texts.join("\n")}\n</svg>\n`;
}

/** Runs the demo; resolves to its lines, and when they came. */
async function record(args: readonly string[]): Promise<RecordedLine[]> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "examples/demo.ts", ...args],
    cwd: root,
    env: { NO_COLOR: "1" },
    stdout: "piped",
  }).spawn();
  const command = ["$ deno task demo", ...args].join(" ");
  const recorded = [{ text: command, pauseMs: 0 }];
  let lastMs = performance.now();
  const texts = child.stdout.pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream());
  for await (const text of texts) {
    const nowMs = performance.now();
    recorded.push({ text, pauseMs: nowMs - lastMs });
    lastMs = nowMs;
  }
  const { code } = await child.status;
  if (code !== 0) {
    throw new Error(`Cannot record the demo: it ended with ${code}`);
  }
  return recorded;
}

if (import.meta.main) {
  const path = join(root, "docs", "demo.svg");
  await Deno.writeTextFile(path, toTerminalSvg(await record(Deno.args)));
  await mustRun(Deno.execPath(), ["fmt", "--quiet", path], { cwd: root });
  console.log(`Wrote ${path}`);
}
