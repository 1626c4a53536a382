/**
 * When the power is cut, and which unflushed writes the disk keeps.
 *
 * @module
 */

import type { Random } from "../../tests/support/random.ts";
import type { Cut, Entry, Piece, Range } from "./log.ts";

/** The sizes of the sectors that a disk writes whole, or not at all. */
const SECTOR_BYTES = [512, 4096];

/** The probability that an unflushed write is kept. */
const KEPT_PROBABILITIES = [0.2, 0.5, 0.8];

const TORN_PROBABILITY = 0.3;

/** A write that has not been flushed. */
interface Pending extends Piece {
  readonly offset: number;
}

/** Which part of the log is cut, and how. */
export interface CutOptions {
  /** Where in the log the work begins and ends. */
  readonly begin: number;
  readonly end: number;
  readonly random: Random;
  /** How many random choices of kept writes there are at a flush. */
  readonly seeds: number;
  /** Ranges that are never torn. */
  readonly whole: readonly Range[];
}

/** Some sectors at the beginning, in the middle, or at the end of a write. */
function tear(piece: Pending, random: Random): Pending {
  const sector = random.pick(SECTOR_BYTES);
  const count = Math.ceil(piece.length / sector);
  const first = random.integer(count);
  const end = first + 1 + random.integer(count - first);
  const from = first * sector;
  return {
    ...piece,
    from,
    length: Math.min(piece.length, end * sector) - from,
  };
}

function overlaps(a: Range, b: Range): boolean {
  return a.offset < b.offset + b.length && b.offset < a.offset + a.length;
}

/** Any of the writes, some of them in part. */
function keepSome(
  pending: readonly Pending[],
  { random, whole }: CutOptions,
): readonly Pending[] {
  const probability = random.pick(KEPT_PROBABILITIES);
  return pending.filter(() => random.chance(probability)).map((piece) =>
    random.chance(TORN_PROBABILITY) &&
      !whole.some((range) => overlaps(range, piece))
      ? tear(piece, random)
      : piece
  );
}

/** The writes that may be kept at one position; `isKey` asks for more choices. */
function choicesOf(
  pending: readonly Pending[],
  isKey: boolean,
  options: CutOptions,
): (readonly Pending[])[] {
  // Only one disk can be left; unless the position is a key one, it was tried at
  // the position before.
  if (pending.length === 0) return isKey ? [[]] : [];
  const some = Array.from(
    { length: isKey ? options.seeds : 1 },
    () => keepSome(pending, options),
  );
  return isKey ? [[], pending, ...some] : some;
}

/**
 * Power cuts between the entries `begin` and `end`: at each flush and after each
 * mark, with none, all and some of the writes kept that were not flushed; and
 * between any two writes, with some kept. They are in the order of
 * time.
 */
export function* cutsOf(
  entries: readonly Entry[],
  options: CutOptions,
): Generator<Cut> {
  const { begin, end } = options;
  let durable = 0;
  let pending: readonly Pending[] = [];
  for (const [position, entry] of entries.entries()) {
    const isKey = entry.kind === "flush" ||
      entries[position - 1]?.kind === "mark";
    if (position > begin && position <= end) {
      for (const kept of choicesOf(pending, isKey, options)) {
        yield { position, durable, kept };
      }
    }
    if (entry.kind === "flush") {
      durable = position + 1;
      pending = [];
    } else if (entry.kind === "write") {
      const { offset, length } = entry;
      pending = [...pending, { entry: position, offset, from: 0, length }];
    }
  }
}

/** That many of the items, chosen at random, in their order; or all. */
export function sample<T>(
  items: readonly T[],
  count: number,
  random: Random,
): T[] {
  let missing = count;
  return items.filter((_, i) => {
    const isChosen = random.integer(items.length - i) < missing;
    if (isChosen) missing--;
    return isChosen;
  });
}

/** Puts the items into a random order. */
export function shuffle<T>(items: T[], random: Random): void {
  const keys = new Map(items.map((item) => [item, random.integer(2 ** 31)]));
  items.sort((a, b) => (keys.get(a) ?? 0) - (keys.get(b) ?? 0));
}
