/**
 * A process ends after each request of its work: the next one finds a bucket in
 * which every promise is kept.
 */

import { describe, it } from "node:test";
import { amount, report } from "../support/full_run.ts";
import { isRealServer, QUICK } from "../support/s3/bucket.ts";
import { FaultyNetwork } from "../support/s3/faults.ts";
import { Workload } from "./workload.ts";

/** Works until a request; nothing after that one reaches the server. */
async function runUntil(number: number, isCarriedOut: boolean) {
  const workload = new Workload();
  const network = new FaultyNetwork(workload.bucket.fetch, (request) => {
    if (request.number < number) return undefined;
    const isLast = request.number === number;
    return isLast && isCarriedOut ? "lost answer" : "lost request";
  });
  const retry = { ...QUICK, budgetMs: 0 };
  await workload.run(network.fetch, retry).catch(() => {});
  await network.settled();
  await workload.check();
  return network.requests.length > number;
}

describe("a process that ends after a request", () => {
  for (const isCarriedOut of [true, false]) {
    const which = isCarriedOut ? "was carried out" : "did not arrive";
    it(`leaves a bucket that keeps every promise, when that ${which}`, async () => {
      const step = amount(isRealServer ? 15 : 5, 1);
      for (let number = isCarriedOut ? 0 : 2;; number += step) {
        if (!await runUntil(number, isCarriedOut)) break;
        report("requests after which a process ended", 1);
      }
    });
  }
});
