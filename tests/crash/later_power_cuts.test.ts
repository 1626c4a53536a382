import { describe, it } from "node:test";
import { random } from "../support/random.ts";
import { cutAfterEarlierCrash } from "./cut_plans.ts";
import { cuts, Explorer, seed } from "./explore.ts";
import { scenarios } from "./scenarios.ts";

describe("a store survives a power cut after an earlier power cut", () => {
  for (const [i, { name }] of scenarios.entries()) {
    it(`when it ${name}`, async () => {
      const explorer = new Explorer(name);
      const chance = random(seed + 100 + i);
      await cutAfterEarlierCrash(
        explorer,
        chance,
        () => chance.pick(cuts(chance, 1)),
      );
      explorer.report();
    });
  }
});

describe("a store survives a power cut after it was killed", () => {
  for (const [i, { name }] of scenarios.entries()) {
    it(`when it ${name}`, async () => {
      const explorer = new Explorer(name);
      await cutAfterEarlierCrash(
        explorer,
        random(seed + 200 + i),
        () => "kill",
      );
      explorer.report();
    });
  }
});
