/**
 * What the name of a directory in `snapshots/` says.
 *
 * @module
 */

import { parseId } from "../../snapshot/id.ts";

/** A directory that is not a published snapshot, and what became of it. */
export interface TemporaryName {
  /** The snapshot that it was to be, or was. */
  readonly id: string;
  /**
   * Whether it is being written, being deleted, getting its block checksums, or
   * in quarantine because it is corrupt.
   */
  readonly state: "writing" | "deleted" | "sealing" | "corrupt";
  /**
   * Whether the directory still has the name of a published snapshot, and says
   * by a marker in it what became of it, because it can't be renamed.
   */
  readonly inPlace?: true;
}

/** The name of a snapshot's directory while it is not published. */
export function temporaryName({ id, state, inPlace }: TemporaryName): string {
  if (inPlace) return id;
  return state === "writing" ? `${id}.tmp` : `${id}.${state}.tmp`;
}

/** The meaning of a name that ends in `.tmp`; `undefined` for a foreign name. */
export function parseTemporaryName(name: string): TemporaryName | undefined {
  const match = /^([\d-]+)(?:\.(deleted|sealing|corrupt))?\.tmp$/.exec(name);
  const id = match?.[1];
  if (id === undefined || parseId(id) === undefined) return undefined;
  const state = match?.[2] as TemporaryName["state"] | undefined;
  return { id, state: state ?? "writing" };
}
