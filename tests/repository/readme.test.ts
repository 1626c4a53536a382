import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { repository } from "../support/repository.ts";
import { runtime } from "../support/runtime.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import { readSource, sourceFiles } from "./source_files.ts";

/** The guides that tell people what to type. */
async function guides(): Promise<{ path: string; text: string }[]> {
  const atTheTop = ["README.md", "CONTRIBUTING.md"].map(async (path) => ({
    path,
    text: await readSource(path),
  }));
  return [...await Promise.all(atTheTop), ...await sourceFiles("docs", ".md")];
}

/** Lets a script in that folder import the package as an installed one. */
async function install(folder: string): Promise<void> {
  const installed = new URL("../../node_modules", import.meta.url);
  if (runtime.name === "deno") return; // deno.json names the sources
  await symlink(fileURLToPath(installed), join(folder, "node_modules"));
}

describe("the README", () => {
  it("has a quick start that runs as written", async (t) => {
    const folder = await temporaryDirectory(t);
    await install(folder);
    const [, code] = /^```js\n([\s\S]*?)^```/m.exec(
      await readSource("README.md"),
    ) ?? [];
    const script = join(folder, "quick_start.mjs");
    await writeFile(script, code ?? "");
    const config = fileURLToPath(new URL("deno.json", repository));
    const result = await runtime.runScript(pathToFileURL(script), [], {
      cwd: folder,
      denoFlags: [`--config=${config}`, "--allow-read", "--allow-write"],
    });
    assert.equal(result.stderr, "");
    assert.equal(result.code, 0);
    assert.match(
      result.stdout,
      /^3-10-\d+ the state\nrestored the state\nup to index 10n\n$/,
    );
  });
});

describe("the guides", () => {
  it("name only existing tasks", async () => {
    const { tasks } = JSON.parse(await readSource("deno.json"));
    for (const { path, text } of await guides()) {
      for (const [, task = ""] of text.matchAll(/deno(?:@2)? task ([\w:]+)/g)) {
        assert.ok(task in tasks, `${path} names ${task}`);
      }
    }
  });

  it("link only to existing files", async () => {
    for (const { path, text } of await guides()) {
      const prose = text.replace(/^```[\s\S]*?^```/gm, "");
      for (const [, link = ""] of prose.matchAll(/\]\((?!\w+:|#)([^)#]+)/g)) {
        const target = new URL(link, new URL(path, repository));
        assert.ok(existsSync(target), `${path} links to ${link}`);
      }
    }
  });
});
