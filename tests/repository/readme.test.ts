import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { once } from "node:events";
import { rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import {
  MemorySnapshotStore,
  type SnapshotMeta,
  type SnapshotStore,
} from "@raft/snapshots";
import { toNodeListener } from "@raft/snapshots/node";
import { repository } from "../support/repository.ts";
import { runtime } from "../support/runtime.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import { readSource, sourceFiles } from "./source_files.ts";

/** The guides that tell people what to type. */
async function guides(): Promise<{ path: string; text: string }[]> {
  const atTheTop = [
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "README.md",
    "SECURITY.md",
  ].map(async (path) => ({ path, text: await readSource(path) }));
  return [...await Promise.all(atTheTop), ...await sourceFiles("docs", ".md")];
}

/** Lets a script in that folder import the package as an installed one. */
async function install(folder: string): Promise<void> {
  const installed = new URL("../../node_modules", import.meta.url);
  if (runtime.name === "deno") return; // deno.json names the sources
  await symlink(fileURLToPath(installed), join(folder, "node_modules"));
}

/** The code of the README, in its order, as files in a folder. */
async function writeCode(folder: string): Promise<string[]> {
  await install(folder);
  const blocks = (await readSource("README.md"))
    .matchAll(/^```js\n([\s\S]*?)^```/gm);
  return await Promise.all(Array.from(blocks, async ([, code = ""], i) => {
    const path = join(folder, `code_${i}.mjs`);
    await writeFile(path, code);
    return path;
  }));
}

/** Runs a script as the README says; gives its output. */
async function run(path: string, cwd: string): Promise<string> {
  const config = fileURLToPath(new URL("deno.json", repository));
  const result = await runtime.runScript(pathToFileURL(path), [], {
    cwd,
    denoFlags: [`--config=${config}`, "--allow-read", "--allow-write"],
  });
  assert.deepEqual([result.code, result.stderr], [0, ""]);
  return result.stdout;
}

/** The exports of the recipe for followers. */
interface Recipe {
  serve(
    store: SnapshotStore,
    token: string,
  ): (request: Request) => Promise<Response>;
  follow(
    store: SnapshotStore,
    url: string,
    token: string,
  ): Promise<SnapshotMeta | undefined>;
}

describe("the README", () => {
  it("has code that runs as written", async (t) => {
    const folder = await temporaryDirectory(t);
    const [first = "", quickStart = "", , ...more] = await writeCode(folder);
    assert.deepEqual(more, []);
    assert.equal(await run(first, folder), "a state\n");
    await rm(join(folder, "data"), { recursive: true });
    assert.match(
      await run(quickStart, folder),
      /^3-10-\d+ the state\nrestored the state\nup to index 10n\n$/,
    );
  });

  it("shows how a follower takes a snapshot over", async (t) => {
    const folder = await temporaryDirectory(t);
    const [, , path = ""] = await writeCode(folder);
    const recipe: Recipe = await import(pathToFileURL(path).href);
    const leader = new MemorySnapshotStore();

    const server = createServer(toNodeListener(recipe.serve(leader, "secret")));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const follower = new MemorySnapshotStore();
    const url = `http://127.0.0.1:${port}`;
    try {
      assert.equal(await recipe.follow(follower, url, "secret"), undefined);
      await leader.save(
        {
          ...{ index: 10n, term: 3n, configuration: { servers: [] } },
          configurationIndex: 0n,
        },
        new Uint8Array(100_000),
      );
      const meta = await recipe.follow(follower, url, "secret");
      assert.deepEqual([meta?.index, meta?.size], [10n, 100_000]);
      await assert.rejects(
        recipe.follow(follower, url, "another"),
        { code: "ERR_STORE_ACCESS" },
      );
    } finally {
      server.closeAllConnections();
      server.close();
    }
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
