import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readSource, sourceFiles } from "./source_files.ts";

/** The folders that others read. */
const folders = ["src", "tests", "scripts", "examples", "docs"];

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

describe("the texts", () => {
  it("leave nothing to do", async () => {
    const texts = await Promise.all(
      folders.map((folder) => sourceFiles(folder, "")),
    );
    const marked = texts.flat().filter(({ text }) =>
      new RegExp("\\b(TO" + "DO|FIX" + "ME|XX" + "X)\\b").test(text)
    );
    assert.deepEqual(marked.map(({ path }) => path), []);
  });
});
