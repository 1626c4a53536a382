/**
 * A real S3 server for tests and benchmarks: versitygw, which keeps objects in
 * files and is strict about signatures, conditions and parts.
 *
 * @module
 */

import { join } from "node:path";
import { mustRun } from "../support/command.ts";

const VERSION = "v1.8.0";
const MODULE = "github.com/versity/versitygw/cmd/versitygw";

/** The keys that the server takes. */
export const GATEWAY_KEYS = {
  accessKeyId: "key",
  secretAccessKey: "secret",
} as const;

/** A server that runs; it has a bucket of the name `bucket`. */
export interface Gateway extends AsyncDisposable {
  /** Its URL. */
  readonly endpoint: string;
  /** Its process. */
  readonly pid: number;
}

/** Whether there is a server, or a Go that can build one. */
export async function hasGateway(): Promise<boolean> {
  if (Deno.env.get("VERSITYGW") !== undefined) return true;
  try {
    return (await new Deno.Command("go", { args: ["version"] }).output())
      .success;
  } catch {
    return false;
  }
}

/**
 * Where the server is: the path in `VERSITYGW`, or a program that is built once,
 * in some minutes, in the system's directory for temporary files.
 */
async function executable(): Promise<string> {
  const given = Deno.env.get("VERSITYGW");
  if (given !== undefined) return given;
  const temporary = Deno.env.get("TMPDIR") ?? "/tmp";
  const folder = join(temporary, `raft-snapshots-versitygw-${VERSION}`);
  const path = join(folder, "versitygw");
  try {
    await Deno.stat(path);
  } catch {
    console.log(`Building versitygw ${VERSION}`);
    const env = { GOBIN: folder, CGO_ENABLED: "0", GOFLAGS: "-p=2" };
    await mustRun("go", ["install", `${MODULE}@${VERSION}`], { env });
  }
  return path;
}

/** Starts a server whose objects are in an empty folder. */
export async function startGateway(
  folder: string,
  options: { readonly keepAlive: boolean },
): Promise<Gateway> {
  const port = freePort();
  // The second name must not begin with the first.
  const [root, versions] = [join(folder, "root"), join(folder, "versions")];
  await Deno.mkdir(join(root, "bucket"), { recursive: true });
  await Deno.mkdir(versions);
  const child = new Deno.Command(await executable(), {
    args: [
      "--quiet",
      ...options.keepAlive ? ["--keep-alive"] : [],
      "--port",
      `127.0.0.1:${port}`,
      "posix",
      "--versioning-dir",
      versions,
      root,
    ],
    env: {
      ROOT_ACCESS_KEY: GATEWAY_KEYS.accessKeyId,
      ROOT_SECRET_KEY: GATEWAY_KEYS.secretAccessKey,
    },
    stdout: "null",
    stderr: "inherit",
  }).spawn();
  const endpoint = `http://127.0.0.1:${port}`;
  const end = async () => {
    child.kill("SIGTERM");
    await child.status;
  };
  try {
    await answers(endpoint, child.status);
  } catch (error) {
    await end();
    throw error;
  }
  return { endpoint, pid: child.pid, [Symbol.asyncDispose]: end };
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** Resolves when the server answers. */
async function answers(
  endpoint: string,
  ended: Promise<unknown>,
): Promise<void> {
  let hasEnded = false;
  void ended.then(() => hasEnded = true);
  for (let tries = 0; tries < 200 && !hasEnded; tries++) {
    try {
      await (await fetch(endpoint)).body?.cancel();
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  throw new Error("Cannot start versitygw: it does not answer");
}
