/**
 * Makes requests in the way that costs this runtime least.
 *
 * @module
 */

import { deno } from "./deno.ts";
import { fetchByNode } from "./fetch_by_node.ts";

/** The global `fetch`, as it was at the start. */
const globalFetch = globalThis.fetch;

/** The used part of the global `process`. */
interface Process {
  readonly versions?: { readonly node?: string; readonly bun?: string };
  readonly env?: Readonly<Record<string, string | undefined>>;
  getBuiltinModule?(name: string): unknown;
}

/**
 * The runtime's `fetch`, or what does the same for less. A `fetch` that was
 * replaced, as tests do, is used; and so is Node's where it is to use a proxy.
 */
export function defaultFetch(
  url: string,
  init: RequestInit,
): Promise<Response> {
  const isReplaced = globalThis.fetch !== globalFetch;
  return isReplaced || !isPlainNode()
    ? fetch(url, init)
    : fetchByNode(url, init);
}

function isPlainNode(): boolean {
  const { process } = globalThis as { readonly process?: Process };
  return deno === undefined && process?.versions?.node !== undefined &&
    process.versions.bun === undefined &&
    process.getBuiltinModule?.("node:http") !== undefined &&
    process.env?.["NODE_USE_ENV_PROXY"] !== "1";
}
