/**
 * The snapshots that either side writes and the other must read.
 *
 * @module
 */

import type { Configuration, Server, Suffrage } from "@raft/snapshots";
import type { Random } from "../support/random.ts";
import type { Content } from "./wire.ts";

export const SUFFRAGES: readonly Suffrage[] = ["voter", "nonvoter", "staging"];

/** One snapshot to be written. */
export interface Case {
  readonly name: string;
  readonly index: bigint;
  readonly term: bigint;
  readonly configuration: Configuration;
  readonly configurationIndex: bigint;
  readonly content: Content;
}

const KIB = 1024;
const MIB = 1024 * KIB;
const UINT64_MAX = 2n ** 64n - 1n;

const LENGTHS = [0, 1, 13, 64 * KIB - 1, 64 * KIB, 64 * KIB + 1, 5 * MIB];

const INTEGERS = [
  0n,
  1n,
  2n ** 53n - 1n,
  2n ** 53n,
  2n ** 53n + 1n,
  2n ** 63n,
  UINT64_MAX - 1n,
  UINT64_MAX,
];

/** Strings that an encoder may trip over. */
export const HOSTILE_STRINGS: readonly string[] = [
  "",
  " ",
  "null",
  "../../etc",
  "10.0.0.1:7000",
  "[::1]:8300",
  `"quoted" and \\back\\slashed\\`,
  "<script>&amp;</script>",
  "a\u2028b\u2029c",
  "\0\x01\x07\b\t\n\v\f\r\x1b\x1f\x7f\x80\x9f",
  "Zürich 東京 🛟 e\u0301",
  "\ufeffmark\ufeff",
  "\ufffd\ufffe\uffff",
  "\ud800 alone",
  "alone \udfff",
  "\udc00\ud800",
  "\u{10ffff}\u{10000}",
  "__proto__",
  "a".repeat(31),
  "a".repeat(32),
  "é".repeat(128),
  "a".repeat(65_535),
  "a".repeat(65_536),
];

/** A short string of hostile parts. */
export function hostileText(random: Random): string {
  const short = HOSTILE_STRINGS.filter((text) => text.length < 40);
  let text = "";
  for (let n = random.integer(4); n > 0; n--) text += random.pick(short);
  return text;
}

const PLAIN_SERVERS: readonly Server[] = [
  { suffrage: "voter", id: "my id", address: "over here" },
];

const SMALL: Content = { seed: 1, length: 13 };

const USUAL = {
  index: 10n,
  term: 3n,
  configuration: { servers: PLAIN_SERVERS },
  configurationIndex: 2n,
  content: SMALL,
} as const;

function everySuffrage(): Server[] {
  return SUFFRAGES.flatMap((suffrage, i) => [
    { suffrage, id: `first ${i}`, address: `10.0.0.${i}:1` },
    { suffrage, id: `second ${i}`, address: `10.0.1.${i}:1` },
  ]);
}

function hostileServers(): Server[] {
  return HOSTILE_STRINGS.map((text, i) => ({
    suffrage: "voter",
    id: text,
    address: HOSTILE_STRINGS[HOSTILE_STRINGS.length - 1 - i] ?? "",
  }));
}

/** Every case; the names are unique. */
export const MATRIX: readonly Case[] = [
  ...LENGTHS.map((length, i) => ({
    ...USUAL,
    name: `a state of ${length} bytes`,
    content: { seed: i + 1, length },
  })),
  ...INTEGERS.flatMap((integer) => [
    { ...USUAL, name: `index ${integer}`, index: integer },
    { ...USUAL, name: `term ${integer}`, term: integer },
    {
      ...USUAL,
      name: `configuration index ${integer}`,
      configurationIndex: integer,
    },
  ]),
  { ...USUAL, name: "no servers", configuration: { servers: [] } },
  {
    ...USUAL,
    name: "no voters",
    configuration: {
      servers: [{ suffrage: "nonvoter", id: "n", address: "n:1" }],
    },
  },
  {
    ...USUAL,
    name: "servers of every suffrage",
    configuration: { servers: everySuffrage() },
  },
  {
    ...USUAL,
    name: "servers with hostile names",
    configuration: { servers: hostileServers() },
  },
];
