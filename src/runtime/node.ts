/**
 * Node's built-in modules, which Deno, Bun and Node all have. They are reached
 * when they are first used and never imported: a bundler for browsers follows
 * every import, a dynamic one as well.
 *
 * @module
 */

import { StoreAccessError } from "../errors.ts";

const loaded = new Map<string, unknown>();

/** A module, from the runtime the first time. */
function builtin<T>(name: string): T {
  let found = loaded.get(name);
  if (found === undefined) loaded.set(name, found = load(name));
  return found as T;
}

function load(name: string): unknown {
  const { process } = globalThis as {
    readonly process?: { getBuiltinModule?(name: string): unknown };
  };
  const found = process?.getBuiltinModule?.(name);
  if (found !== undefined) return found;
  throw new StoreAccessError(
    "Cannot use the files of this machine, or archives: found a runtime " +
      `without process.getBuiltinModule("${name}"), expected Deno 2, Bun or ` +
      "Node 20.19; elsewhere use MemorySnapshotStore or the option fileSystem",
  );
}

/**
 * The modules. Each property throws a `StoreAccessError` where the runtime has
 * no such module, as in a browser.
 */
export const node = {
  get buffer(): typeof import("node:buffer") {
    return builtin("node:buffer");
  },
  get crypto(): typeof import("node:crypto") {
    return builtin("node:crypto");
  },
  get fs(): typeof import("node:fs") {
    return builtin("node:fs");
  },
  get http(): typeof import("node:http") {
    return builtin("node:http");
  },
  get https(): typeof import("node:https") {
    return builtin("node:https");
  },
  get net(): typeof import("node:net") {
    return builtin("node:net");
  },
  get os(): typeof import("node:os") {
    return builtin("node:os");
  },
  get path(): typeof import("node:path") {
    return builtin("node:path");
  },
  get process(): typeof import("node:process") {
    return builtin("node:process");
  },
  get stream(): typeof import("node:stream") {
    return builtin("node:stream");
  },
  get url(): typeof import("node:url") {
    return builtin("node:url");
  },
  get zlib(): typeof import("node:zlib") {
    return builtin("node:zlib");
  },
};
