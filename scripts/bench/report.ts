/**
 * The tables as text for the terminal and as Markdown for docs/.
 *
 * @module
 */

import type { Row, Table, TargetResult } from "./table.ts";

/** A table for the terminal. */
export function toText(table: Table): string {
  const header = ["", "median", "range", "peak memory"];
  const cells = [header, ...table.rows.map(toCells)];
  const widths = header.map((_, i) =>
    Math.max(...cells.map((row) => row[i]?.length ?? 0))
  );
  const lines = cells.map((row) =>
    row.map((cell, i) =>
      i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)
    ).join("  ").trimEnd()
  );
  const targets = table.results.map((result) => `  ${toSentence(result)}`);
  return [heading(table), ...lines, ...targets].join("\n");
}

/** The whole page. */
export function toMarkdown(tables: readonly Table[]): string {
  const sections = tables.map((table) =>
    [
      `## ${heading(table)}`,
      wrap(`Measured on: ${table.machine}.`),
      [
        "| | median | range | peak memory |",
        "| --- | --: | --: | --: |",
        ...table.rows.map((row) => `| ${toCells(row).join(" | ")} |`),
      ].join("\n"),
      ...(table.results.length === 0
        ? []
        : [table.results.map((v) => `- ${toSentence(v)}`).join("\n")]),
      ...(table.obstacle === undefined ? [] : [wrap(table.obstacle)]),
    ].join("\n\n")
  );
  return `# Benchmarks

Measured by \`deno task bench\`, which writes this page.

Each round measures every contestant in a process of its own; the table gives the
median of the rounds, and the ratios are medians of the ratios within a round.
Memory is the growth of a process: its peak, less its size before it began.
Where the machine had other work (a load of more than 0.5 before it began), times
say little by themselves: the contestants take turns, so the ratios still do.

One table is measured by its name, such as \`deno task bench --only=read\`; the
names are ${tables.map(({ id }) => id).join(", ")}.

![Bars of the median speeds below, with the range of the rounds](benchmarks.svg)

${sections.join("\n\n")}
`;
}

/** Lines of at most 80 characters. */
function wrap(text: string): string {
  return text.replace(/(?=\S)(.{1,79}\S|\S+)(?:\s+|$)/g, "$1\n").trimEnd();
}

function heading({ title, bytes, rounds }: Table): string {
  const size = bytes === 0 ? "" : `, ${Math.round(bytes / 1024 ** 2)} MiB`;
  return `${title}${size}, ${rounds} ${rounds === 1 ? "round" : "rounds"}`;
}

function toCells(row: Row): string[] {
  const [low, high] = row.range.map(formatSeconds);
  return [
    row.name,
    row.rate === undefined
      ? formatSeconds(row.seconds)
      : `${row.rate.toFixed(2)} GB/s`,
    `${low} to ${high}`,
    row.peakBytes === 0 ? "" : `${(row.peakBytes / 1024 ** 2).toFixed(0)} MiB`,
  ];
}

function formatSeconds(seconds: number): string {
  return seconds < 1
    ? `${(seconds * 1000).toFixed(seconds < 0.001 ? 3 : 1)} ms`
    : `${seconds.toFixed(2)} s`;
}

function toSentence({ name, of, wanted, ratio }: TargetResult): string {
  const outcome = ratio >= wanted ? "reached" : "missed";
  return `${name}: ${ratio.toFixed(2)} times ${of}, ` +
    `wanted ${wanted.toFixed(2)}: ${outcome}`;
}
