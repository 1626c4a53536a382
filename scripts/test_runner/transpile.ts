/**
 * Turns the tests and the examples into JavaScript that Node 20 can run beside
 * the installed package.
 *
 * @module
 */

import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import ts from "typescript";
import { root } from "../support/repository.ts";

const compilerOptions: ts.CompilerOptions = {
  // Node 20 has no `await using`.
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.ESNext,
  verbatimModuleSyntax: false,
  inlineSourceMap: true,
};

/**
 * Lets every relative path to a source, be it in an import or in a string, name
 * the JavaScript that has been made of it.
 */
function pointToJavaScript(code: string, source: string): string {
  const folder = dirname(join(root, source));
  return code.replace(
    /(["'`])(\.\.?\/[^"'`\n]*)\.ts\1/g,
    (whole, quote: string, path: string) =>
      existsSync(resolve(folder, `${path}.ts`))
        ? `${quote}${path}.js${quote}`
        : whole,
  );
}

/** The JavaScript of a source, whose path is from the repository's root. */
export async function transpile(source: string): Promise<string> {
  const code = await Deno.readTextFile(join(root, source));
  const { outputText } = ts.transpileModule(code, {
    compilerOptions,
    fileName: source,
  });
  return pointToJavaScript(outputText, source);
}
