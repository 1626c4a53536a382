/**
 * The options that every store has, whatever place it keeps snapshots in.
 *
 * @module
 */

import type { OptionNames } from "../option_names.ts";
import {
  requireInteger,
  requireOneOf,
  requireType,
} from "../backend/options.ts";
import { CONSOLE_LOGGER, guardLogger, type Logger } from "../logger.ts";
import type { StoreEvent } from "../snapshot/events.ts";
import { BLOCK_SIZE_MAX, BLOCK_SIZE_MIN } from "../snapshot/block_checksums.ts";

/**
 * Which snapshot is the newest:
 *
 * - `"raft"`: that of the highest term and index, as for a Raft node;
 * - `"taken"`: the one whose state was taken last, for a place with backups,
 *   because a cluster that was built again begins at a low index.
 */
export type SnapshotOrder = "raft" | "taken";

/** Options of a store in any place. */
export interface StoreOptions {
  /**
   * How many snapshots to keep; an integer of 1 or more, or `Infinity`, which
   * keeps all of them. @default {2}
   */
  readonly retain?: number | undefined;
  /**
   * Which snapshot is the newest, for `list()`, `restore()` and retention alike.
   * `"taken"` reads the metadata of each snapshot once. @default {"raft"}
   */
  readonly order?: SnapshotOrder | undefined;
  /**
   * Gets a line for each event: successes as `info`, conditions that an
   * operator should look at as `warn` or `error`.
   *
   * @default {warnings and errors go to the console}
   */
  readonly logger?: Logger | undefined;
  /**
   * Called with each event, such as `published` and `restored`, for metrics and
   * alerts; the log lines are made from the same events. Its errors and
   * rejections are ignored. @default {none}
   */
  readonly onEvent?: ((event: StoreEvent) => void) | undefined;
  /** Takes no lock, cleans nothing up, writes nothing. @default {false} */
  readonly readOnly?: boolean | undefined;
  /** The time in milliseconds since 1970. @default {Date.now} */
  readonly clock?: (() => number) | undefined;
  /**
   * Milliseconds since any moment, from a clock that is never set: the durations
   * in events are measured with it. @default {performance.now}
   */
  readonly monotonicClock?: (() => number) | undefined;
  /**
   * Bytes that are written and checked at a time; from 512 to 64 MiB. A stream
   * holds a handful of such blocks in memory. @default {1 MiB}
   */
  readonly blockSize?: number | undefined;
}

/** Their names. */
export const STORE_OPTIONS: OptionNames<StoreOptions> = {
  retain: true,
  order: true,
  logger: true,
  onEvent: true,
  readOnly: true,
  clock: true,
  monotonicClock: true,
  blockSize: true,
};

/** The options with every default filled in. */
export interface ResolvedStoreOptions {
  readonly retain: number;
  readonly order: SnapshotOrder;
  readonly logger: Logger;
  readonly onEvent: (event: StoreEvent) => void;
  readonly readOnly: boolean;
  readonly clock: () => number;
  readonly monotonicClock: () => number;
  readonly blockSize: number;
}

const BLOCK_SIZE_DEFAULT = 1024 * 1024;

/**
 * Fills in the defaults.
 *
 * @throws {TypeError} when an option has the wrong type.
 * @throws {RangeError} when a number is out of its bounds.
 */
export function resolveStoreOptions(
  options: StoreOptions,
): ResolvedStoreOptions {
  return {
    retain: requireRetain(options.retain ?? 2),
    order: requireOneOf("order", options.order ?? "raft", ["raft", "taken"]),
    logger: guardLogger(options.logger ?? CONSOLE_LOGGER),
    readOnly: options.readOnly ?? false,
    onEvent: requireType("onEvent", options.onEvent ?? (() => {}), "function"),
    clock: requireType("clock", options.clock ?? Date.now, "function"),
    monotonicClock: requireType(
      "monotonicClock",
      options.monotonicClock ?? (() => performance.now()),
      "function",
    ),
    blockSize: requireInteger(
      "blockSize",
      options.blockSize ?? BLOCK_SIZE_DEFAULT,
      BLOCK_SIZE_MIN,
      BLOCK_SIZE_MAX,
    ),
  };
}

function requireRetain(retain: number): number {
  return retain === Infinity ? retain : requireInteger("retain", retain, 1);
}
