/**
 * Whether a built package may be published. Its manifest and types are judged by
 * publint and Are The Types Wrong, in the tests.
 *
 * @module
 */

import { ok } from "node:assert/strict";
import { homedir, tmpdir } from "node:os";
import { dirname, join, posix } from "node:path";
import { filesIn, root } from "../support/repository.ts";

/** A file of the package: its path in it, with `/`, and its text. */
interface PackedFile {
  readonly path: string;
  readonly text: string;
}

async function readPackage(folder: string): Promise<PackedFile[]> {
  const files: PackedFile[] = [];
  const visit = async (path: string): Promise<void> => {
    for await (
      const { name, isDirectory } of Deno.readDir(join(folder, path))
    ) {
      const inner = posix.join(path, name);
      if (isDirectory) await visit(inner);
      else {
        const text = await Deno.readTextFile(join(folder, inner));
        files.push({ path: inner, text });
      }
    }
  };
  await visit(".");
  return files;
}

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** Matches a path where it stands by itself: not `./src` for `/src`. */
function standsAlone(path: string): RegExp {
  return new RegExp(`(?<![\\w.@-])${escaped(path)}(?![\\w-])`);
}

/** Nothing tells where, or by whom, the package was built. */
function checkNoMachinePaths(files: readonly PackedFile[]): void {
  const machine = [root, dirname(root), homedir(), "file:///"]
    // The demo shows the folder for temporary files, which tells nothing.
    .filter((path) => path.length > 1 && path !== tmpdir())
    .map((path) => path === "file:///" ? /file:\/\/\/\w/ : standsAlone(path));
  for (const { path, text } of files) {
    for (const pattern of machine) {
      const found = pattern.exec(text)?.[0];
      ok(!found, `Cannot publish ${path}: it holds ${found}, a machine's path`);
    }
    ok(
      !text.includes("sourceMappingURL="),
      `Cannot publish ${path}: it holds a source map`,
    );
  }
}

/** Every source has become code, and nothing else has slipped in. */
async function checkFiles(files: readonly PackedFile[]): Promise<void> {
  const paths = new Set(files.map(({ path }) => path));
  for (const path of ["README.md", "LICENSE", "CHANGELOG.md"]) {
    ok(paths.has(path), `Cannot publish the package: it has no ${path}`);
  }
  const sources = [...await filesIn("src"), "mod.ts"]
    .filter((path) => /(?<!\.as)\.ts$/.test(path)); // .as.ts: AssemblyScript
  const unreached = sources.filter((source) =>
    !paths.has(source.replace(/\.ts$/, ".js"))
  );
  ok(
    unreached.length === 0,
    `Cannot publish the package: no export reaches ${unreached.join(", ")}`,
  );
  for (const { path } of files) {
    ok(
      !/^(?!examples\/).*(?<!\.d)\.ts$|^tests\/|^scripts\//.test(path),
      `Cannot publish ${path}: it is of no use there`,
    );
  }
}

/**
 * Checks a built package.
 *
 * @throws {Error} when something is wrong with it.
 */
export async function checkPackage(folder: string): Promise<void> {
  const files = await readPackage(folder);
  checkNoMachinePaths(files);
  await checkFiles(files);
}
