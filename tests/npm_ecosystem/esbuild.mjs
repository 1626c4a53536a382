// Bundles use.mjs; fails on an error or a warning.
import { build } from "esbuild";

const { warnings } = await build({
  entryPoints: ["use.mjs"],
  outfile: "dist/esbuild.mjs",
  bundle: true,
  format: "esm",
  platform: "node",
});
if (warnings.length > 0) throw new Error("esbuild has warned");
