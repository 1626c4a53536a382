/**
 * Each request of a workload fails, in each way that networks and servers fail.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { amount, report } from "../support/full_run.ts";
import { isRealServer, QUICK } from "../support/s3/bucket.ts";
import {
  type Fault,
  type FaultPlan,
  FAULTS,
  FaultyNetwork,
} from "../support/s3/faults.ts";
import { Workload } from "./workload.ts";

let counting: Promise<number> | undefined;

/** How many requests the workload makes. */
function countRequests(): Promise<number> {
  return counting ??= (async () => {
    const workload = new Workload();
    const network = new FaultyNetwork(workload.bucket.fetch);
    await workload.run(network.fetch, QUICK);
    await workload.check();
    return network.requests.length;
  })();
}

/** Runs the workload on a network that fails as planned. */
async function runWith(plan: FaultPlan, budgetMs: number): Promise<unknown> {
  const workload = new Workload();
  const network = new FaultyNetwork(workload.bucket.fetch, plan);
  const retry = { ...QUICK, budgetMs };
  const stallTimeoutMs = isRealServer ? 250 : 40;
  const failure = await workload.run(network.fetch, retry, stallTimeoutMs)
    .then(() => undefined, (error) => error);
  await network.settled();
  await workload.check();
  return failure;
}

/**
 * A sample of the requests; all of them in the full run. The server in memory has
 * more of them, because it answers sooner.
 */
function sample(count: number, salt: number): number[] {
  const step = amount(isRealServer ? 48 : 16, 1);
  return Array.from({ length: count }, (_, i) => i)
    .filter((i) => (i + salt) % step === 0);
}

describe("a network that fails once", () => {
  for (const [salt, fault] of FAULTS.entries()) {
    it(`does no harm, and is not seen: ${fault}`, async () => {
      for (const number of sample(await countRequests(), salt)) {
        const plan: FaultPlan = (request) =>
          request.number === number ? fault : undefined;
        const failure = await runWith(plan, 20_000);
        assert.equal(failure, undefined, `request ${number}: ${failure}`);
        report("requests that failed once", 1);
      }
    });
  }
});

describe("a network that fails each time for one request", () => {
  const lasting: readonly Fault[] = [
    "lost request",
    "lost answer",
    "500 after",
  ];
  for (const [salt, fault] of lasting.entries()) {
    it(`never shows half a snapshot, and loses none: ${fault}`, async () => {
      for (const number of sample(await countRequests(), salt)) {
        let name: string | undefined;
        const plan: FaultPlan = (request) => {
          if (request.number === number) name = request.name;
          return request.name === name ? fault : undefined;
        };
        await runWith(plan, 5);
        report("requests that failed for good", 1);
      }
    });
  }
});
