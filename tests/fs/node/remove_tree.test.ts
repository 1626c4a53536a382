/**
 * Removing trees of the real file system that do not hold still, or are too
 * much for a path.
 */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { setImmediate } from "node:timers/promises";
import { nodeFileSystem as files } from "../../../src/fs/node/file_system.ts";
import { TreeWalk } from "../../../src/fs/node/tree_walk.ts";
import { openDescriptors } from "../../support/open_descriptors.ts";
import { runtime } from "../../support/runtime.ts";
import { temporaryDirectory } from "../../support/temporary_directory.ts";

const linux = {
  skip: process.platform === "linux" ? false : "needs Linux",
} as const;

/** The two ways to remove a tree: the one that is used, and its last resort. */
const WAYS: Readonly<Record<string, (path: string) => Promise<void>>> = {
  "removeTree()": (path) => files.removeTree(path),
  "the walk": (path) => new TreeWalk(path).remove(),
};

const FILES = 2000;

function makeFiles(directory: string): void {
  mkdirSync(directory, { recursive: true });
  for (let i = 0; i < FILES; i++) writeFileSync(join(directory, `${i}`), "");
}

/** Swaps a directory for a link to the victim once its removal has begun. */
async function swapDuring(
  removing: Promise<void>,
  { directory, victim }: { directory: string; victim: string },
): Promise<void> {
  let isOver = false;
  const over = removing.catch(() => {}).then(() => {
    isOver = true;
  });
  while (!isOver && readdirSync(directory).length === FILES) {
    await setImmediate();
  }
  if (existsSync(directory)) {
    renameSync(directory, `${directory}.away`);
    symlinkSync(victim, directory);
  }
  await over;
}

describe("a tree", () => {
  for (const [way, remove] of Object.entries(WAYS)) {
    it(
      `that is replaced by a link does not lead ${way} elsewhere`,
      linux,
      async (t) => {
        const root = await temporaryDirectory(t);
        for (const name of ["tree", "tree/inner"]) {
          const directory = join(root, name);
          const victim = join(root, `victim of ${name.length}`);
          makeFiles(directory);
          makeFiles(victim);
          await swapDuring(remove(join(root, "tree")), { directory, victim });
          assert.equal(readdirSync(victim).length, FILES);
          for (const left of ["tree", "tree.away"]) {
            await files.removeTree(join(root, left));
          }
        }
      },
    );

    it(
      `that is deeper than a path may be long is removed by ${way}`,
      linux,
      async (t) => {
        const root = await temporaryDirectory(t);
        execFileSync("sh", [
          "-c",
          `i=0; n=$(printf 'd%.0s' $(seq 200))
         while [ $i -lt 60 ]; do mkdir $n && cd -P $n && : > f; i=$((i+1)); done`,
        ], { cwd: root });
        const [tree = ""] = readdirSync(root);
        await remove(join(root, tree));
        assert.deepEqual(readdirSync(root), []);
        assert.deepEqual(openDescriptors(root), []);
      },
    );
  }

  it("whose names are not UTF-8 is removed", linux, async (t) => {
    const root = await temporaryDirectory(t);
    execFileSync("sh", [
      "-c",
      `d=$(printf 'd\\377'); mkdir -p "t/$d/$d" "t/plain"; : > "t/$d/$d/f"
       : > "t/$(printf 'f\\376')"; : > "t/plain/$d"`,
    ], { cwd: root });
    await files.removeTree(join(root, "t"));
    assert.deepEqual(readdirSync(root), []);
  });

  it("of more directories than the walk remembers is removed", async (t) => {
    const root = await temporaryDirectory(t);
    for (let i = 0; i < 1100; i++) {
      mkdirSync(join(root, "t", `${i}`), { recursive: true });
    }
    await new TreeWalk(join(root, "t")).remove();
    assert.deepEqual(readdirSync(root), []);
  });

  it(
    "that holds links is removed, and their targets are not",
    linux,
    async (t) => {
      const root = await temporaryDirectory(t);
      makeFiles(join(root, "victim"));
      for (const remove of Object.values(WAYS)) {
        mkdirSync(join(root, "t", "d"), { recursive: true });
        symlinkSync(join(root, "victim"), join(root, "t", "d", "link"));
        symlinkSync(join(root, "victim"), join(root, "link"));
        await remove(join(root, "t"));
        await remove(join(root, "link"));
        assert.deepEqual(readdirSync(root), ["victim"]);
      }
      assert.equal(readdirSync(join(root, "victim")).length, FILES);
    },
  );

  it(
    "is removed except for entries that can't be removed, which are reported",
    {
      skip: process.platform !== "linux" || process.getuid?.() === 0
        ? "needs Linux, and a user that is not root"
        : false,
    },
    async (t) => {
      const root = await temporaryDirectory(t);
      mkdirSync(join(root, "t", "locked"), { recursive: true });
      writeFileSync(join(root, "t", "locked", "f"), "");
      writeFileSync(join(root, "t", "g"), "");
      execFileSync("chmod", ["500", join(root, "t", "locked")]);
      await assert.rejects(files.removeTree(join(root, "t")), {
        code: "EACCES",
      });
      assert.deepEqual(readdirSync(join(root, "t")), ["locked"]);
      execFileSync("chmod", ["700", join(root, "t", "locked")]);
    },
  );

  for (const [name, remove] of Object.entries(WAYS)) {
    it(
      `with a directory that may not be opened is reported once by ${name}`,
      {
        skip: process.platform !== "linux" || process.getuid?.() === 0
          ? "needs Linux, and a user that is not root"
          : false,
      },
      async (t) => {
        const root = await temporaryDirectory(t);
        const locked = join(root, "t", "locked");
        mkdirSync(join(locked, "inner"), { recursive: true });
        writeFileSync(join(root, "t", "g"), "");
        execFileSync("chmod", ["000", locked]);
        try {
          await assert.rejects(remove(join(root, "t")), { code: "EACCES" });
          assert.deepEqual(readdirSync(join(root, "t")), ["locked"]);
        } finally {
          execFileSync("chmod", ["700", locked]);
        }
      },
    );
  }
});

describe("a directory that is held", () => {
  it(
    "stays the same directory when its name leads elsewhere",
    linux,
    async (t) => {
      const root = await temporaryDirectory(t);
      mkdirSync(join(root, "d"));
      mkdirSync(join(root, "victim"));
      const held = await files.holdDirectory(join(root, "d"));
      renameSync(join(root, "d"), join(root, "away"));
      symlinkSync("victim", join(root, "d"));
      await (await files.open(`${held.path}/f`, "create")).close();
      await held.close();
      assert.deepEqual(readdirSync(join(root, "victim")), []);
      assert.deepEqual(readdirSync(join(root, "away")), ["f"]);
      await assert.rejects(
        files.holdDirectory(join(root, "d")),
        (error) =>
          /ENOTDIR|ELOOP/.test(String((error as { code?: string }).code)),
      );
      assert.deepEqual(openDescriptors(root), []);
    },
  );

  it("is not used where Deno has no permission to hold it", {
    skip: runtime.name === "deno" ? false : "needs Deno",
  }, async (t) => {
    const root = await temporaryDirectory(t);
    const script = new URL("../../os/two_snapshots.ts", import.meta.url);
    const denoFlags = [`--allow-read=${root}`, `--allow-write=${root}`];
    const { code, stderr } = await runtime.runScript(script, [root], {
      denoFlags: ["--no-check", ...denoFlags],
    });
    assert.equal(code, 0, stderr);
    assert.equal(readdirSync(join(root, "snapshots")).length, 1);
  });
});
