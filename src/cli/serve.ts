/** `serve DIR`: hands a store's snapshots to other machines over HTTP. */

import { readFile } from "node:fs/promises";
import { type Command, InvalidArgumentError } from "commander";
import { bearerToken, snapshotHandler } from "../http/mod.ts";
import { parsePath, parseRetain, parseSize } from "./arguments.ts";
import { CommandError } from "./failure.ts";
import { type RunningServer, startServer } from "./http_server.ts";
import { withInterrupts } from "./interrupt.ts";
import { print, warn } from "./output.ts";
import { findStore } from "./place.ts";
import { messageOf, systemReason } from "./reason.ts";
import { withStoreToRead } from "./stores.ts";
import { readToken, TOKEN_VARIABLE, tokenOption } from "./token.ts";

/** Writes the handler's reports to stderr, and the ends of transfers. */
const logger = { debug() {}, info: warn, warn, error: warn };

interface ServeOptions {
  readonly host: string;
  readonly port: number;
  readonly tokenFile?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly insecureHttp?: boolean;
  readonly maxTransfers?: number;
  readonly bytesPerSecond?: number;
}

/** Adds the command. */
export function registerServe(program: Command): void {
  program.command("serve")
    .summary("serve a store's snapshots to other machines")
    .description(
      "Serves a store's snapshots over HTTP, for copy on another machine or a " +
        "follower's program. It takes no lock and changes nothing, and so may " +
        "run beside the program that writes the snapshots. It needs a token, " +
        "which clients send as a bearer token. SIGTERM and SIGINT let the " +
        "transfers that are under way end; a second signal breaks them off.",
    )
    .argument("<DIR>", "the store's directory", parsePath)
    .option("--host <HOST>", "the address to listen on", "127.0.0.1")
    .option(
      "--port <PORT>",
      "the port to listen on; 0 is any free port",
      parsePort,
      8300,
    )
    .addOption(tokenOption())
    .option("--tls-cert <FILE>", "the certificate, with its chain, in PEM")
    .option("--tls-key <FILE>", "the certificate's key in PEM")
    .option(
      "--insecure-http",
      "listen without TLS on an address that other machines reach: anyone on " +
        "the way can read the token and the snapshots",
    )
    .option(
      "--max-transfers <N>",
      "how many snapshots are sent at a time (default: 4)",
      parseRetain,
    )
    .option(
      "--bytes-per-second <N>",
      "the limit of each transfer (default: none)",
      parseSize,
    )
    .action(serve);
}

async function serve(path: string, options: ServeOptions): Promise<void> {
  const { directory } = await findStore(path);
  const { host, port, maxTransfers, bytesPerSecond } = options;
  const authorize = makeAuthorize(await readToken(options.tokenFile));
  const tls = await readTls(options);
  if (tls === undefined) assertMayBePlain(options);
  await withInterrupts((signal) =>
    withStoreToRead(directory, async (store) => {
      const limits = { maxTransfers, bytesPerSecond };
      const handler = snapshotHandler(store, { authorize, logger, ...limits });
      const server = await startServer(handler, { host, port, tls })
        .catch((error) => {
          throw new CommandError(
            `Cannot listen on ${host}, port ${port}: ${systemReason(error)}`,
            { cause: error },
          );
        });
      await print(`Serving ${directory} on ${server.url}`);
      await drainAfter(server, signal);
    })
  );
}

async function drainAfter(
  server: RunningServer,
  signal: AbortSignal,
): Promise<void> {
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve());
  });
  warn(`${messageOf(signal.reason)}; waiting for the transfers under way`);
  await server.drain();
}

function makeAuthorize(token: string | undefined) {
  if (token === undefined) {
    throw usageError(
      "Cannot serve without a token: a snapshot has all data of a cluster; " +
        `give --token-file, or set ${TOKEN_VARIABLE}`,
    );
  }
  try {
    return bearerToken(token);
  } catch (error) {
    throw usageError(messageOf(error));
  }
}

async function readTls({ tlsCert, tlsKey }: ServeOptions) {
  if (tlsCert === undefined && tlsKey === undefined) return undefined;
  if (tlsCert === undefined || tlsKey === undefined) {
    throw usageError(
      "Cannot use TLS: --tls-cert and --tls-key belong together",
    );
  }
  return { cert: await readPem(tlsCert), key: await readPem(tlsKey) };
}

async function readPem(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw usageError(`Cannot read ${path}: ${systemReason(error)}`);
  }
}

/**
 * @throws {CommandError} when others could read the token and the snapshots.
 */
function assertMayBePlain({ host, insecureHttp }: ServeOptions): void {
  const isLoopback = host === "localhost" || host === "::1" ||
    /^127(\.\d{1,3}){3}$/.test(host);
  if (isLoopback || insecureHttp === true) return;
  throw usageError(
    `Cannot serve on ${host} without TLS: other machines reach it; give ` +
      "--tls-cert and --tls-key, or --insecure-http when the network is trusted",
  );
}

function usageError(message: string): CommandError {
  return new CommandError(message, { exitCode: 2 });
}

function parsePort(text: string): number {
  const value = /^\d{1,5}$/.test(text) ? Number(text) : NaN;
  if (value <= 65_535) return value;
  throw new InvalidArgumentError("Expected an integer of 0 to 65535.");
}
