/**
 * The keys of a store's objects.
 *
 * @module
 */

import { parseId } from "../../snapshot/id.ts";
import type { S3Location } from "./location.ts";

/** The objects of a snapshot, by the names that the files of a directory have. */
export const PART_NAMES = [
  "meta.json",
  "state.bin",
  "blocks.crc64",
  "archive.origin",
  /** Names the writer that has claimed the ID; written before all others. */
  "claim",
  /** Says that the snapshot is being removed. */
  "deleted",
  /** Says that the snapshot is quarantined. */
  "corrupt",
] as const;

/**
 * Says that a sweep is about to remove the rest of a writer's snapshot. Each
 * sweep has a mark of its own, so that no sweep takes back the mark of another
 * one.
 */
export type SweepMark = `abandoned-${string}`;

const SWEEP_MARK = /^abandoned-[0-9a-f-]{36}$/;

/** The name of an object of a snapshot. */
export type PartName = typeof PART_NAMES[number] | SweepMark;

/** A mark that no other sweep has. */
export function newSweepMark(): SweepMark {
  return `abandoned-${crypto.randomUUID()}`;
}

/** Whether an object is the mark of a sweep. */
export function isSweepMark(name: string): name is SweepMark {
  return SWEEP_MARK.test(name);
}

/** The prefixes of keys, and the meaning of keys. */
export class KeySpace {
  /** The prefix of every key of the store. */
  readonly root: string;

  constructor({ prefix }: S3Location) {
    this.root = prefix === "" ? "snapshots/" : `${prefix}/snapshots/`;
  }

  /** The prefix of every key of a snapshot. */
  of(id: string): string {
    return `${this.root}${id}/`;
  }

  /** The key of an object. */
  key(id: string, part: PartName): string {
    return `${this.of(id)}${part}`;
  }

  /** The object that has a key; `undefined` for a foreign key. */
  parse(key: string): { id: string; part: PartName } | undefined {
    const id = this.idOf(key);
    if (id === undefined) return undefined;
    const name = key.slice(this.of(id).length);
    const part = isSweepMark(name)
      ? name
      : PART_NAMES.find((each) => each === name);
    return part === undefined ? undefined : { id, part };
  }

  /** The snapshot's ID in a key; `undefined` when there is none. */
  idOf(key: string): string | undefined {
    if (!key.startsWith(this.root)) return undefined;
    const [id = "", ...rest] = key.slice(this.root.length).split("/");
    return rest.length > 0 && parseId(id) !== undefined ? id : undefined;
  }
}
