/**
 * From measurements to the figures of a table.
 *
 * @module
 */

import type { MeasurePlan } from "./measures.ts";
import { median } from "./median.ts";

/** One row. */
export interface Row {
  /** The contestant. */
  readonly name: string;
  /** Whether it is this library. */
  readonly ours: boolean;
  /** The median. */
  readonly seconds: number;
  /** The fastest and the slowest. */
  readonly range: readonly [number, number];
  /** GB/s, where bytes count. */
  readonly rate: number | undefined;
  /** The highest peak of memory, in bytes; 0 where not measured. */
  readonly peakBytes: number;
}

/** The result of a target on one runtime. */
export interface TargetResult {
  /** The runtime. */
  readonly name: string;
  /** The contestant that it is compared with. */
  readonly of: string;
  /** How many times as fast it has to be. */
  readonly wanted: number;
  /** How many times as fast it was: the median of the rounds' ratios. */
  readonly ratio: number;
}

/** A measure with its figures. */
export interface Table {
  /** A short name. */
  readonly id: string;
  /** The heading. */
  readonly title: string;
  /** Bytes dealt with in one measurement. */
  readonly bytes: number;
  /** How many rounds there were. */
  readonly rounds: number;
  /** The rows. */
  readonly rows: readonly Row[];
  /** Where and when. */
  readonly machine: string;
  /** The results of the targets. */
  readonly results: readonly TargetResult[];
  /** The reason why a target was missed, if one was. */
  readonly obstacle: string | undefined;
}

/** Sums the measurements up; `samples` are in the order of the entries' rows. */
export function tabulate(
  { id, title, bytes, rounds, entries, targets, obstacle }: MeasurePlan,
  samples: readonly {
    readonly seconds: readonly number[];
    readonly peakBytes: readonly number[];
  }[],
): Omit<Table, "machine"> {
  const named = entries.flatMap((entry) => entry.rows);
  const rows = named.map(({ name, ours }, i): Row => {
    const seconds = samples[i]?.seconds ?? [];
    const middle = median(seconds);
    return {
      name,
      ours,
      seconds: middle,
      range: [Math.min(...seconds), Math.max(...seconds)],
      rate: bytes === 0 ? undefined : bytes / middle / 1e9,
      peakBytes: Math.max(...samples[i]?.peakBytes ?? [0]),
    };
  });
  const secondsOf = (name: string) =>
    samples[named.findIndex((row) => row.name === name)]?.seconds;
  const runtimes = new Set(named.flatMap(({ runtime }) => runtime ?? []));
  const results = targets.flatMap(({ ratio: wanted, of, label = "" }) =>
    [...runtimes].flatMap((runtime): TargetResult[] => {
      const name = `${runtime}${label}`;
      const peer = of.replace("{}", runtime);
      const theirs = secondsOf(peer);
      const mine = secondsOf(name);
      if (theirs === undefined || mine === undefined) return [];
      const ratios = mine.map((seconds, i) => (theirs[i] ?? NaN) / seconds);
      return [{ name, of: peer, wanted, ratio: median(ratios) }];
    })
  );
  const isMissed = results.some(({ ratio, wanted }) => ratio < wanted);
  return {
    id,
    title,
    bytes,
    rounds,
    rows,
    results,
    obstacle: isMissed ? obstacle : undefined,
  };
}
