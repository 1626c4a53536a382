/**
 * The process on a runtime that keeps the snapshots of Go's tests: see
 * `tests/interop/raft_suite/server.ts`.
 *
 * @module
 */

import { join } from "node:path";
import { root } from "../support/repository.ts";
import type { Runner } from "../test_runner/runners.ts";

/** How a server's process has ended. */
export interface ServerEnd {
  /** Whether it could close all its stores. */
  readonly ok: boolean;
  /** Its output on stderr. */
  readonly output: string;
}

/** A server that listens. */
export interface StoreServer {
  /** Has it close its stores and end; resolves once its process has ended. */
  end(): Promise<ServerEnd>;
}

/**
 * Starts our store on a runtime: the sources on Deno, on the others the package
 * as it is installed in the folder `consumer`.
 *
 * @throws {Error} when it does not come to listen.
 */
export async function startServer(
  runner: Runner,
  consumer: string,
  socket: string,
): Promise<StoreServer> {
  const script = "tests/interop/raft_suite/server";
  const args = runner.onPackage
    ? [join(consumer, `${script}.js`)]
    : ["run", "--quiet", "--allow-all", join(root, `${script}.ts`)];
  const child = new Deno.Command(await runner.executable(), {
    args: [...args, socket],
    cwd: runner.onPackage ? consumer : root,
    env: { NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const complaints = new Response(child.stderr).text();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { value } = await lines.read();
  const end = async () => {
    await child.stdin.close().catch(() => {}); // It may have ended by itself.
    await lines.cancel();
    const { success } = await child.status;
    return { ok: success, output: await complaints };
  };
  if (value?.trim() === "listening") return { end };
  const { output } = await end();
  throw new Error(`The store's server on ${runner.name} ended: ${output}`);
}
