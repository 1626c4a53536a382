/**
 * How the address of a bucket is made, and what can't be one.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type EndpointOptions,
  resolveEndpoint,
} from "../../../src/backends/s3/endpoint.ts";

const urlOf = (bucket: string, options: EndpointOptions) =>
  resolveEndpoint(bucket, { region: "eu-west-1", ...options }).bucketUrl;

const AWS = "https://s3.eu-west-1.amazonaws.com";

describe("the address of a bucket", () => {
  it("has the bucket in the host for AWS, where that is the same bucket", () => {
    assert.equal(
      urlOf("my-bucket", { endpoint: AWS, pathStyle: false }),
      "https://my-bucket.s3.eu-west-1.amazonaws.com/",
    );
    for (const bucket of ["MyBucket", "my.bucket", "my_bucket"]) {
      assert.equal(
        urlOf(bucket, { endpoint: AWS }),
        `${AWS}/${bucket}/`,
      );
    }
  });

  it("is refused when the bucket can't be a part of the host's name", () => {
    const wrong: readonly (readonly [string, string])[] = [
      ["MyBucket", AWS],
      ["bucket", "http://127.0.0.1:9000"],
      ["bucket", "http://[::1]:9000"],
    ];
    for (const [bucket, endpoint] of wrong) {
      assert.throws(() => urlOf(bucket, { endpoint, pathStyle: false }), {
        name: "TypeError",
        message: /^Cannot use the option pathStyle: found false, with /,
      });
    }
  });
});
