import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { StoreAccessError } from "@raft/snapshots";
import { makeBucket } from "../support/s3/bucket.ts";

describe("a bucket that is opened with a wrong key", () => {
  it("is refused, with the key that is to be checked", async () => {
    const cases = [
      [{ accessKeyId: "nokey", secretAccessKey: "secret" }, "access key"],
      [{ accessKeyId: "key", secretAccessKey: "not-that-one" }, "secret key"],
    ] as const;
    for (const [credentials, what] of cases) {
      await assert.rejects(makeBucket().open({ credentials }), (error) => {
        assert.ok(error instanceof StoreAccessError);
        assert.match(error.message, new RegExp(`; check the ${what}, and `));
        assert.doesNotMatch(error.message, /not-that-one/);
        return true;
      });
    }
  });
});
