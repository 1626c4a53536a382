/**
 * Describes errors of `fetch`. The runtimes hide the reason in the cause, each
 * in a form of its own.
 *
 * @module
 */

import { withCauses } from "../system_code.ts";
import { describe, describeWithCauses, printable } from "../text.ts";

/** How many characters of the description are shown. */
const SHOWN_MAX = 400;

/**
 * The codes of Node and Bun for a certificate that is not trusted. A wrong
 * signature is not among them, because the certificate may have been damaged on
 * its way.
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

/** Deno's message; it has no code for that. */
const CERTIFICATE_WORDS = /invalid peer certificate: (?!BadSignature)/;

/** Advice for such a certificate. */
export const CERTIFICATE_HINT =
  "use the name that the certificate is of, and let the runtime trust the " +
  "authority that has signed it, as docs/http.md says";

/**
 * Whether the other side's certificate is not trusted. Another attempt would
 * fail in the same way.
 */
export function isCertificateError(error: unknown): boolean {
  return [...withCauses(error)].some((each) =>
    each instanceof Error && (
      CERTIFICATE_CODES.includes(
        String((each as { readonly code?: unknown }).code),
      ) || CERTIFICATE_WORDS.test(describe(each))
    )
  );
}

/** The messages of an error and its causes, safe for a terminal. */
export function describeNetwork(error: unknown): string {
  return printable(describeWithCauses(error).slice(0, SHOWN_MAX));
}
