import { after, describe, it } from "node:test";
import { amount, isFullRun, report } from "../support/full_run.ts";
import { type Random, random } from "../support/random.ts";
import { cuts, Explorer, seed } from "./explore.ts";
import type { Life } from "./history.ts";
import { scenarios } from "./scenarios.ts";

/** How many seeds of each kind of power cut there are at one moment. */
const SEEDS = amount(1, 6);

/** Cuts the power at every moment of the scenario, for several schedules. */
async function cutEverywhere(explorer: Explorer, random: Random) {
  for (let i = 0; i < 3; i++) {
    const schedule = random.integer(2 ** 31);
    const length = await explorer.lengthOf([], schedule);
    for (let steps = 0; steps <= length; steps++) {
      await explorer.survive([], { schedule, steps }, cuts(random, SEEDS));
    }
  }
}

/** Cuts the power at some moments of the last process. */
async function cutSomewhere(
  explorer: Explorer,
  random: Random,
  { lives, moments }: {
    readonly lives: readonly Life[];
    readonly moments: number;
  },
) {
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
async function cutLater(
  explorer: Explorer,
  random: Random,
  chooseEnd: () => Life["end"],
) {
  const length = await explorer.lengthOf([], random.integer(2 ** 31));
  for (let i = 0; i < amount(2, 60); i++) {
    const life = {
      schedule: random.integer(2 ** 31),
      steps: random.integer(length + 1),
      end: chooseEnd(),
    };
    const moments = amount(3, 12);
    await cutSomewhere(explorer, random, { lives: [life], moments });
  }
}

describe("a store", () => {
  const explorers: Explorer[] = [];
  after(() => {
    for (const { images, distinct } of explorers) {
      report("power cuts", images);
      report("power cuts with a result of their own", distinct);
    }
  });
  for (const [i, { name }] of scenarios.entries()) {
    const start = (nth: number) => {
      const explorer = new Explorer(name);
      explorers.push(explorer);
      return { explorer, random: random(seed + 100 * nth + i) };
    };

    it(`survives a power cut when it ${name}`, async () => {
      const { explorer, random } = start(0);
      if (isFullRun) await cutEverywhere(explorer, random);
      else await cutSomewhere(explorer, random, { lives: [], moments: 16 });
    });

    it(`survives a second power cut, after one when it ${name}`, async () => {
      const { explorer, random } = start(1);
      await cutLater(explorer, random, () => random.pick(cuts(random, 1)));
    });

    it(`survives a power cut after it was killed when it ${name}`, async () => {
      const { explorer, random } = start(2);
      await cutLater(explorer, random, () => "kill");
    });
  }
});
