/**
 * Plans for cutting the power: everywhere, or at some moments.
 *
 * @module
 */

import { amount } from "../support/full_run.ts";
import type { Random } from "../support/random.ts";
import { cuts, type Explorer } from "./explore.ts";
import type { Life } from "./simulation.ts";

/** How many seeds of each kind of power cut there are at one moment. */
const SEEDS = amount(1, 10);

/** Cuts the power at every moment of the scenario, for several schedules. */
export async function cutEverywhere(
  explorer: Explorer,
  random: Random,
): Promise<void> {
  for (let i = 0; i < 8; i++) {
    const schedule = random.integer(2 ** 31);
    const length = await explorer.lengthOf([], schedule);
    for (let steps = 0; steps <= length; steps++) {
      await explorer.survive([], { schedule, steps }, cuts(random, SEEDS));
    }
  }
}

/** Cuts the power at some moments of the last process. */
export async function cutSomewhere(
  explorer: Explorer,
  random: Random,
  { lives, moments }: {
    readonly lives: readonly Life[];
    readonly moments: number;
  },
): Promise<void> {
  const length = await explorer.lengthOf(lives, random.integer(2 ** 31));
  for (let i = 0; i < moments; i++) {
    const last = {
      schedule: random.integer(2 ** 31),
      steps: random.integer(length + 1),
    };
    await explorer.survive(lives, last, cuts(random, SEEDS));
  }
}

/** As `cutSomewhere()`, after first processes that end at random moments. */
export async function cutLater(
  explorer: Explorer,
  random: Random,
  chooseEnd: () => Life["end"],
): Promise<void> {
  const length = await explorer.lengthOf([], random.integer(2 ** 31));
  for (let i = 0; i < amount(2, 160); i++) {
    const life = {
      schedule: random.integer(2 ** 31),
      steps: random.integer(length + 1),
      end: chooseEnd(),
    };
    const moments = amount(3, 10);
    await cutSomewhere(explorer, random, { lives: [life], moments });
  }
}
