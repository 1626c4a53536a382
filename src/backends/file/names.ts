/**
 * The meaning of a directory's name in `snapshots/`.
 *
 * @module
 */

import { parseId } from "../../snapshot/id.ts";

/** A directory that is not a published snapshot, and its state. */
export interface TemporaryName {
  /**
   * The ID of the snapshot that was being written, deleted, sealed or
   * quarantined.
   */
  readonly id: string;
  /**
   * Whether it is being written, being deleted, getting its block checksums, or
   * in quarantine because it is corrupt.
   */
  readonly state: "writing" | "deleted" | "sealing" | "corrupt";
  /**
   * Whether the directory still has the name of a published snapshot, and a
   * marker in it shows the state, because the directory can't be renamed.
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
