/**
 * A program for Node that runs bundles of the page in a headless Chromium from
 * npm, and prints the result of each as JSON. It unpacks the browser into the
 * folder for temporary files.
 *
 * @module
 */

// @ts-ignore: installed beside this program, by package.json
import chromium from "@sparticuz/chromium";
import { readFile } from "node:fs/promises";
import process from "node:process";
// @ts-ignore: as above
import { launch } from "puppeteer-core";

const browser = await launch({
  args: chromium.args,
  executablePath: await chromium.executablePath(),
  headless: "shell",
});
try {
  const results = [];
  for (const path of process.argv.slice(2)) {
    const page = await browser.newPage();
    const code = await readFile(path, "utf8");
    results.push(await page.evaluate(`${code}\npage.run()`));
    await page.close();
  }
  console.log(JSON.stringify({ version: await browser.version(), results }));
} finally {
  await browser.close();
}
