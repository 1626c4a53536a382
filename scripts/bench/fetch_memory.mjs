/**
 * Shows how much memory the runtime's `fetch` uses while it receives or sends a
 * large body, and how long it takes. JavaScript, because each Node must run it
 * as it is:
 *
 *     node scripts/bench/fetch_memory.mjs receive [MIB] [ACCEPT_ENCODING]
 *     node scripts/bench/fetch_memory.mjs send [MIB] [REDIRECT]
 *
 * The server, in a process of its own, compresses its answers when it may, as
 * Consul does.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import process from "node:process";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { createGzip } from "node:zlib";

const MIB = 1024 ** 2;

const [what, mib = "64", option] = process.argv.slice(2);

let residentMax = 0;

/** The body, a MiB at a time; it can't be compressed, as an archive can't. */
function* body() {
  for (let left = Number(mib); left > 0; left--) {
    residentMax = Math.max(residentMax, process.memoryUsage().rss);
    yield randomBytes(MIB);
  }
}

function serve() {
  const server = createServer((request, response) => {
    if (request.method === "PUT") {
      return request.resume().on("end", () => response.end());
    }
    const encoding = request.headers["accept-encoding"];
    const chunks = Readable.from(body());
    if (!String(encoding).includes("gzip")) return chunks.pipe(response);
    response.setHeader("content-encoding", "gzip");
    chunks.pipe(createGzip()).pipe(response);
  });
  server.listen(0, "127.0.0.1", () => console.log(server.address().port));
}

/** Starts the server; resolves to its URL and to how to stop it. */
async function startServer() {
  const path = fileURLToPath(import.meta.url);
  const deno = process.versions.deno === undefined ? [] : ["run", "-A"];
  const child = spawn(process.execPath, [...deno, path, "serve", mib], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [port] = await once(child.stdout, "data");
  return {
    url: `http://127.0.0.1:${Number(String(port))}/`,
    stop: () => child.kill(),
  };
}

async function receive(url) {
  const headers = option === undefined ? {} : { "accept-encoding": option };
  const { body } = await fetch(url, { headers });
  let received = 0;
  for await (const chunk of body) {
    received += chunk.length;
    residentMax = Math.max(residentMax, process.memoryUsage().rss);
  }
  if (received !== Number(mib) * MIB) throw new Error(`received ${received}`);
}

async function send(url) {
  const chunks = body();
  const stream = new ReadableStream({
    pull(controller) {
      const { done, value } = chunks.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
  }, { highWaterMark: 0 });
  const redirect = option === undefined ? {} : { redirect: option };
  const init = { method: "PUT", body: stream, duplex: "half", ...redirect };
  await (await fetch(url, init)).text();
}

if (what === "serve") serve();
else if (what !== "receive" && what !== "send") {
  throw new TypeError(`Cannot do ${what}: expected receive or send`);
} else {
  const { url, stop } = await startServer();
  const startMs = performance.now();
  await (what === "send" ? send(url) : receive(url));
  const seconds = (performance.now() - startMs) / 1000;
  stop();
  const { deno, bun, node } = process.versions;
  const runtime = deno ? `Deno ${deno}` : bun ? `Bun ${bun}` : `Node ${node}`;
  const resident = Math.round(residentMax / MIB);
  console.log(
    `${runtime}: ${what} ${mib} MiB (${option ?? "default"}): ` +
      `${seconds.toFixed(1)} s, at most ${resident} MiB of memory`,
  );
}
