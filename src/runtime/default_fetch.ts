/**
 * Makes requests in the way that costs this runtime least.
 *
 * @module
 */

import { deno } from "./deno.ts";
import { fetchByNode } from "./fetch_by_node.ts";
import { node } from "./node.ts";

/**
 * As the global `fetch` with `redirect: "manual"` and bytes for a body. On Node
 * the requests are made by `node:http`, unless `fetch` has been replaced, as
 * tests do, or is to find a proxy in the environment.
 */
export function defaultFetch(
  url: string,
  init: RequestInit,
): Promise<Response> {
  return isNode() && !isReplaced() && !findsProxy()
    ? fetchByNode(url, init)
    : fetch(url, init);
}

/** Whether `fetch` is not the one that Node has made; none is not another one. */
function isReplaced(): boolean {
  const { fetch } = globalThis as { readonly fetch?: unknown };
  return fetch !== undefined && !String(fetch).includes("internal/deps/undici");
}

/** The used part of the global `process`. */
interface Process {
  readonly versions?: { readonly node?: string; readonly bun?: string };
  getBuiltinModule?(name: string): unknown;
}

/** Whether this is Node itself; Deno and Bun have its modules, too. */
function isNode(): boolean {
  const { process } = globalThis as { readonly process?: Process };
  return deno === undefined && process?.versions?.node !== undefined &&
    process.versions.bun === undefined &&
    process.getBuiltinModule?.("node:http") !== undefined;
}

/** Whether Node was started with `--use-env-proxy`, or what means the same. */
function findsProxy(): boolean {
  const { options } = node.http.globalAgent as { readonly options?: object };
  const { proxyEnv } = (options ?? {}) as { readonly proxyEnv?: unknown };
  return proxyEnv !== undefined ||
    node.process.env["NODE_USE_ENV_PROXY"] === "1";
}
