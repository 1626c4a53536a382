// Bundles use.mjs; fails on an error or a warning.
import { createRequire } from "node:module";

// Not by `import`: the type check of the repository has no webpack.
const webpack = createRequire(import.meta.url)("webpack");
const stats = await new Promise((resolve, reject) => {
  const path = new URL("dist", import.meta.url).pathname;
  webpack({
    mode: "production",
    target: "node20",
    entry: "./use.mjs",
    experiments: { outputModule: true },
    output: { path, filename: "webpack.mjs", library: { type: "module" } },
  }, (error, stats) => error ? reject(error) : resolve(stats));
});
console.log(stats.toString({ all: false, errors: true, warnings: true }));
if (stats.hasErrors() || stats.hasWarnings()) throw new Error("webpack failed");
