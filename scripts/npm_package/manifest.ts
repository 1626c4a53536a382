/**
 * The npm package's `package.json`.
 *
 * @module
 */

import { config } from "../support/repository.ts";

/** The files that Node's resolver needs for one export. */
interface ExportTarget {
  readonly types: string;
  readonly default: string;
}

/** The parts of `package.json` that others look at. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly exports: Readonly<Record<string, ExportTarget | string>>;
  readonly bin: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

/**
 * Where the sources are in public, such as `https://HOST/OWNER/NAME`; npm's
 * provenance compares it with where the release was built. There is no such
 * place yet.
 */
export const repositoryUrl: string | undefined = undefined;

/** Where the command line's code is in the package. */
export const commandLine = "src/cli/main.js";

function builtFile(source: string, extension: ".js" | ".d.ts"): string {
  return source.replace(/\.ts$/, extension);
}

/** The export map that `deno.json`'s stands for, types first. */
function exportMap(): Record<string, ExportTarget> {
  return Object.fromEntries(
    Object.entries(config.exports).map(([name, source]) => [name, {
      types: builtFile(source, ".d.ts"),
      default: builtFile(source, ".js"),
    }]),
  );
}

/** The fields of a package that say where its sources are. */
function placeFields(url: string | undefined): Record<string, unknown> {
  if (url === undefined) return {};
  return {
    homepage: `${url}#readme`,
    bugs: `${url}/issues`,
    repository: { type: "git", url: `git+${url}.git` },
  };
}

/** The types of each subpath, without the `./` before both. */
function oldExportMap(): Record<string, readonly string[]> {
  const bare = (path: string) => path.replace(/^\.\//, "");
  return Object.fromEntries(
    Object.entries(config.exports)
      .filter(([name]) => name !== ".")
      .map((
        [name, source],
      ) => [bare(name), [builtFile(bare(source), ".d.ts")]]),
  );
}

/**
 * Makes the manifest.
 *
 * @param dependencies The packages that the code was found to import.
 */
export function manifest(
  dependencies: Readonly<Record<string, string>>,
): Manifest {
  return {
    name: config.name,
    version: config.version,
    description:
      "Durable Raft snapshots as Web Streams for Deno, Bun and Node, byte-compatible with HashiCorp Raft's file store",
    keywords: [
      "raft",
      "snapshot",
      "durable",
      "streams",
      "hashicorp",
      "crc64",
      "consensus",
    ],
    license: config.license,
    ...placeFields(repositoryUrl),
    type: "module",
    engines: { node: ">=20.19" },
    // Node 20 and TypeScript's older resolvers look at these two.
    main: builtFile(config.exports["."], ".js"),
    types: builtFile(config.exports["."], ".d.ts"),
    exports: { ...exportMap(), "./package.json": "./package.json" },
    // TypeScript's oldest resolver (node10) knows nothing of `exports`.
    typesVersions: { "*": oldExportMap() },
    bin: { "raft-snapshots": commandLine },
    files: ["mod.js", "mod.d.ts", "src", "docs", "examples", "CHANGELOG.md"],
    // Everything but the command line can be imported for its names alone.
    sideEffects: [`./${commandLine}`],
    dependencies,
  };
}
