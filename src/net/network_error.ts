/**
 * What the errors of `fetch` say. The runtimes hide the reason in the cause, and
 * each has its own form of it.
 *
 * @module
 */

import { describe, printable } from "../text.ts";

/** What is shown of it, in characters. */
const SHOWN_MAX = 400;

/** An error has a reason, and Node's a reason of that; no more are looked at. */
const CAUSES_MAX = 3;

/**
 * What Node and Bun call a certificate that is not trusted. Not one whose
 * signature is wrong: it may have been damaged on its way.
 */
const CERTIFICATE_CODES: readonly string[] = [
  "CERT_CHAIN_TOO_LONG",
  "CERT_HAS_EXPIRED",
  "CERT_NOT_YET_VALID",
  "CERT_REJECTED",
  "CERT_REVOKED",
  "CERT_UNTRUSTED",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "HOSTNAME_MISMATCH",
  "INVALID_CA",
  "INVALID_PURPOSE",
  "PATH_LENGTH_EXCEEDED",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
];

/** Deno has no code for that, only words. */
const CERTIFICATE_WORDS = /invalid peer certificate: (?!BadSignature)/;

/** What to do about it. */
export const CERTIFICATE_HINT =
  "use the name that the certificate is of, and let the runtime trust the " +
  "authority that has signed it, as docs/http.md says";

/**
 * Whether the other side's certificate is not trusted: no line is broken, and
 * another attempt would end no better.
 */
export function isCertificateError(error: unknown): boolean {
  return withCauses(error).some((each) =>
    CERTIFICATE_CODES.includes(
      String((each as { readonly code?: unknown }).code),
    ) || CERTIFICATE_WORDS.test(describe(each))
  );
}

/** What an error says, with its causes; fit for a terminal. */
export function describeNetwork(error: unknown): string {
  const errors = withCauses(error);
  const texts = errors.length === 0 ? [error] : errors;
  return printable(texts.map(describe).join(": ").slice(0, SHOWN_MAX));
}

function withCauses(error: unknown): Error[] {
  const errors: Error[] = [];
  for (let each = error; each instanceof Error; each = each.cause) {
    if (errors.push(each) === CAUSES_MAX) break;
  }
  return errors;
}
