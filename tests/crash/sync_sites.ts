/**
 * Names the syncs that the store does. They are found by watching the store, so
 * a test that leaves out each in turn forgets none.
 *
 * @module
 */

import { dirname } from "node:path/posix";
import type { Step } from "./scheduled_file_system.ts";

/** Whether an operation makes something durable. */
export function isSync({ name }: Step): boolean {
  return name === "sync" || name === "syncDirectory";
}

const CHANGES = new Set(["makeDirectory", "rename", "removeFile"]);

/** The change of names that an operation is, if it is one; in general terms. */
function changeOf({ name, path, detail }: Step): string | undefined {
  if (name === "rename") return `rename ${general(path)} ${general(detail)}`;
  if (name === "open" && detail !== "read") return "open";
  return CHANGES.has(name) || name === "removeDirectory"
    ? `${name} ${general(path)}`
    : undefined;
}

/** A path whose part that `export` makes up is replaced. */
export function withoutRandom(path: string): string {
  return path.replace(/\.[0-9a-f]{8}\.tmp$/, ".<random>.tmp");
}

/** A path in which each snapshot's ID and all random parts are replaced. */
function general(path = ""): string {
  return withoutRandom(path.replace(/\d+-\d+-\d+/g, "<id>"));
}

/**
 * Tells one sync of the store from another: by its file or directory and, for a
 * directory, by the last change in it, a rename before all else.
 */
export class SyncSites {
  /** All names so far. */
  readonly found = new Set<string>();
  /** The last change in each directory since it was synced. */
  readonly #changed = new Map<string, string>();

  /** Records an operation; gives its name when it is a sync. */
  record(step: Step): string | undefined {
    if (isSync(step)) return this.#recordSync(step);
    const change = changeOf(step);
    if (change === undefined) return undefined;
    this.#recordChange(dirname(step.path), change);
    const { name, detail } = step;
    if (name === "rename" && detail !== undefined) {
      this.#recordChange(dirname(detail), change);
    }
    return undefined;
  }

  #recordSync({ name, path }: Step): string {
    const after = this.#changed.get(path) ?? "nothing";
    const what = `${name} ${general(path)}`;
    const site = name === "sync" ? what : `${what} after ${after}`;
    if (name === "syncDirectory") this.#changed.delete(path);
    this.found.add(site);
    return site;
  }

  #recordChange(directory: string, change: string): void {
    const known = this.#changed.get(directory);
    if (known?.startsWith("rename") && !change.startsWith("rename")) return;
    this.#changed.set(directory, change);
  }
}
