/**
 * The README's picture is drawn from the figures in docs/benchmarks.json:
 * `deno task bench:redraw` makes it again.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readSource } from "./source_files.ts";

/** A table of docs/benchmarks.json, as far as the picture shows it. */
interface Table {
  readonly id: string;
  readonly bytes: number;
  readonly rows: readonly {
    readonly name: string;
    readonly ours: boolean;
    readonly seconds: number;
  }[];
}

/** The speeds of this library, Go and the system's tool, in GB/s. */
async function speedsOf(id: string): Promise<[number, number, number]> {
  const tables: readonly Table[] = JSON.parse(
    await readSource("docs/benchmarks.json"),
  );
  const table = tables.find((table) => table.id === id);
  const speed = (isWanted: (row: Table["rows"][number]) => boolean) => {
    const row = table?.rows.find(isWanted);
    return table && row ? table.bytes / row.seconds / 1e9 : NaN;
  };
  return [
    speed(({ ours }) => ours),
    speed(({ name }) => name.startsWith("Go ")),
    speed(({ name }) => name === "dd, cat"),
  ];
}

/** The picture, with each element in one line. */
async function picture(): Promise<string> {
  const svg = await readSource("docs/read_and_write.svg");
  return svg.replace(/\s+/g, " ").replaceAll("> <", ">\n<");
}

/** The widths of the bars, those of the legend first. */
async function widths(): Promise<number[]> {
  const svg = await picture();
  return [...svg.matchAll(/<rect .*? width="([\d.]+)"/g)]
    .map(([, width]) => Number(width));
}

describe("the README's picture", () => {
  it("has two colours in its legend and four bars", async () => {
    const svg = await picture();
    const kinds = [...svg.matchAll(/<rect .*? class="(\w+)"/g)]
      .map(([, kind]) => kind);
    const pair = ["ours", "other"];
    assert.deepEqual(kinds, [...pair, ...pair, ...pair]);
    assert.match(svg, />Longer is better\.</);
  });

  it("has the figures of docs/benchmarks.json", async () => {
    const svg = await picture();
    const speeds = [...await speedsOf("read"), ...await speedsOf("write")];
    const shown = [...svg.matchAll(/, (\d+\.\d\d) GB\/s</g)]
      .map(([, speed]) => speed);
    assert.deepEqual(shown, speeds.map((speed) => speed.toFixed(2)));
  });

  it("has all bars and lines on one scale", async () => {
    const [read, write] = [await speedsOf("read"), await speedsOf("write")];
    const [, , ...bars] = await widths();
    const svg = await picture();
    const [, ...tools] = [
      ...svg.matchAll(/<line x1="([\d.]+)".* class="tool"/g),
    ]
      .map(([, x]) => Number(x));
    const start = Number(/<rect x="(\d+)"/.exec(svg)?.[1]);
    const lengths = [...bars, ...tools.map((x) => x - start)];
    const speeds = [
      ...read.slice(0, 2),
      ...write.slice(0, 2),
      read[2],
      write[2],
    ];
    const scale = (lengths[0] ?? NaN) / read[0];
    assert.equal(lengths.length, speeds.length);
    for (const [i, length] of lengths.entries()) {
      // The picture has tenths, and the scale is that of one of its bars.
      const isOnScale = Math.abs(length - (speeds[i] ?? NaN) * scale) < 0.5;
      assert.ok(isOnScale, `${length} at ${speeds[i]} GB/s`);
    }
  });

  it("has the tools as lines, which the legend names", async () => {
    const svg = await picture();
    assert.equal(svg.match(/<line .* class="tool"/g)?.length, 3);
    assert.match(svg, />cat or dd, unchecked</);
    assert.match(svg, />cat, [\d.]+ GB\/s</);
    assert.match(svg, />dd, [\d.]+ GB\/s</);
  });

  it("has colours of its own on a dark page", async () => {
    const svg = await picture();
    const darkRules =
      /@media \(prefers-color-scheme: dark\) \{( [^{}]+\{[^}]*\})+ \}/g;
    const dark = (svg.match(darkRules) ?? []).join(" ");
    const light = svg.replace(darkRules, "");
    const named = (rules: string) =>
      [...rules.matchAll(/(\.?\w+) \{/g)].map(([, name]) => name).toSorted();
    const names = [".other", ".ours", ".range", ".tool", "text"];
    assert.deepEqual([named(light), named(dark)], [names, names]);
  });
});
