/**
 * The parts of an open store. Each part owns one kind of state; the files of
 * this folder take the parts that they need.
 *
 * @module
 */

import type { CheckedBackend } from "./checked_backend.ts";
import type { Report } from "./events.ts";
import type { Exclusive } from "../backend/exclusive.ts";
import type { Health } from "./health.ts";
import type { KnownMetas } from "./known_metas.ts";
import type { NewestFirst } from "./newest_first.ts";
import type { OpenStreams } from "./open_streams.ts";
import type { Remover } from "./remove.ts";

/** The parts of an open store. */
export interface StoreParts {
  /** The place that the snapshots are in. */
  readonly backend: CheckedBackend;
  /** Which snapshots are known to be good or corrupt. */
  readonly health: Health;
  /** Their order. */
  readonly newestFirst: NewestFirst;
  /** The metadata that has been read. */
  readonly metas: KnownMetas;
  /** Removes snapshots; its calls go through `exclusive`. */
  readonly remover: Remover;
  /** The sinks, sources and checks that are open. */
  readonly streams: OpenStreams;
  /** IDs of snapshots whose own reap has not ended yet: never reaped. */
  readonly publishing: Set<string>;
  /** Runs the calls that remove or replace snapshots one after the other. */
  readonly exclusive: Exclusive;
  /** Aborts when the store is closed. */
  readonly closing: AbortSignal;
  /** Where to report. */
  readonly report: Report;
  /** Milliseconds since any time, to measure durations. */
  readonly timer: () => number;
  /** How many snapshots to keep. */
  readonly retain: number;
  /** Bytes of a block of a new snapshot, and of one without checksums. */
  readonly blockSize: number;
}
