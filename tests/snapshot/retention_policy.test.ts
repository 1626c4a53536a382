import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  applyRetentionPolicy,
  type RetentionOptions,
  type RetentionPolicy,
} from "@raft/snapshots";

/** A time in the local zone: `2026-01-31 12:30`. */
const at = (text: string) => new Date(text.replace(" ", "T"));
const timeOf = (text: string) => at(text);

type Options = Partial<RetentionOptions<string>>;

/** The kept times with their reasons, newest first. */
function kept(
  times: readonly string[],
  policy: RetentionPolicy,
  options: Options = {},
): [string, string][] {
  return applyRetentionPolicy(times, policy, { timeOf, ...options })
    .filter(({ keep }) => keep)
    .map(({ item, reasons }) => [item, reasons.join(", ")]);
}

const SCENARIOS: readonly {
  readonly name: string;
  readonly policy: RetentionPolicy;
  readonly times: readonly string[];
  readonly kept: readonly (readonly [string, string])[];
}[] = [
  {
    name: "last counts items, whatever their times",
    policy: { last: 2 },
    times: ["2026-01-01 10:00", "2026-01-01 10:00", "2020-05-05 05:05"],
    kept: [["2026-01-01 10:00", "last"], ["2026-01-01 10:00", "last"]],
  },
  {
    name: "hourly keeps the newest of each hour that has one",
    policy: { hourly: 2 },
    times: [
      "2026-01-02 00:59",
      "2026-01-02 00:00",
      "2026-01-01 20:30",
      "2026-01-01 19:59",
    ],
    kept: [["2026-01-02 00:59", "hourly"], ["2026-01-01 20:30", "hourly"]],
  },
  {
    name: "daily cuts at midnight",
    policy: { daily: 2 },
    times: ["2026-01-02 00:00", "2026-01-01 23:59", "2025-12-31 12:00"],
    kept: [["2026-01-02 00:00", "daily"], ["2026-01-01 23:59", "daily"]],
  },
  {
    name: "weekly cuts at the beginning of Monday, as ISO weeks",
    policy: { weekly: 2 },
    times: [
      "2026-11-23 00:00", // a Monday
      "2026-11-22 23:59",
      "2026-11-16 00:00",
      "2026-11-15 23:59",
    ],
    kept: [["2026-11-23 00:00", "weekly"], ["2026-11-22 23:59", "weekly"]],
  },
  {
    name: "weekly does not cut at a new year",
    policy: { weekly: 2 },
    times: [
      "2026-01-01 12:00",
      "2025-12-31 12:00",
      "2025-12-28 12:00",
      "2024-01-01 00:00",
    ],
    kept: [["2026-01-01 12:00", "weekly"], ["2025-12-28 12:00", "weekly"]],
  },
  {
    name: "monthly tells the same month of two years apart",
    policy: { monthly: 2 },
    times: ["2026-03-01 00:00", "2025-03-31 00:00", "2025-03-30 00:00"],
    kept: [["2026-03-01 00:00", "monthly"], ["2025-03-31 00:00", "monthly"]],
  },
  {
    name: "yearly cuts at the new year",
    policy: { yearly: 1 },
    times: ["2026-01-01 00:00", "2025-12-31 23:59"],
    kept: [["2026-01-01 00:00", "yearly"]],
  },
  {
    name: "the oldest is kept while a rule has counts left",
    policy: { daily: 5 },
    times: ["2026-01-02 12:00", "2026-01-02 11:00", "2026-01-02 10:00"],
    kept: [
      ["2026-01-02 12:00", "daily"],
      ["2026-01-02 10:00", "oldest daily"],
    ],
  },
  {
    name: "within counts back from the newest, and its start is outside",
    policy: { within: { days: 1, hours: 2 } },
    times: ["2026-01-05 12:00", "2026-01-04 10:01", "2026-01-04 10:00"],
    kept: [["2026-01-05 12:00", "within"], ["2026-01-04 10:01", "within"]],
  },
  {
    name: "within knows months and years of the calendar",
    policy: { within: { years: 1, months: 1 } },
    times: ["2026-03-15 12:00", "2025-02-15 12:01", "2025-02-15 12:00"],
    kept: [["2026-03-15 12:00", "within"], ["2025-02-15 12:01", "within"]],
  },
  {
    name: "rules add to each other",
    policy: { last: 1, daily: 2 },
    times: ["2026-01-02 12:00", "2026-01-02 11:00", "2026-01-01 12:00"],
    kept: [["2026-01-02 12:00", "last, daily"], ["2026-01-01 12:00", "daily"]],
  },
  {
    name: "Infinity has no end",
    policy: { last: Infinity },
    times: ["2026-01-02 12:00", "2001-01-02 11:00"],
    kept: [["2026-01-02 12:00", "last"], ["2001-01-02 11:00", "last"]],
  },
  {
    name: "a period without an end keeps all",
    policy: { within: { years: Infinity } },
    times: ["2026-01-02 12:00", "1066-10-14 09:00"],
    kept: [["2026-01-02 12:00", "within"], ["1066-10-14 09:00", "within"]],
  },
  {
    name: "a policy without a rule keeps all",
    policy: { last: 0, within: { days: 0 } },
    times: ["2026-01-02 12:00", "2001-01-02 11:00"],
    kept: [
      ["2026-01-02 12:00", "the policy has no rule"],
      ["2001-01-02 11:00", "the policy has no rule"],
    ],
  },
];

describe("applyRetentionPolicy()", () => {
  for (const { name, policy, times, kept: expected } of SCENARIOS) {
    it(`${name}, in whatever order the items come`, () => {
      assert.deepEqual(kept(times, policy), expected);
      assert.deepEqual(kept(times.toReversed(), policy), expected);
    });
  }

  it("gives every item once, newest first, and leaves its input alone", () => {
    const times = Object.freeze(["2026-01-01 00:00", "2026-01-03 00:00"]);
    const decisions = applyRetentionPolicy(times, { last: 1 }, { timeOf });
    assert.deepEqual(decisions, [
      { item: "2026-01-03 00:00", keep: true, reasons: ["last"] },
      { item: "2026-01-01 00:00", keep: false, reasons: [] },
    ]);
    assert.deepEqual(applyRetentionPolicy([], { last: 1 }, { timeOf }), []);
  });

  it("keeps protected items, and counts them like the others", () => {
    const times = ["2026-01-03 00:00", "2026-01-02 00:00", "2026-01-01 00:00"];
    const protect = (time: string) =>
      time.startsWith("2026-01-01") ? "the newest good one" : undefined;
    assert.deepEqual(kept(times, { last: 1 }, { protect }), [
      ["2026-01-03 00:00", "last"],
      ["2026-01-01 00:00", "the newest good one"],
    ]);
  });

  it("does not count within from a time of the future", () => {
    const times = ["2030-01-01 00:00", "2026-01-02 00:00", "2025-01-01 00:00"];
    const policy = { within: { days: 3 } };
    const now = at("2026-01-02 01:00");
    assert.deepEqual(kept(times, policy, { now }), [
      ["2030-01-01 00:00", "within"],
      ["2026-01-02 00:00", "within"],
    ]);
    const before = at("2020-01-01 00:00");
    assert.equal(kept(times, policy, { now: before }).length, 3);
  });

  it("rejects counts and times that are not valid", () => {
    for (const wrong of [-1, 1.5, NaN, "3" as unknown as number]) {
      assert.throws(() => kept([], { daily: wrong }), RangeError);
      assert.throws(() => kept([], { within: { hours: wrong } }), RangeError);
    }
    assert.throws(() => kept(["yesterday"], { last: 1 }), RangeError);
  });
});
