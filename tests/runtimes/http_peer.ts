/**
 * A process of one runtime for `scripts/test_runner/http_pairs.ts`, as a server
 * of snapshots or as a follower. Each line of its input is an order, in JSON; it
 * answers with the result in one line, with the order's number. When its input
 * ends it has nothing left to do, and so ends by itself.
 */

import { readdir, readlink } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { createInterface } from "node:readline";
import {
  copySnapshot,
  isSnapshotError,
  openFileSnapshotStore,
} from "@raft/snapshots";
import { openHttpSnapshotStore, snapshotHandler } from "@raft/snapshots/http";
import { toNodeListener } from "@raft/snapshots/node";

type Order =
  | { readonly do: "serve"; readonly directory: string }
  | { readonly do: "look"; readonly directory: string }
  | { readonly do: "install" } & InstallOrder;

interface InstallOrder {
  readonly url: string;
  readonly id: string;
  readonly directory: string;
}

const quiet = { debug() {}, info() {}, warn() {}, error() {} };

/** Timers that have been set, and neither fired nor been cleared. */
const timers = new Set<unknown>();
const { setTimeout: setReal, clearTimeout: clearReal } = globalThis;
globalThis.setTimeout = ((call, ms, ...args: unknown[]) => {
  const timer = setReal(function (this: unknown) {
    timers.delete(timer);
    call.apply(this, args);
  }, ms);
  timers.add(timer);
  return timer;
}) as SetTimeout as typeof setTimeout;
globalThis.clearTimeout = ((timer) => {
  timers.delete(timer);
  clearReal(timer as number);
}) as (timer: unknown) => void as typeof clearTimeout;

type SetTimeout = (
  call: (...args: unknown[]) => void,
  ms?: number,
  ...args: unknown[]
) => unknown;

/** The runtime's own timers do not keep the process; those of Node can tell. */
function keepsProcess(timer: unknown): boolean {
  return (timer as { hasRef?(): boolean }).hasRef?.() ?? true;
}

function countTimers(): number {
  return [...timers].filter(keepsProcess).length;
}

/** Ends the server. */
let stop: () => Promise<unknown> = () => Promise.resolve();

type Handler = (request: Request) => Promise<Response>;

interface Server {
  readonly port: number;
  stop(): Promise<unknown>;
}

interface Bun {
  serve(options: { port: number; idleTimeout: number; fetch: Handler }): {
    readonly port: number;
    stop(closeActiveConnections: boolean): Promise<void>;
  };
}

async function listen(handler: Handler): Promise<Server> {
  if ("Deno" in globalThis) {
    const hostname = "127.0.0.1";
    const options = { hostname, port: 0, onListen() {} };
    const server = Deno.serve(options, handler);
    return { port: server.addr.port, stop: () => server.shutdown() };
  }
  if ("Bun" in globalThis) {
    const { Bun } = globalThis as unknown as { Bun: Bun };
    const server = Bun.serve({ port: 0, idleTimeout: 0, fetch: handler });
    return { port: server.port, stop: () => server.stop(true) };
  }
  const server = createServer(toNodeListener(handler));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

async function serve(directory: string): Promise<{ readonly port: number }> {
  const store = await openFileSnapshotStore(directory, {
    readOnly: true,
    logger: quiet,
  });
  const handler = snapshotHandler(store, {
    authorize: ({ headers }) => headers.get("authorization") === "Bearer t",
    maxTransfers: 64,
    stallTimeoutMs: 2_000,
    logger: quiet,
  });
  const server = await listen(handler);
  stop = async () => {
    await server.stop();
    await store.close();
  };
  return { port: server.port };
}

/** Counts the bytes of states that the runtime hands over. */
function countingFetch(count: (bytes: number) => void) {
  return async (url: string, init: RequestInit): Promise<Response> => {
    const response = await fetch(url, init);
    if (response.status !== 206 || response.body === null) return response;
    const reader = response.body.getReader();
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        const { value } = await reader.read();
        if (value === undefined) return controller.close();
        count(value.length);
        controller.enqueue(value);
      },
      cancel: (reason) => reader.cancel(reason),
    }, { highWaterMark: 0 });
    return new Response(body, { status: 206, headers: response.headers });
  };
}

/** How many installs are under way. */
let installing = 0;
/** The timers that were left when none was under way any more. */
let timersLeft = 0;

async function install(order: InstallOrder): Promise<unknown> {
  installing++;
  try {
    return await pull(order);
  } finally {
    installing--;
    if (installing === 0) timersLeft = Math.max(timersLeft, countTimers());
  }
}

async function pull({ url, id, directory }: InstallOrder) {
  let received = 0;
  const remote = await openHttpSnapshotStore(url, {
    headers: { authorization: "Bearer t" },
    fetch: countingFetch((bytes) => received += bytes),
    stallTimeoutMs: 300,
    retry: { budgetMs: 20_000, pauseMs: 2, pauseMsMax: 20 },
    logger: quiet,
  });
  const local = await openFileSnapshotStore(directory, { logger: quiet });
  try {
    const copy = await copySnapshot(remote, id, local);
    return { copy: copy.id, received };
  } catch (error) {
    if (!isSnapshotError(error)) throw error;
    const { code, message } = error;
    return { code, message, received };
  } finally {
    await remote.close();
    await local.close();
  }
}

/**
 * The open files of the directory, sockets and timers, as Linux reports them.
 */
async function look(directory: string) {
  const names = await readdir("/proc/self/fd");
  const links = await Promise.all(
    names.map((name) => readlink(`/proc/self/fd/${name}`).catch(() => "")),
  );
  return {
    files: links.filter((link) => link.startsWith(directory)),
    sockets: links.filter((link) => link.startsWith("socket:")).length,
    timers: Math.max(timersLeft, countTimers()),
  };
}

async function obey(order: Order): Promise<unknown> {
  switch (order.do) {
    case "serve":
      return await serve(order.directory);
    case "install":
      return await install(order);
    case "look":
      return await look(order.directory);
  }
}

async function answer(line: string): Promise<void> {
  const { number, ...order } = JSON.parse(line) as Order & { number: number };
  const result = await obey(order as Order).catch((error: unknown) => ({
    failure: error instanceof Error ? error.stack : String(error),
  }));
  process.stdout.write(`${JSON.stringify({ number, result })}\n`);
}

const running = new Set<Promise<void>>();
for await (const line of createInterface({ input: process.stdin })) {
  const one: Promise<void> = answer(line).finally(() => running.delete(one));
  running.add(one);
}
await Promise.all(running);
await stop();
