import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { repository } from "../support/repository.ts";
import { readSource, type SourceFile, sourceFiles } from "./source_files.ts";

const folders = [
  "src",
  "tests",
  "scripts",
  "examples",
  "docs",
  ".ci",
  ".github",
];
const files = [
  "CHANGELOG.md",
  "CONTRIBUTING.md",
  "SECURITY.md",
  "README.md",
  "deno.json",
  "deno.lock",
  "mod.ts",
];

async function denoConfig(): Promise<{
  readonly version: string;
  readonly license: string;
  readonly imports: Readonly<Record<string, string>>;
}> {
  return JSON.parse(await readSource("deno.json"));
}

describe("the release", () => {
  it("has an entry in the changelog", async () => {
    const { version } = await denoConfig();
    const changelog = await readSource("CHANGELOG.md");
    const headings = changelog.match(/^## .*$/gm) ?? [];
    assert.match(headings[0] ?? "", new RegExp(`^## ${version}\\b`));
  });

  it("has the licence that it names", async () => {
    assert.equal((await denoConfig()).license, "MPL-2.0");
    assert.match(
      await readSource("LICENSE"),
      /^Mozilla Public License, version 2\.0/,
    );
  });

  it("pins its dependencies, all of them from npm", async () => {
    for (const specifier of Object.values((await denoConfig()).imports)) {
      assert.match(specifier, /^npm:(@[\w-]+\/)?[\w.-]+@\d+\.\d+\.\d+$/);
    }
  });

  it("locks no registry's address", async () => {
    assert.doesNotMatch(await readSource("deno.lock"), /https?:|"tarball"/);
  });
});

/** All texts that are in the repository for people or programs to read. */
async function texts(): Promise<SourceFile[]> {
  const found = await Promise.all(
    folders.map((folder) => sourceFiles(folder, "")),
  );
  const alone = await Promise.all(
    files.map(async (path) => ({ path, text: await readSource(path) })),
  );
  return [...found.flat(), ...alone];
}

async function textsWith(pattern: RegExp): Promise<string[]> {
  return (await texts())
    .filter(({ text }) => pattern.test(text))
    .map(({ path, text }) => `${path}: ${pattern.exec(text)?.[0]}`);
}

describe("the texts", () => {
  it("contain no notes of work that is left to do", async () => {
    // Put together here, or this file would be found.
    const marks = new RegExp(
      `\\b(${["TO" + "DO", "FIX" + "ME"].join("|")})\\b`,
    );
    assert.deepEqual(await textsWith(marks), []);
  });

  it("name neither a registry's host nor the place of the repository", async () => {
    const here = fileURLToPath(repository).slice(0, -1)
      .replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    assert.deepEqual(await textsWith(/\bregistry\.[a-z]/), []);
    assert.deepEqual(
      await textsWith(new RegExp(`(?<![\\w.@-])${here}(?![\\w-])`)),
      [],
    );
  });
});
