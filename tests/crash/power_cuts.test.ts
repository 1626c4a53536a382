import { describe, it } from "node:test";
import { isFullRun } from "../support/full_run.ts";
import { random } from "../support/random.ts";
import { cutEverywhere, cutSomewhere } from "./cutting.ts";
import { Explorer, seed } from "./explore.ts";
import { scenarios } from "./scenarios.ts";

describe("a store survives a power cut", () => {
  for (const [i, { name }] of scenarios.entries()) {
    it(`when it ${name}`, async () => {
      const explorer = new Explorer(name);
      const chance = random(seed + i);
      if (isFullRun) await cutEverywhere(explorer, chance);
      else await cutSomewhere(explorer, chance, { lives: [], moments: 16 });
      explorer.report();
    });
  }
});
