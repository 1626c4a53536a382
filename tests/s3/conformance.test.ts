import { describe, it } from "node:test";
import { snapshotStoreConformance } from "@raft/snapshots/testing";
import { makeBucket } from "../support/s3/bucket.ts";

describe("a store in object storage", () => {
  const checks = snapshotStoreConformance(async () => {
    const bucket = makeBucket();
    return {
      store: await bucket.open({ retain: 3 }),
      corrupt: (id) => bucket.corrupt(id),
      unseal: (id) => bucket.remove(id, "blocks.crc64"),
    };
  }, { retain: 3, damages: ["corrupt", "unseal"] });
  for (const { name, run } of checks) it(name, run);
});
