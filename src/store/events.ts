/**
 * Turns each event into a line for the logger and a call of `onEvent`. The
 * level and the text of every line of a store are made here.
 *
 * @module
 */

import { systemCode } from "../errors.ts";
import { describeOwner } from "../lock_owner.ts";
import { callQuietly, type Logger } from "../logger.ts";
import type {
  BackendEvent,
  StoreEvent,
  StoreEvents,
} from "../snapshot/events.ts";
import { describe, describeWithCauses, printable } from "../text.ts";

/** An event before its place is added. */
type PlacelessEvent = {
  readonly [Type in keyof StoreEvents]:
    & { readonly type: Type }
    & StoreEvents[Type];
}[keyof StoreEvents];

/** Takes an event; never throws. */
export type Report = (event: PlacelessEvent) => void;

/** The line of an event for a logger. */
export interface LogLine {
  /** The logger's method. */
  readonly level: keyof Logger;
  /** One line of printable text. */
  readonly message: string;
}

type Line = readonly [level: keyof Logger, message: string];

/** The origins of leftovers. */
const ORIGINS: Readonly<Record<StoreEvents["cleanedUp"]["state"], string>> = {
  writing: "an unfinished snapshot that no process is writing any more",
  deleted: "the rest of a deletion",
  sealing: "the rest of a seal",
  quarantined: "a corrupt snapshot",
};

/**
 * Operations of backends: their names in sentences, and when they run again.
 */
const OPERATIONS = new Map([
  ["remove", ["remove", "; later reaps and openings try again"]],
  ["sweep", ["remove", "; the next opening tries again"]],
]);

/** The line of each event. */
const LINES: {
  readonly [Type in keyof StoreEvents]: (
    event: StoreEvents[Type] & Pick<StoreEvent, "place">,
  ) => Line;
} = {
  created: ({ id }) => ["debug", `Creating snapshot ${id}`],
  published: ({ meta, durationMs }) => [
    "info",
    `Published snapshot ${meta.id} (${work(meta.size, durationMs)})`,
  ],
  restored: ({ meta, skipped, durationMs }) => [
    "info",
    `Restored snapshot ${meta.id} (${work(meta.size, durationMs)})` +
    (skipped.length === 0 ? "" : `, having passed over ${skipped.length}`),
  ],
  rejected: ({ id, operation, error }) => [
    "warn",
    `${operation === "list" ? "Skipping" : "Cannot restore"} snapshot ${id}: ` +
    describe(error),
  ],
  ignored: ({ name, state, place }) =>
    state === "foreign"
      ? ["warn", `Skipping ${name} in ${place}: not a snapshot`]
      : ["debug", `Skipping snapshot ${name}: ${state}`],
  checksumsIgnored: ({ error }) => ["warn", `${describe(error)}; not using it`],
  retrying: ({ operation, error, place }) => [
    "warn",
    `Cannot ${operation} in ${place}: ${
      describeWithCauses(error)
    }; trying again`,
  ],
  failed: ({ operation, id, name, error, isExpected, place }) => {
    const [verb, next] = OPERATIONS.get(operation) ?? [operation, ""];
    const where = name ?? (id === undefined ? `in ${place}` : `snapshot ${id}`);
    // A place in which reaps fail fills up, which is grave.
    const isGrave = operation === "reap" && id === undefined;
    const level = isExpected ? "debug" : isGrave ? "error" : "warn";
    return [level, `Cannot ${verb} ${where}: ${describe(error)}${next}`];
  },
  quarantined: ({ id, name }) => [
    "warn",
    `Quarantined corrupt snapshot ${id} as ${name}`,
  ],
  reaped: ({ id }) => ["info", `Reaped snapshot ${id}`],
  reapOverdue: ({ place }) => [
    "warn",
    `Creating a snapshot in ${place} before the reap that followed the last ` +
    "one has ended, because it takes long",
  ],
  deleted: ({ id }) => ["info", `Deleted snapshot ${id}`],
  cleanedUp: ({ name, state }) => [
    "info",
    `Removed ${name}: ${ORIGINS[state]}`,
  ],
  leftAlone: ({ name, changedWithinMs: ms }) => [
    "info",
    `Left ${name} alone: it was changed less than ${ms / 1000} s ago, so ` +
    "another program may be writing it",
  ],
  lockTakenOver: ({ owner, place }) => [
    "info",
    `Took over the lock of ${place}, left behind by ${describeOwner(owner)}`,
  ],
  directoryNotSynced: ({ error, place }) => [
    "warn",
    `Cannot sync directories (${systemCode(error)}): after a power cut the ` +
    `newest snapshot in ${place} may be missing`,
  ],
};

function work(size: number, durationMs: number): string {
  return `${size} bytes in ${Math.round(durationMs)} ms`;
}

/** The events that a backend may report; others are ignored. */
const OF_BACKENDS: ReadonlySet<unknown> = new Set<BackendEvent["type"]>([
  "cleanedUp",
  "directoryNotSynced",
  "failed",
  "leftAlone",
  "lockTakenOver",
  "retrying",
]);

/** Where events go. */
export interface EventTargets {
  readonly logger: Logger;
  readonly onEvent: (event: StoreEvent) => unknown;
}

/** Makes the function that takes the events of a store. */
export function makeReport(
  { logger, onEvent }: EventTargets,
  backend: { readonly place: string },
): Report {
  return (placeless) => {
    const event = { ...placeless, place: backend.place };
    callQuietly(() => {
      const { level, message } = toLogLine(event);
      logger[level](message);
    });
    callQuietly(() => onEvent(event));
  };
}

/** The same for a backend, which may be any program's. */
export function backendReport(report: Report): (event: BackendEvent) => void {
  return (event) => {
    if (OF_BACKENDS.has(event?.type)) report(event);
  };
}

/**
 * The line of an event as the store's logger gets it, for loggers that also
 * take fields.
 *
 * @throws {TypeError} when `event` is not an event of a store.
 *
 * @example Log events with their fields
 * ```ts
 * import { MemorySnapshotStore, toLogLine } from "@raft/snapshots";
 *
 * const silent = { debug() {}, info() {}, warn() {}, error() {} };
 * const store = new MemorySnapshotStore({
 *   logger: silent,
 *   onEvent: (event) => {
 *     const { level, message } = toLogLine(event);
 *     console[level](message, event);
 *   },
 * });
 * ```
 */
export function toLogLine(event: StoreEvent): LogLine {
  const make: (event: never) => Line = LINES[event.type];
  const [level, message] = make(event as never);
  return { level, message: printable(message) };
}
