/**
 * Finds the requested resource by the path of a request.
 *
 * @module
 */

import { parseId } from "../snapshot/id.ts";

/** The requested resource. */
export type Route =
  | { readonly part: "list" }
  | {
    readonly part: "state" | "meta" | "blocks" | "archive";
    readonly id: string;
  };

/** Any prefix will do, `/snapshots` too: the handler may be mounted anywhere. */
const PATH = /\/snapshots(?:\/([\d-]+)(?:\/(meta|blocks|archive))?)?\/?$/;

/** Bun gives a path alone for a request of HTTP/1.0 that names no host. */
function pathOf(url: string): string {
  return url.startsWith("/")
    ? url.replace(/[?#].*$/s, "")
    : new URL(url).pathname;
}

/** The route of a URL; `undefined` when there is nothing. */
export function routeOf(url: string): Route | undefined {
  const match = PATH.exec(pathOf(url));
  if (match === null) return undefined;
  const [, id, part = "state"] = match;
  if (id === undefined) return { part: "list" };
  if (parseId(id) === undefined) return undefined;
  return { part: part as "state" | "meta" | "blocks" | "archive", id };
}
