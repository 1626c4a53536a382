/**
 * Runs the steps of a test run, a few at a time.
 *
 * @module
 */

import { attempt, type Outcome, type Result } from "./outcome.ts";
import { reportStep } from "./report.ts";

/** How many steps run side by side: more only helps where there are more cores. */
const LANES = 2;

/** A step that has its turn. */
export interface Step {
  readonly name: string;
  readonly run: () => Promise<Result>;
}

/** Runs the steps in their order, a few at a time, and shows each. */
export async function runSteps(steps: readonly Step[]): Promise<Outcome[]> {
  const outcomes = steps.map(() => Promise.withResolvers<Outcome>());
  let next = 0;
  const lane = async () => {
    while (next < steps.length) {
      const turn = next++;
      const step = steps[turn];
      if (step === undefined) return;
      outcomes[turn]?.resolve(await attempt(step.name, step.run));
    }
  };
  const lanes = Array.from({ length: LANES }, lane);
  for (const { promise } of outcomes) reportStep(await promise);
  await Promise.all(lanes);
  return await Promise.all(outcomes.map(({ promise }) => promise));
}
