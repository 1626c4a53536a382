/**
 * The pages of the docs agree with the sources and with one another.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MemorySnapshotStore, openFileSnapshotStore } from "@raft/snapshots";
import { readSource, sourceFiles } from "./source_files.ts";

/** The names in backticks in the first column of a page's tables. */
async function namesInTables(page: string): Promise<Set<string>> {
  const rows = (await readSource(page)).matchAll(/^\|([^|]+)\|/gm);
  const cells = Array.from(rows, ([, cell = ""]) => cell);
  return new Set(
    cells.flatMap((cell) =>
      Array.from(cell.matchAll(/`([^`]+)`/g), ([, name = ""]) => name)
    ),
  );
}

/** Checks that the tables of docs/store.md name each of them. */
async function requireInStorePage(names: readonly string[]): Promise<void> {
  assert.ok(names.length > 5, `found ${names}`);
  const shown = await namesInTables("docs/store.md");
  assert.deepEqual(names.filter((name) => !shown.has(name)), []);
}

/** The anchor that a heading has on a page of Markdown. */
function toAnchor(heading: string): string {
  return heading.toLowerCase().replace(/[^\w\- ]/g, "").replaceAll(" ", "-");
}

describe("docs/store.md", () => {
  it("names every option of a store in a directory", async () => {
    const error = await openFileSnapshotStore("unused", { no: 1 } as object)
      .then(() => assert.fail("it took an unknown option"), (error) => error);
    const [, list = ""] = /expected one of (.*)$/.exec(error.message) ?? [];
    await requireInStorePage(list.split(", "));
  });

  it("names every event", async () => {
    const source = await readSource("src/snapshot/events.ts");
    const [, types = ""] =
      /interface StoreEvents \{([\s\S]*?)^\}/m.exec(source) ?? [];
    const names = types.matchAll(/^ {2}readonly (\w+):/gm);
    await requireInStorePage(Array.from(names, ([, name = ""]) => name));
  });

  it("names every code of errors", async () => {
    const source = await readSource("src/errors.ts");
    const codes = source.matchAll(/^ {2}\| "(ERR_\w+)"/gm);
    await requireInStorePage(Array.from(codes, ([, code = ""]) => code));
  });

  it("names every call of a store", async () => {
    const names: string[] = [];
    let level: object = Object.getPrototypeOf(new MemorySnapshotStore());
    while (level !== Object.prototype) {
      names.push(...Object.getOwnPropertyNames(level));
      level = Object.getPrototypeOf(level);
    }
    const shown = [...await namesInTables("docs/store.md")];
    const missing = names.filter((name) =>
      name !== "constructor" &&
      !shown.some((call) => call.startsWith(`${name}(`))
    );
    assert.ok(names.includes("restore"), `found ${names}`);
    assert.deepEqual(missing, []);
  });
});

describe("docs/cli.md", () => {
  it("shows every command", async () => {
    const sources = await sourceFiles("src/cli", ".ts");
    const commands = sources.flatMap(({ text }) =>
      Array.from(
        text.matchAll(/\.command\("([\w-]+)"/g),
        ([, name = ""]) => name,
      )
    );
    assert.ok(commands.length > 5, `found ${commands}`);
    const shown = [...await namesInTables("docs/cli.md")];
    const missing = commands.filter((command) =>
      !shown.some((cell) => cell.startsWith(`raft-snapshots ${command}`))
    );
    assert.deepEqual(missing, []);
  });
});

describe("docs/README.md", () => {
  it("lists every page, each in a row of its table", async () => {
    const index = await readSource("docs/README.md");
    // An empty line would end the table, and the other rows would be prose.
    const [table = ""] = /^(\|.*\n)+/m.exec(index) ?? [];
    const pages = (await sourceFiles("docs", ".md"))
      .map(({ path }) => path.replace("docs/", ""))
      .filter((name) =>
        name !== "README.md" && !table.includes(`| [${name}](${name}) `)
      );
    assert.deepEqual(pages, []);
  });
});

describe("the links of the docs", () => {
  it("lead to headings that are there", async () => {
    const pages = new Map<string, string>();
    for (const path of ["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md"]) {
      pages.set(path, await readSource(path));
    }
    for (const { path, text } of await sourceFiles("docs", ".md")) {
      pages.set(path, text);
    }
    let count = 0;
    for (const [path, text] of pages) {
      for (
        const [, link = "", anchor = ""] of text.matchAll(
          /\]\((?!\w+:)([^)#]*)#([^)]+)\)/g,
        )
      ) {
        const target = link === "" ? path : resolve(path, link);
        const headings = pages.get(target)?.matchAll(/^#+ (.*)$/gm) ?? [];
        const anchors = Array.from(headings, ([, text = ""]) => toAnchor(text));
        assert.ok(anchors.includes(anchor), `${path}: ${link}#${anchor}`);
        count++;
      }
    }
    assert.ok(count > 10, "there are links to check");
  });
});

/** The path of a link from a page, from the repository's root. */
function resolve(page: string, link: string): string {
  return new URL(link, `file:///${page}`).pathname.slice(1);
}

describe("the figures of the README", () => {
  it("are those of docs/durability.md", async () => {
    const page = await readSource("docs/durability.md");
    const cuts = page.matchAll(/^\| (?:ext4|xfs|btrfs) +\| +([\d,]+) \|/gm);
    const disks = Array.from(
      cuts,
      ([, count = ""]) => Number(count.replaceAll(",", "")),
    );
    const sum = disks.reduce((a, b) => a + b, 0).toLocaleString("en-US");
    const readme = await readSource("README.md");
    const [bullets = ""] = /^- \*\*[\s\S]*?(?=^##)/m.exec(readme) ?? [];
    const figures = bullets.match(/\d{1,3}(,\d{3})+/g) ?? [];
    assert.ok(figures.length > 3, `found ${figures}`);
    const unknown = figures.filter((each) =>
      each !== sum && !page.includes(each)
    );
    assert.deepEqual(unknown, []);
  });

  it("are those of docs/benchmarks.json", async () => {
    const tables: readonly Table[] = JSON.parse(
      await readSource("docs/benchmarks.json"),
    );
    const readme = (await readSource("README.md")).replace(/\s+/g, " ");
    const figures = [
      `, ${ratioToGo(tables, "crc").at(1)} times Go's`,
      `is ${rangeToGo(tables, "read")} times as fast as in Go, ` +
      `${rangeToGo(tables, "read", ", reused buffers")} times into reused`,
      `writing ${rangeToGo(tables, "write")} times (`,
      `| ${rangeToGo(tables, "read")} times as fast, ` +
      `${rangeToGo(tables, "read", ", reused buffers")} into reused buffers |`,
      `| ${rangeToGo(tables, "write")} times as fast |`,
      `| ${rangeToGo(tables, "small")} times as fast |`,
      `| ${rangeToGo(tables, "list")} times as fast, then ` +
      `${rangeToGo(tables, "list", ", again")} |`,
    ];
    for (const each of figures) {
      assert.ok(readme.replaceAll(/ +\|/g, " |").includes(each), each);
    }
  });
});

/** A table of the benchmarks. */
interface Table {
  readonly id: string;
  readonly rows: readonly { readonly name: string; readonly seconds: number }[];
  readonly results: readonly {
    readonly name: string;
    readonly of: string;
    readonly ratio: number;
  }[];
}

/** How fast each runtime is, as a multiple of Go's speed; the slowest first. */
function ratioToGo(
  tables: readonly Table[],
  id: string,
  suffix = "",
): readonly number[] {
  const table = tables.find((each) => each.id === id);
  assert.ok(table, `found no table ${id}`);
  const go = table.rows.find(({ name }) => name.startsWith("Go "));
  const ratios = table.rows
    .filter(({ name }) =>
      /^(?:Deno|Bun|Node) [\d.]+(.*)$/.exec(name)?.[1] === suffix
    )
    .map(({ name, seconds }) =>
      // The medians of the rounds' ratios, where the page has them.
      table.results.find((each) => each.name === name && each.of === go?.name)
        ?.ratio ?? (go?.seconds ?? NaN) / seconds
    );
  assert.equal(ratios.length, 4);
  return ratios.toSorted((a, b) => a - b)
    .map((ratio) => Number(ratio.toPrecision(2)));
}

/** Such as `1.5 to 1.9`. */
function rangeToGo(
  tables: readonly Table[],
  id: string,
  suffix?: string,
): string {
  const ratios = ratioToGo(tables, id, suffix);
  return `${ratios.at(0)} to ${ratios.at(-1)}`;
}

describe("docs/demo.svg", () => {
  it("shows the demo in 80 columns", async () => {
    const picture = await readSource("docs/demo.svg");
    const texts = picture.matchAll(/<text\b[^>]*>([^<]*)<\/text>/g);
    const lines = Array.from(texts, ([, line = ""]) => line);
    for (const line of lines) assert.ok(line.length <= 80, line);
    for (const part of ["$ deno task demo", "fell back to index"]) {
      assert.ok(lines.some((line) => line.includes(part)), part);
    }
  });
});
