/**
 * Directories in memory: names that users see, names that are synced, and the
 * changes between the two.
 *
 * @module
 */

import {
  type CrashChoice,
  keepDecisions,
  type Persists,
} from "./crash_choice.ts";
import { MemoryFile } from "./file.ts";

/** The file or directory of a name. */
export type MemoryNode = MemoryFile | MemoryDirectory;

type Entries = Map<string, MemoryNode>;

/** A directory without a name. */
export class MemoryDirectory {
  readonly kind = "directory";
  /** The names that are there now. */
  readonly entries: Entries = new Map();
  /** The names that are on the disk. */
  readonly synced: Entries = new Map();
  /**
   * Whether it belongs to the lower layer of an overlay, and can't be renamed.
   */
  isLower = false;
}

/** One half of a change: a name that comes or goes. */
export interface Step {
  readonly what: "add" | "remove";
  readonly directory: MemoryDirectory;
  readonly name: string;
  readonly node: MemoryNode;
}

function apply(entries: Entries, { what, name, node }: Step): void {
  if (what === "add") entries.set(name, node);
  // A name that was given to another file meanwhile is a different entry.
  else if (entries.get(name) === node) entries.delete(name);
}

/** Changes that were made at once and are not synced. */
interface PendingChange {
  readonly steps: readonly Step[];
  /** One half is synced: the other half of an atomic change must follow. */
  readonly begun: boolean;
}

/** The changes of all directories that are not synced, in their order. */
export class DirectoryJournal {
  #pending: PendingChange[] = [];

  /** Does a change. */
  record(...steps: Step[]): void {
    for (const step of steps) apply(step.directory.entries, step);
    this.#pending.push({ steps, begun: false });
  }

  /** Syncs the changes in one directory. */
  sync(directory: MemoryDirectory): void {
    this.#pending = this.#pending.flatMap(({ steps, begun }) => {
      const left: Step[] = [];
      for (const step of steps) {
        if (step.directory === directory) apply(directory.synced, step);
        else left.push(step);
      }
      if (left.length === 0) return [];
      return [{ steps: left, begun: begun || left.length < steps.length }];
    });
  }

  /** A copy of the tree below `root` as it may be found after a power cut. */
  crashed(root: MemoryDirectory, choice: CrashChoice): MemoryDirectory {
    const persists = keepDecisions(choice);
    const kept = this.#choose(persists, choice.renames);
    return crashedDirectory(root, kept, persists, new Set());
  }

  /** The steps that are kept, by directory and in their order. */
  #choose(persists: Persists, renames: CrashChoice["renames"]): KeptSteps {
    const kept: KeptSteps = new Map();
    for (const { steps, begun } of this.#pending) {
      const whole = renames === "atomic" ? begun || persists() : undefined;
      for (const step of steps) {
        if (!(whole ?? persists())) continue;
        const those = kept.get(step.directory);
        if (those === undefined) kept.set(step.directory, [step]);
        else those.push(step);
      }
    }
    return kept;
  }
}

type KeptSteps = Map<MemoryDirectory, Step[]>;

function crashedDirectory(
  directory: MemoryDirectory,
  kept: KeptSteps,
  persists: Persists,
  above: ReadonlySet<MemoryNode>,
): MemoryDirectory {
  const found: Entries = new Map(directory.synced);
  for (const step of kept.get(directory) ?? []) apply(found, step);
  const copy = new MemoryDirectory();
  copy.isLower = directory.isLower;
  const here = new Set<MemoryNode>([...above, directory]);
  for (const [name, node] of found) {
    // Half kept moves can close a circle, which no disk would show.
    if (here.has(node)) continue;
    const crashed = node instanceof MemoryFile
      ? node.crashed(persists)
      : crashedDirectory(node, kept, persists, here);
    copy.entries.set(name, crashed);
    copy.synced.set(name, crashed);
  }
  return copy;
}
