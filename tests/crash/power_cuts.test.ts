import { describe, it } from "node:test";
import { isFullRun, sample } from "../support/full_run.ts";
import { random } from "../support/random.ts";
import { cutAtEveryStep, cutAtSomeSteps } from "./cut_plans.ts";
import { cuts, Explorer, seed } from "./explore.ts";
import { scenarios } from "./scenarios.ts";

describe("a store survives a power cut", () => {
  for (const [i, { name }] of scenarios.entries()) {
    it(`when it ${name}`, async () => {
      const explorer = new Explorer(name);
      const chance = random(seed + i);
      if (isFullRun) await cutAtEveryStep(explorer, chance);
      else {
        const count = sample(16, 16);
        await cutAtSomeSteps(explorer, chance, { processes: [], count });
      }
      explorer.report();
    });
  }
});

describe("an archive that export writes", () => {
  it("is whole, or the file as it was before, after a power cut at any step", async () => {
    const explorer = new Explorer("exports archives, one in place of another");
    const schedule = 1;
    const length = await explorer.lengthOf([], schedule);
    for (let steps = 0; steps <= length; steps++) {
      await explorer.survive([], { schedule, steps }, cuts(random(steps), 1));
    }
    explorer.report();
  });
});
