/**
 * Whether a built package is fit to be published.
 *
 * @module
 */

import { deepStrictEqual, ok } from "node:assert/strict";
import { homedir } from "node:os";
import { dirname, join, posix } from "node:path";
import { config, filesIn, root } from "../support/repository.ts";
import { commandLine, type Manifest } from "./manifest.ts";

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

const isCode = ({ path }: PackedFile) =>
  path.endsWith(".js") || path.endsWith(".d.ts");

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** Matches a path where it stands by itself: not `./src` for `/src`. */
function standsAlone(path: string): RegExp {
  return new RegExp(`(?<![\\w.@-])${escaped(path)}(?![\\w-])`);
}

/** Nothing tells where, or by whom, the package was built. */
function checkNoMachinePaths(files: readonly PackedFile[]): void {
  const machine = [root, dirname(root), homedir(), "file:///"]
    .filter((path) => path.length > 1)
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

/** Every relative path that a module imports, or makes a URL of. */
function relativeSpecifiers(text: string): string[] {
  const pattern =
    /(?:\bfrom|\bimport|\bimport\(|\bURL\()\s*["'](\.\.?\/[^"'\n]+)["']/g;
  return [...text.matchAll(pattern)].map((match) => match[1] ?? "");
}

/** Checks that each import of a module is in the package, and is not a source. */
function checkSpecifiers(files: readonly PackedFile[]): void {
  const paths = new Set(files.map(({ path }) => path));
  for (const { path, text } of files.filter(isCode)) {
    const isTypes = path.endsWith(".d.ts");
    for (const specifier of relativeSpecifiers(text)) {
      const target = posix.join(posix.dirname(path), specifier);
      const wanted = isTypes ? target.replace(/\.js$/, ".d.ts") : target;
      ok(
        !/(?<!\.d)\.ts$/.test(target) && paths.has(wanted),
        `Cannot publish ${path}: it needs ${specifier}, which is not there`,
      );
    }
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
      !/(?<!\.d)\.ts$|^tests\/|^scripts\//.test(path),
      `Cannot publish ${path}: it is of no use there`,
    );
  }
}

function checkManifest(files: readonly PackedFile[]): void {
  const paths = new Set(files.map(({ path }) => path));
  const text = files.find(({ path }) => path === "package.json")?.text;
  const { exports } = JSON.parse(text ?? "{}") as Manifest;
  deepStrictEqual(Object.keys(exports), Object.keys(config.exports));
  for (const target of Object.values(exports)) {
    for (const path of [target.types, target.default]) {
      ok(
        paths.has(posix.normalize(path)),
        `Cannot publish the package: it exports ${path}, which is not there`,
      );
    }
  }
}

function checkCommandLine(files: readonly PackedFile[]): void {
  const text = files.find(({ path }) => path === commandLine)?.text ?? "";
  deepStrictEqual(
    text.match(/^#!.*$/gm),
    ["#!/usr/bin/env node"],
    `Cannot publish ${commandLine}: it needs one first line for node`,
  );
}

/**
 * Checks a built package.
 *
 * @throws {Error} when something is wrong with it.
 */
export async function checkPackage(folder: string): Promise<void> {
  const files = await readPackage(folder);
  checkNoMachinePaths(files);
  checkSpecifiers(files);
  checkManifest(files);
  checkCommandLine(files);
  await checkFiles(files);
}
