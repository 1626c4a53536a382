import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  describeNetwork,
  isCertificateError,
} from "../../src/net/network_error.ts";

const withCode = (code: string) => Object.assign(new Error("no"), { code });
const failed = (cause: unknown) => new TypeError("fetch failed", { cause });

describe("an error of fetch", () => {
  it("is about a certificate in the form of each runtime", () => {
    const errors = [
      failed(withCode("UNABLE_TO_VERIFY_LEAF_SIGNATURE")),
      failed(withCode("ERR_TLS_CERT_ALTNAME_INVALID")),
      withCode("CERT_HAS_EXPIRED"),
      failed(
        new Error("client error: invalid peer certificate: UnknownIssuer"),
      ),
    ];
    assert.deepEqual(errors.map(isCertificateError), [true, true, true, true]);
  });

  it("is not about a certificate when the line may have damaged that", () => {
    const errors = [
      failed(withCode("ECONNRESET")),
      withCode("CERT_SIGNATURE_FAILURE"),
      failed(new Error("invalid peer certificate: BadSignature")),
      failed(undefined),
      undefined,
      null,
      "text",
    ];
    assert.deepEqual(errors.filter(isCertificateError), []);
  });

  it("is told with its causes, on one line that is not too long", () => {
    const chain = (...messages: string[]) =>
      messages.reduceRight<Error | undefined>(
        (cause, message) => new Error(message, { cause }),
        undefined,
      );
    assert.equal(describeNetwork(chain("a", "b", "c", "d")), "a: b: c");
    // Each runtime's and this library's errors may name their causes already.
    assert.equal(describeNetwork(chain("a: b", "b", "a: b")), "a: b");
    // Node's, when a host has several addresses.
    const refused = ["connect ECONNREFUSED ::1:80", "other"].map(Error);
    assert.equal(
      describeNetwork(new AggregateError(refused)),
      refused[0]?.message,
    );
    assert.equal(describeNetwork(null), "null");
    assert.equal(describeNetwork(failed("text")), "fetch failed");
    const long = describeNetwork(new Error(`\x1b${"x".repeat(9_000)}`));
    assert.match(long, /^\\u001bx{300,399}$/);
  });
});
