import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { bearerToken } from "@raft/snapshots/http";

describe("bearerToken()", () => {
  const authorize = bearerToken("s3cret.~-_+/==");
  const isLetIn = (authorization?: string) =>
    authorize(
      new Request("http://leader.test/", {
        headers: authorization === undefined ? {} : { authorization },
      }),
    );

  it("lets in who knows the token, whatever the case of the scheme", () => {
    for (const scheme of ["Bearer", "bearer", "BEARER "]) {
      assert.equal(isLetIn(`${scheme} s3cret.~-_+/==`), true);
    }
  });

  it("lets nothing else in", () => {
    const values = [
      undefined,
      "",
      "Bearer",
      "Bearer ",
      "Bearer s3cret.~-_+/=",
      "Bearer s3cret.~-_+/===",
      "Bearer S3cret.~-_+/==",
      "Bearer x",
      "Basic s3cret.~-_+/==",
      "s3cret.~-_+/==",
      "Bearer s3cret.~-_+/== s3cret.~-_+/==",
    ];
    for (const value of values) assert.equal(isLetIn(value), false, value);
  });

  it("takes no token that can't be sent, and no empty one", () => {
    for (const token of ["", " ", "a b", "a\n", "ä", "===", "a,b"]) {
      assert.throws(() => bearerToken(token), RangeError, token);
    }
  });
});
