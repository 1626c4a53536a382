/**
 * Which backups to keep, by their age: the policy that restic's `forget` made
 * known, with its words and its meaning (`ApplyPolicy` in restic's
 * `snapshot_policy.go`).
 *
 * @module
 */

import { type OptionNames, requireKnown } from "../option_names.ts";

/** A span of calendar time. */
export interface RetentionPeriod {
  /** Calendar years. @default {0} */
  readonly years?: number | undefined;
  /** Calendar months. @default {0} */
  readonly months?: number | undefined;
  /** Calendar days. @default {0} */
  readonly days?: number | undefined;
  /** Hours. @default {0} */
  readonly hours?: number | undefined;
}

/**
 * Which items to keep. An item is kept when any rule keeps it; 0 turns a rule
 * off, and `Infinity` keeps all that the rule counts. Hours, days, weeks (from
 * Monday), months and years are those of the calendar in the local time zone,
 * and only those count in which there is an item.
 */
export interface RetentionPolicy {
  /** Keep the newest `last`. */
  readonly last?: number | undefined;
  /** Keep the newest of each of the last `hourly` hours. */
  readonly hourly?: number | undefined;
  /** Keep the newest of each of the last `daily` days. */
  readonly daily?: number | undefined;
  /** Keep the newest of each of the last `weekly` weeks. */
  readonly weekly?: number | undefined;
  /** Keep the newest of each of the last `monthly` months. */
  readonly monthly?: number | undefined;
  /** Keep the newest of each of the last `yearly` years. */
  readonly yearly?: number | undefined;
  /** Keep all that are not older than the newest by more than this. */
  readonly within?: RetentionPeriod | undefined;
}

/** Options of {@linkcode applyRetentionPolicy}. */
export interface RetentionOptions<T> {
  /** When an item was made. */
  readonly timeOf: (item: T) => Date;
  /** Why an item is kept whatever the policy says; `undefined` if it is not. */
  readonly protect?: ((item: T) => string | undefined) | undefined;
  /**
   * The time now: `within` is not counted from an item of the future, which a
   * wrong clock has made. @default {new Date()}
   */
  readonly now?: Date | undefined;
}

/** The decision about one item. */
export interface RetentionDecision<T> {
  /** The item. */
  readonly item: T;
  /** Whether it is kept. */
  readonly keep: boolean;
  /** Why it is kept, such as `"daily"` or `"within"`; empty if it is not. */
  readonly reasons: readonly string[];
}

/**
 * A rule that counts: the name of its option, and the periods that it counts.
 */
interface Rule {
  readonly name: "last" | "hourly" | "daily" | "weekly" | "monthly" | "yearly";
  /** Equal for the times of which only the newest is kept. */
  readonly periodOf: (time: Date, position: number) => number;
}

const RULES: readonly Rule[] = [
  { name: "last", periodOf: (_, position) => position },
  { name: "hourly", periodOf: hourOf },
  { name: "daily", periodOf: dayOf },
  // Day 0, 1970-01-01, was a Thursday.
  { name: "weekly", periodOf: (time) => Math.floor((dayOf(time) + 3) / 7) },
  {
    name: "monthly",
    periodOf: (time) => time.getFullYear() * 12 + time.getMonth(),
  },
  { name: "yearly", periodOf: (time) => time.getFullYear() },
];

const PERIODS: OptionNames<RetentionPeriod> = {
  years: true,
  months: true,
  days: true,
  hours: true,
};

const POLICY: OptionNames<RetentionPolicy> = {
  last: true,
  hourly: true,
  daily: true,
  weekly: true,
  monthly: true,
  yearly: true,
  within: true,
};

/**
 * Decides which items to keep, newest first in the result. A policy without a
 * rule keeps all items. The oldest item is kept as long as a rule has counts
 * left, so that the history reaches as far back as it can. Nothing is changed.
 *
 * @throws {TypeError} when the policy has a rule that does not exist.
 * @throws {RangeError} when a count is neither an integer of 0 or more nor
 * `Infinity`, a period is not made of integers of 0 or more, or an item's time
 * is not valid.
 *
 * @example Keep a week of daily backups
 * ```ts
 * import { applyRetentionPolicy } from "@raft/snapshots";
 * import assert from "node:assert/strict";
 *
 * const days = [21, 22, 23].map((day) => new Date(2026, 10, day));
 * const decisions = applyRetentionPolicy(days, { daily: 2 }, {
 *   timeOf: (day) => day,
 * });
 * assert.deepEqual(decisions.map(({ keep }) => keep), [true, true, false]);
 * ```
 */
export function applyRetentionPolicy<T>(
  items: readonly T[],
  policy: RetentionPolicy,
  { timeOf, protect = () => undefined, now = new Date() }: RetentionOptions<T>,
): RetentionDecision<T>[] {
  requireKnown(policy, POLICY);
  requireKnown(policy.within ?? {}, PERIODS);
  const counters = RULES.map((rule) => new Counter(rule, policy));
  const dated = items.map((item) => ({ item, time: requireTime(timeOf(item)) }))
    .sort((a, b) => b.time.getTime() - a.time.getTime());
  const times = dated.map(({ time }) => time);
  const isWithin = makeWithin(policy.within, times, now);
  const isEmpty = isWithin === undefined &&
    counters.every(({ isUsed }) => !isUsed);
  return dated.map(({ item, time }, position) => {
    const isOldest = position === dated.length - 1;
    const reason = protect(item);
    const reasons = [
      ...(reason === undefined ? [] : [reason]),
      ...(isEmpty ? ["the policy has no rule"] : []),
      ...(isWithin?.(time) ? ["within"] : []),
      ...counters.flatMap((counter) => counter.take(time, position, isOldest)),
    ];
    return { item, keep: reasons.length > 0, reasons };
  });
}

/** Counts down the items that one rule still keeps. Call it newest first. */
class Counter {
  readonly isUsed: boolean;
  readonly #rule: Rule;
  #left: number;
  #period: number | undefined;

  constructor(rule: Rule, policy: RetentionPolicy) {
    this.#rule = rule;
    this.#left = requireCount(rule.name, policy[rule.name] ?? 0);
    this.isUsed = this.#left > 0;
  }

  /** The reason to keep an item, if there is one. */
  take(time: Date, position: number, isOldest: boolean): string[] {
    if (this.#left === 0) return [];
    const { name, periodOf } = this.#rule;
    const period = periodOf(time, position);
    const isNew = period !== this.#period;
    if (!isNew && !isOldest) return [];
    this.#period = period;
    this.#left--;
    return [isNew ? name : `oldest ${name}`];
  }
}

/** Whether a time is within the period before the newest; none without a period. */
function makeWithin(
  period: RetentionPeriod | undefined,
  newestFirst: readonly Date[],
  now: Date,
): ((time: Date) => boolean) | undefined {
  const count = (name: keyof RetentionPeriod) =>
    requireCount(`within.${name}`, period?.[name] ?? 0);
  const [years, months] = [count("years"), count("months")];
  const [days, hours] = [count("days"), count("hours")];
  if (years + months + days + hours === 0) return undefined;
  const newest = newestFirst.find((time) => time <= now);
  if (newest === undefined) return () => true;
  const start = new Date(newest);
  start.setFullYear(
    newest.getFullYear() - years,
    newest.getMonth() - months,
    newest.getDate() - days,
  );
  const startMs = start.getTime() - hours * 3_600_000;
  // The period begins before the earliest time of a Date: all items are within.
  return (time) => Number.isNaN(startMs) || time.getTime() > startMs;
}

/** Milliseconds since 1970, as the clocks on the wall count them. */
function localMs(time: Date): number {
  return time.getTime() - time.getTimezoneOffset() * 60_000;
}

function hourOf(time: Date): number {
  return Math.floor(localMs(time) / 3_600_000);
}

function dayOf(time: Date): number {
  return Math.floor(localMs(time) / 86_400_000);
}

function requireCount(name: string, count: number): number {
  const isCount = Number.isSafeInteger(count) && count >= 0;
  if (isCount || count === Infinity) return count;
  throw new RangeError(
    `Cannot use ${name}: found ${String(count)}, expected an integer of 0 or ` +
      "more, or Infinity",
  );
}

function requireTime(time: Date): Date {
  if (!Number.isNaN(time.getTime())) return time;
  throw new RangeError(
    "Cannot apply the policy: found an item whose time is not valid",
  );
}
