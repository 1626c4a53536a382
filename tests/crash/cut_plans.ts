/**
 * Which power cuts are tried: one at every step of a process, or a sample.
 *
 * @module
 */

import { amount, sample } from "../support/full_run.ts";
import type { Random } from "../support/random.ts";
import { cuts, type Explorer } from "./explore.ts";
import type { Process } from "./simulation.ts";

/** How many seeds of each kind of power cut are tried at one step. */
const SEEDS = amount(1, 10);

/** Cuts the power at every step of the scenario, for several schedules. */
export async function cutAtEveryStep(
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

/** Cuts the power at some steps of the last process. */
export async function cutAtSomeSteps(
  explorer: Explorer,
  random: Random,
  { processes, count }: {
    readonly processes: readonly Process[];
    /** How many steps are tried. */
    readonly count: number;
  },
): Promise<void> {
  const length = await explorer.lengthOf(processes, random.integer(2 ** 31));
  for (let i = 0; i < count; i++) {
    const last = {
      schedule: random.integer(2 ** 31),
      steps: random.integer(length + 1),
    };
    await explorer.survive(processes, last, cuts(random, SEEDS));
  }
}

/** As `cutAtSomeSteps()`, after a first process that ends at a random step. */
export async function cutAfterEarlierCrash(
  explorer: Explorer,
  random: Random,
  chooseEnd: () => Process["end"],
): Promise<void> {
  const length = await explorer.lengthOf([], random.integer(2 ** 31));
  for (let i = 0; i < sample(2, 160); i++) {
    const process = {
      schedule: random.integer(2 ** 31),
      steps: random.integer(length + 1),
      end: chooseEnd(),
    };
    const count = amount(3, 10);
    await cutAtSomeSteps(explorer, random, { processes: [process], count });
  }
}
