/** `--keep-last 7 --keep-daily 30 ...`: a retention policy on the command line. */

import { type Command, InvalidArgumentError } from "commander";
import type { RetentionPeriod, RetentionPolicy } from "../../mod.ts";

/** The options as they are parsed. */
export interface RetentionFlags {
  readonly keepLast?: number;
  readonly keepHourly?: number;
  readonly keepDaily?: number;
  readonly keepWeekly?: number;
  readonly keepMonthly?: number;
  readonly keepYearly?: number;
  readonly keepWithin?: RetentionPeriod;
}

/** Adds the options to a command. */
export function addRetentionOptions(command: Command): Command {
  const newestOfEach = (period: string) =>
    `keep the newest of each of the last N ${period} that have one`;
  return command
    .option(
      "--keep-last <N>",
      "keep the newest N; N may be unlimited, here and below",
      parseCount,
    )
    .option("--keep-hourly <N>", newestOfEach("hours"), parseCount)
    .option("--keep-daily <N>", newestOfEach("days"), parseCount)
    .option("--keep-weekly <N>", newestOfEach("weeks"), parseCount)
    .option("--keep-monthly <N>", newestOfEach("months"), parseCount)
    .option("--keep-yearly <N>", newestOfEach("years"), parseCount)
    .option(
      "--keep-within <PERIOD>",
      "keep all that are not older than the newest by more than years, months, " +
        "days and hours, such as 2y5m7d3h",
      parsePeriod,
    );
}

/** The policy of the options; `undefined` when none of them was given. */
export function policyOf(flags: RetentionFlags): RetentionPolicy | undefined {
  const policy: RetentionPolicy = {
    last: flags.keepLast,
    hourly: flags.keepHourly,
    daily: flags.keepDaily,
    weekly: flags.keepWeekly,
    monthly: flags.keepMonthly,
    yearly: flags.keepYearly,
    within: flags.keepWithin,
  };
  const isGiven = Object.values(policy).some((rule) => rule !== undefined);
  return isGiven ? policy : undefined;
}

function parseCount(text: string): number {
  if (text === "unlimited") return Infinity;
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new InvalidArgumentError("Expected an integer of 1 or more.");
}

const UNITS = {
  y: "years",
  m: "months",
  d: "days",
  h: "hours",
} as const satisfies Readonly<Record<string, keyof RetentionPeriod>>;

function parsePeriod(text: string): RetentionPeriod {
  const parts = /^(\d{1,6}[ymdh])+$/.test(text)
    ? [...text.matchAll(/(\d+)([ymdh])/g)]
    : [];
  const period = Object.fromEntries(
    parts.map(([, count, unit]) => [UNITS[unit as "y"], Number(count)]),
  );
  const isEachOnce = Object.keys(period).length === parts.length;
  const hasLength = Object.values(period).some((count) => count > 0);
  if (isEachOnce && hasLength) return period;
  throw new InvalidArgumentError(
    "Expected years, months, days and hours, such as 2y5m7d3h or 14d.",
  );
}
