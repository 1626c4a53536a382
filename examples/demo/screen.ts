/** How the demo prints. */

import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { styleText } from "node:util";
import { formatSize } from "../../src/cli/format.ts";

type Style = "bold" | "dim" | "green" | "yellow";

function style(name: Style, text: string): string {
  const wanted = process.stdout.isTTY && !process.env["NO_COLOR"];
  return wanted ? styleText(name, text) : text;
}

/** Prints the heading of a step. */
export function title(text: string): void {
  console.log(`\n${style("bold", text)}`);
}

/** Prints a line about a success. */
export function good(text: string): void {
  console.log(`  ${style("green", "✓")} ${text}`);
}

/** Prints a line about damage, which the demo has caused. */
export function bad(text: string): void {
  console.log(`  ${style("yellow", "!")} ${text}`);
}

/** Prints a detail. */
export function note(text: string): void {
  console.log(`    ${style("dim", text)}`);
}

/** Shows a directory of snapshots, each with its files and their sizes. */
export async function showSnapshots(directory: string): Promise<void> {
  note(`${directory}/`);
  const names = (await directoriesIn(directory)).sort();
  for (const [i, name] of names.entries()) {
    const branch = i === names.length - 1 ? "└─" : "├─";
    note(`${branch} ${name}/  ${await describeFiles(join(directory, name))}`);
  }
}

async function directoriesIn(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

async function describeFiles(directory: string): Promise<string> {
  const names = (await readdir(directory)).sort().reverse();
  const files = names.map(async (name) => {
    const { size } = await stat(join(directory, name));
    return `${name} ${formatSize(size)}`;
  });
  return (await Promise.all(files)).join(", ");
}
