import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { findCycle, importGraph } from "./import_graph.ts";
import { loadedImports } from "./loaded_imports.ts";
import { readSource, sourceFiles, withoutComments } from "./source_files.ts";

const LINES_MAX = 350;

/**
 * The layers of the sources, the highest first. A file imports from its own
 * folder and from lower layers; folders of the same layer don't know each other.
 *
 * | layer                         | contents                                   |
 * | ----------------------------- | ------------------------------------------ |
 * | cli                           | the command line                           |
 * | http                          | the server side of snapshots over HTTP     |
 * | mod.ts, archive, node, ...    | the exports for users                      |
 * | *_snapshot_store.ts           | the stores that users open                 |
 * | archive_store                 | archives as they came, in a directory...   |
 * | store, backends/{file,...}    | the store, written once; the places        |
 * | net                           | requests over a network that fails         |
 * | backend                       | the interface of a place                   |
 * | snapshot                      | the parts of all stores: IDs, meta, blocks |
 * | crc64, fs                     | checksums; the boundary to files           |
 * | runtime                       | the rest of the boundary                   |
 * | errors.ts, text.ts, ...       | the parts that all of them use             |
 */
const LAYERS: readonly (readonly RegExp[])[] = [
  [/^src\/cli\//],
  [/^src\/http\//],
  [
    /^mod\.ts$/,
    /^src\/backends\/mod\.ts$/,
    /^src\/archive\//,
    /^src\/node\//,
    /^src\/testing\//,
  ],
  [/^src\/\w+_snapshot_store\.ts$/],
  [/^src\/archive_store\//],
  [
    /^src\/store\//,
    /^src\/backends\/file\//,
    /^src\/backends\/memory\//,
    /^src\/backends\/discard\//,
    /^src\/backends\/s3\//,
    /^src\/backends\/http\//,
  ],
  [/^src\/net\//],
  [/^src\/backend\//],
  [/^src\/snapshot\//],
  [/^src\/crc64\//, /^src\/fs\//],
  [/^src\/runtime\//],
  [/^src\/(?!\w+_snapshot_store)\w+\.ts$/],
];

/** The layer of a file, from 0, and its folder: one of each if all is well. */
function placesOf(path: string): { layer: number; folder: RegExp }[] {
  return LAYERS.flatMap((folders, layer) =>
    folders.filter((folder) => folder.test(path))
      .map((folder) => ({ layer, folder }))
  );
}

/** Whether one file may import another. */
function mayImport(from: string, to: string): boolean {
  const [[own], [other]] = [placesOf(from), placesOf(to)];
  if (own === undefined || other === undefined) return false;
  return own.folder === other.folder || own.layer < other.layer;
}

/** The folders that may know the system and the runtime. */
const atTheBoundary = (path: string) => /^src\/(fs|runtime|cli)\//.test(path);

/** `path:line: text` for each line of code that matches. */
async function linesOfCode(
  pattern: RegExp,
  isWanted: (path: string) => boolean,
): Promise<string[]> {
  const files = await sourceFiles("src", ".ts");
  return files.filter(({ path }) => isWanted(path)).flatMap(({ path, text }) =>
    withoutComments(text).split("\n").flatMap((line, i) =>
      pattern.test(line) ? [`${path}:${i + 1}: ${line.trim()}`] : []
    )
  );
}

/** `path imports name` for each `node:` module that loading an export brings. */
async function nodeModulesBehind(name: string): Promise<string[]> {
  const { exports } = JSON.parse(await readSource("deno.json"));
  return (await loadedImports(exports[name]))
    .filter(({ to }) => to.startsWith("node:"))
    .map(({ from, to }) => `${from} imports ${to}`);
}

const outside = (path: string) => !atTheBoundary(path);
const anywhere = () => true;

describe("the sources", () => {
  it("import no node: module outside src/fs, src/runtime and src/cli", async () => {
    const imports = /["'](node|bun|deno):/;
    assert.deepEqual(await linesOfCode(imports, outside), []);
  });

  it("name no runtime outside src/fs, src/runtime and src/cli", async () => {
    const runtimes =
      /\b(Deno|Bun|__dirname)\b|\b(process|Buffer)\s*[.?[]|\brequire\(/;
    assert.deepEqual(await linesOfCode(runtimes, outside), []);
  });

  it("use nothing that Node 20 lacks", async () => {
    const missing =
      /\b(await )?using \w+ =|Promise\.(withResolvers|try)\b|\bArray\.fromAsync\b|\.(toBase64|toHex|setFromBase64)\(|\bUint8Array\.fromBase64\b|\bRegExp\.escape\b|\bJSON\.rawJSON\b|\bDisposableStack\b/;
    assert.deepEqual(await linesOfCode(missing, anywhere), []);
  });

  it("import npm packages by the names in deno.json, and nothing remote", async () => {
    const remote = /["'](npm|jsr|https?):/;
    assert.deepEqual(await linesOfCode(remote, anywhere), []);
  });

  it("are short", async () => {
    const files = await sourceFiles("src", ".ts");
    const long = files.filter(({ text }) =>
      text.split("\n").length > LINES_MAX
    );
    assert.deepEqual(long.map(({ path }) => path), []);
  });

  it("begin with a comment on their purpose", async () => {
    const files = await sourceFiles("src", ".ts");
    const silent = files.filter(({ text }) =>
      !/^(#!.*\n)?(\/\*\*|\/\/)/.test(text)
    );
    assert.deepEqual(silent.map(({ path }) => path), []);
  });
});

describe("the layers of the sources", () => {
  const readGraph = async () =>
    importGraph([
      ...await sourceFiles("src", ".ts"),
      { path: "mod.ts", text: await readSource("mod.ts") },
    ]);

  it("hold each file once", async () => {
    const paths = [...(await readGraph()).keys()];
    const lost = paths.filter((path) => placesOf(path).length !== 1);
    assert.deepEqual(lost, []);
  });

  it("import only from the same folder and from lower layers", async () => {
    const upward = [...await readGraph()].flatMap(([from, targets]) =>
      targets.filter((to) => !mayImport(from, to))
        .map((to) => `${from} imports ${to}`)
    );
    assert.deepEqual(upward, []);
  });

  it("have no cycle of imports, those of types included", async () => {
    assert.deepEqual(findCycle(await readGraph()), []);
  });

  it("are searched for cycles by a test that finds one", () => {
    const files = [
      { path: "src/a.ts", text: `import type { B } from "./fs/b.ts";` },
      { path: "src/fs/b.ts", text: `export * from "./c.ts";` },
      { path: "src/fs/c.ts", text: `const a = await import("../a.ts");` },
    ];
    const [a, b, c] = files.map(({ path }) => path);
    assert.deepEqual(findCycle(importGraph(files)), [a, b, c, a]);
    assert.deepEqual(findCycle(importGraph(files.slice(0, 2))), []);
  });
});

describe("the command line", () => {
  it("imports only exports that users can import", async () => {
    const { exports } = JSON.parse(await readSource("deno.json"));
    const isPublic = (path: string) =>
      Object.values(exports).includes(`./${path}`);
    const isOwn = (path: string) => path.startsWith("src/cli/");
    const graph = importGraph([
      ...await sourceFiles("src", ".ts"),
      { path: "mod.ts", text: await readSource("mod.ts") },
    ]);
    const others = [...graph].filter(([from]) => isOwn(from))
      .flatMap(([from, targets]) =>
        targets.filter((to) => !isOwn(to) && !isPublic(to))
          .map((to) => `${from} imports ${to}`)
      );
    assert.deepEqual(others, []);
  });
});

describe("mod.ts", () => {
  it("only re-exports", async () => {
    const code = withoutComments(await readSource("mod.ts"));
    const rest = code.replace(
      /export (type )?(\*|\{[^{}]*\}) from "\.\/[^"]+";/g,
      "",
    );
    assert.equal(rest.trim(), "");
  });
});

describe("the exports that load anywhere", () => {
  const names = [
    ".",
    "./archive",
    "./backend",
    "./crc64",
    "./http",
    "./s3",
    "./testing",
  ];
  for (const name of names) {
    it(`${name} imports no node: module, and nothing that does`, async () => {
      assert.deepEqual(await nodeModulesBehind(name), []);
    });
  }

  it(". loads no package that only ./s3 needs", async () => {
    const packagesBehind = async (name: string) => {
      const { exports } = JSON.parse(await readSource("deno.json"));
      const imports = await loadedImports(exports[name]);
      return new Set(
        imports.map(({ to }) => to).filter((to) => !to.endsWith(".ts")),
      );
    };
    const ofS3 = ["@rgrove/parse-xml", "aws4fetch"];
    const loaded = await packagesBehind(".");
    assert.deepEqual(ofS3.filter((name) => loaded.has(name)), []);
    const byS3 = await packagesBehind("./s3");
    assert.deepEqual(ofS3.filter((name) => byS3.has(name)), ofS3);
  });

  it("no export but ./cli loads a package that only the command line needs", async () => {
    const { exports } = JSON.parse(await readSource("deno.json"));
    const ofCli = ["@msgpack/msgpack", "commander"];
    for (const name of Object.keys(exports)) {
      const loaded = (await loadedImports(exports[name])).map(({ to }) => to);
      const found = ofCli.filter((each) => loaded.includes(each));
      assert.deepEqual(found, name === "./cli" ? ofCli : [], name);
    }
  });

  it("./cli imports node: modules, which shows that this search finds them", async () => {
    assert.notDeepEqual(await nodeModulesBehind("./cli"), []);
  });
});
