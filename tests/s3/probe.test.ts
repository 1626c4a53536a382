import { describe, it } from "node:test";
import { isRealServer, makeBucket } from "../support/s3/bucket.ts";
import { ProbedServer, PROBES } from "../support/s3/probe.ts";

describe(`the server ${isRealServer ? "of this run" : "in memory"}`, () => {
  for (const { name, run } of PROBES) {
    it(`behaves as the store needs it: ${name}`, async () => {
      await run(new ProbedServer(makeBucket()));
    });
  }
});
