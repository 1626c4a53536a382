/**
 * Checks the values that a backend returns. Each check gives a copy, or a value
 * that can't change any more, so that the checked value is the used one.
 *
 * @module
 */

import type {
  BackendNames,
  PendingSnapshot,
  StateHandle,
  UnfinishedName,
} from "../backend/backend.ts";
import { isUint8Array, toBytes } from "../bytes.ts";
import { StoreAccessError } from "../errors.ts";
import { parseId } from "../snapshot/id.ts";
import { describe, quote } from "../text.ts";

const UNFINISHED_STATES: readonly string[] = ["writing", "deleted", "sealing"];

/** The error for a backend that breaks its contract and so can't be trusted. */
export function brokenContract(
  how: string,
  options: ErrorOptions = {},
): StoreAccessError {
  return new StoreAccessError(
    `The backend of the store breaks its contract: ${how}`,
    options,
  );
}

/** A copy of the names, each valid, and none published twice. */
export function requireNames(names: BackendNames): BackendNames {
  const published = requireEachOnce(requireIds(names.published));
  return {
    published,
    quarantined: requireEachOnce(requireIds(names.quarantined)),
    unfinished: requireArray(names.unfinished).map(requireUnfinished),
    foreign: requireArray(names.foreign).map(requireText),
    protected: requirePublished(names.protected, published),
  };
}

/** Snapshot IDs. */
export function requireIds(ids: unknown): readonly string[] {
  return requireArray(ids).map(requireSnapshotId);
}

/** The bytes of a part, at most `sizeMax`. */
export function requireBytes(
  bytes: unknown,
  what: string,
  sizeMax: number,
): Uint8Array {
  if (!isUint8Array(bytes)) {
    throw brokenContract(`found ${kindOf(bytes)} as ${what}, expected bytes`);
  }
  const length = trueLength(bytes, what);
  if (length <= sizeMax) return new Uint8Array(bytes);
  throw brokenContract(
    `found ${length} bytes of ${what}, expected at most ${sizeMax}`,
  );
}

/** The length of a state in bytes. */
export function requireSize(size: unknown, what: string): number {
  if (Number.isSafeInteger(size) && Number(size) >= 0) return Number(size);
  throw brokenContract(
    `found ${show(size)} as the size of ${what}, expected a number of bytes`,
  );
}

/** How many bytes a read has put into a buffer of `length` bytes. */
export function requireCount(
  count: unknown,
  length: number,
  what: string,
): number {
  const isCount = Number.isInteger(count) && Number(count) >= 0;
  if (isCount && Number(count) <= length) return Number(count);
  throw brokenContract(
    `read() of ${what} gave ${show(count)}, expected 0 to ${length}`,
  );
}

/** An open state; the caller must close it. */
export function requireHandle(handle: unknown, what: string): StateHandle {
  requireMethods(handle, ["read", "close"], what);
  return handle as StateHandle;
}

/** A snapshot that has been begun. */
export function requirePending(
  pending: unknown,
  id: string,
): PendingSnapshot {
  const methods = ["append", "publish", "discard"];
  requireMethods(pending, methods, `the new snapshot ${id}`);
  return pending as PendingSnapshot;
}

/** The errors of those of `ids` that could not be removed. */
export function requireFailures(
  failures: unknown,
  ids: readonly string[],
): ReadonlyMap<string, unknown> {
  if (!(failures instanceof Map)) {
    throw brokenContract(
      `remove() gave ${kindOf(failures)}, expected a Map of the failures`,
    );
  }
  const copy = new Map<string, unknown>(failures);
  const stranger = [...copy.keys()].find((id) => !ids.includes(id));
  if (stranger === undefined && !copy.has(stranger as never)) return copy;
  throw brokenContract(
    `remove() gave a failure of ${show(stranger)}, which was not to be removed`,
  );
}

/** A text for the log. */
export function requireText(text: unknown): string {
  if (typeof text === "string") return text;
  throw brokenContract(`found ${kindOf(text)} as a name, expected a string`);
}

function requirePublished(
  ids: unknown,
  published: readonly string[],
): readonly string[] {
  const all = new Set(published);
  return requireIds(ids ?? []).map((id) => {
    if (all.has(id)) return id;
    throw brokenContract(
      `found snapshot ${id} in protected, expected it in published, too`,
    );
  });
}

function requireUnfinished(name: unknown): UnfinishedName {
  const { id, state } = (name ?? {}) as Partial<UnfinishedName>;
  return { id: requireSnapshotId(id), state: requireUnfinishedState(state) };
}

/** The state of an unfinished snapshot. */
export function requireUnfinishedState(
  state: unknown,
): UnfinishedName["state"] {
  if (UNFINISHED_STATES.includes(state as string)) {
    return state as UnfinishedName["state"];
  }
  throw brokenContract(
    `found the state ${show(state)}, expected one of ${
      UNFINISHED_STATES.join(", ")
    }`,
  );
}

function requireEachOnce(ids: readonly string[]): readonly string[] {
  const seen = new Set<string>();
  for (const id of ids) {
    if (seen.has(id)) {
      throw brokenContract(`found snapshot ${id} twice in a list`);
    }
    seen.add(id);
  }
  return ids;
}

/** The ID of a snapshot. */
export function requireSnapshotId(id: unknown): string {
  if (typeof id === "string" && parseId(id) !== undefined) return id;
  throw brokenContract(`found ${show(id)} in a list, expected a snapshot ID`);
}

/** The elements of an array, which may be anything. */
export function requireArray(values: unknown): readonly unknown[] {
  if (Array.isArray(values)) return [...values];
  throw brokenContract(`found ${kindOf(values)}, expected an array`);
}

function requireMethods(
  object: unknown,
  names: readonly string[],
  what: string,
): void {
  for (const name of names) {
    const method = (object as Record<string, unknown> | null | undefined)
      ?.[name];
    if (typeof method === "function") continue;
    throw brokenContract(`found ${what} without ${name}()`);
  }
}

/**
 * The true length. An array can have an own `length`, and a Proxy has no bytes.
 */
function trueLength(bytes: Uint8Array, what: string): number {
  try {
    return toBytes(bytes, what).length;
  } catch (cause) {
    throw brokenContract(`the bytes of ${what} can't be used`, { cause });
  }
}

/** The kind of a value, for messages. */
export function kindOf(value: unknown): string {
  return value === null ? "null" : typeof value;
}

/** A value that a backend gave, for messages. */
export function show(value: unknown): string {
  return typeof value === "string" ? quote(value) : describe(value);
}

/** So many versions; `undefined` for each that a backend does not know. */
export function knownVersions(
  versions: unknown,
  count: number,
): (string | undefined)[] {
  const given = Array.isArray(versions) ? versions : [];
  return Array.from(
    { length: count },
    (_, i) => typeof given[i] === "string" ? given[i] : undefined,
  );
}
