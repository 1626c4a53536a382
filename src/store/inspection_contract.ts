/**
 * Checks the result of a backend's `inspect()` and `clean()`.
 *
 * @module
 */

import type { BackendInspection } from "../backend/backend.ts";
import type { LockOwner } from "../lock_owner.ts";
import type {
  CleanReport,
  QuarantinedSnapshot,
  StoreLock,
  UnfinishedSnapshot,
} from "../snapshot/inspection.ts";
import {
  brokenContract,
  kindOf,
  requireArray,
  requireSize,
  requireSnapshotId,
  requireText,
  requireUnfinishedState,
  show,
} from "./contract.ts";

/**
 * Longer than any name in a directory or of an object, and any text of a lock.
 */
const TEXT_LENGTH_MAX = 4096;

/** A copy of an inspection whose parts are all valid. */
export function requireInspection(inspection: unknown): BackendInspection {
  const { unfinished, quarantined, foreign, lock } = fieldsOf<
    BackendInspection
  >(inspection);
  return {
    unfinished: requireArray(unfinished).map(requireUnfinished),
    quarantined: requireArray(quarantined).map(requireQuarantined),
    foreign: requireArray(foreign).map(requireShortText),
    lock: optional(lock, requireLock),
  };
}

/** A copy of a report whose parts are all valid. */
export function requireCleanReport(report: unknown): CleanReport {
  const { removed, left, failed } = fieldsOf<CleanReport>(report);
  return {
    removed: requireArray(removed).map(requireUnfinished),
    left: requireArray(left).map(requireUnfinished),
    failed: requireArray(failed).map(requireUnfinished),
  };
}

function requireUnfinished(value: unknown): UnfinishedSnapshot {
  const it = fieldsOf<UnfinishedSnapshot>(value);
  const id = requireSnapshotId(it.id);
  return {
    id,
    name: requireShortText(it.name),
    state: requireUnfinishedState(it.state),
    size: optional(it.size, (size) => requireSize(size, `snapshot ${id}`)),
    changedAt: optional(it.changedAt, requireDate),
    isForeign: requireBoolean(it.isForeign),
    mayBeUnderWay: requireBoolean(it.mayBeUnderWay),
  };
}

function requireQuarantined(value: unknown): QuarantinedSnapshot {
  const { id, name } = fieldsOf<QuarantinedSnapshot>(value);
  return { id: requireSnapshotId(id), name: requireShortText(name) };
}

const HOLDERS: readonly string[] = ["own", "alive", "dead", "unknown"];

function requireLock(value: unknown): StoreLock {
  const { owner, holder, hint } = fieldsOf<StoreLock>(value);
  if (!HOLDERS.includes(holder as string)) {
    throw brokenContract(
      `found the holder ${show(holder)}, expected one of ${HOLDERS.join(", ")}`,
    );
  }
  return {
    owner: optional(owner, requireOwner),
    holder: holder as StoreLock["holder"],
    hint: optional(hint, requireShortText),
  };
}

function requireOwner(value: unknown): LockOwner {
  const { pid, host, runtime, since } = fieldsOf<LockOwner>(value);
  return {
    pid: requireNumber(pid),
    host: host === null ? null : requireShortText(host),
    runtime: requireShortText(runtime),
    since: requireNumber(since),
  };
}

/** The fields of an object, which are not checked yet. */
function fieldsOf<T>(value: unknown): { readonly [K in keyof T]?: unknown } {
  if (typeof value === "object" && value !== null) return value;
  throw brokenContract(`found ${kindOf(value)}, expected an object`);
}

function optional<T>(
  value: unknown,
  check: (value: unknown) => T,
): T | undefined {
  return value === undefined ? undefined : check(value);
}

function requireShortText(value: unknown): string {
  const text = requireText(value);
  if (text.length <= TEXT_LENGTH_MAX) return text;
  throw brokenContract(
    `found a text of ${text.length} characters, ` +
      `expected at most ${TEXT_LENGTH_MAX}`,
  );
}

function requireDate(value: unknown): Date {
  const ms = value instanceof Date ? Number(value) : NaN;
  if (!Number.isNaN(ms)) return new Date(ms);
  throw brokenContract(`found ${show(value)}, expected a valid Date`);
}

function requireBoolean(value: unknown): boolean {
  if (typeof value === "boolean") return value;
  throw brokenContract(`found ${kindOf(value)}, expected true or false`);
}

function requireNumber(value: unknown): number {
  if (typeof value === "number") return value;
  throw brokenContract(`found ${kindOf(value)}, expected a number`);
}
