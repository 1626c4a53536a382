import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readSource, sourceFiles, withoutComments } from "./source_files.ts";

const LINES_MAX = 350;

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

  it("begin with what they are for", async () => {
    const files = await sourceFiles("src", ".ts");
    const silent = files.filter(({ text }) =>
      !/^(#!.*\n)?(\/\*\*|\/\/)/.test(text)
    );
    assert.deepEqual(silent.map(({ path }) => path), []);
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
