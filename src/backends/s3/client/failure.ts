/**
 * The error of a failed request, as the server or the network reports it.
 *
 * @module
 */

import { StoreAccessError } from "../../../errors.ts";
import {
  CERTIFICATE_HINT,
  isCertificateError,
} from "../../../net/network_error.ts";
import { printable } from "../../../text.ts";

/** How many characters of a server's text are shown. */
const SHOWN_MAX = 200;

/** The fields of a failed request. */
export interface S3FailureDetails {
  /** The HTTP status; 0 when there was no answer, or not all of one. */
  readonly status: number;
  /** The code of S3, such as `"AccessDenied"`; none when it did not give one. */
  readonly code?: string | undefined;
  /** The server's message, or the failure in words. */
  readonly text: string;
  /** How long the server asks to wait, in milliseconds. */
  readonly retryAfterMs?: number | undefined;
  /** The region that the server says that the bucket is in. */
  readonly region?: string | undefined;
  /** The lower error. */
  readonly cause?: unknown;
}

/** A request that failed. */
export class S3Failure extends Error {
  override readonly name = "S3Failure";
  /** The HTTP status; 0 when there was no answer, or not all of one. */
  readonly status: number;
  /** The code of S3, such as `"AccessDenied"`. */
  readonly code: string | undefined;
  /** How long the server asks to wait, in milliseconds. */
  readonly retryAfterMs: number | undefined;
  /** The region that the server names. */
  readonly region: string | undefined;

  constructor(details: S3FailureDetails) {
    super(details.text, { cause: details.cause });
    this.status = details.status;
    this.code = details.code;
    this.retryAfterMs = details.retryAfterMs;
    this.region = details.region;
  }

  /** Whether the request may or may not have been carried out. */
  get isInDoubt(): boolean {
    return this.status === 0 && !this.isUntrusted || this.isThrottled ||
      this.status >= 500 && this.status !== 501;
  }

  /** Whether the server's certificate is not trusted: nothing was sent. */
  get isUntrusted(): boolean {
    return isCertificateError(this.cause);
  }

  /** Whether the same request may succeed in a while. */
  get isTransient(): boolean {
    return this.isInDoubt || this.isConflict;
  }

  /** Whether another operation on the same object was under way. */
  get isConflict(): boolean {
    return this.code === "OperationAborted" ||
      this.code === "ConditionalRequestConflict";
  }

  /**
   * Whether the object, or the upload, is not there. A 404 with another code, or
   * without one, is about the request: the key of the account may be unknown.
   */
  get isMissing(): boolean {
    return this.status === 404 && MISSING_CODES.has(this.code ?? "");
  }

  /** Whether the status is good, and the rest of the answer is not. */
  get isAnswerOdd(): boolean {
    return this.status >= 200 && this.status < 300;
  }

  /** Whether a condition of the request does not hold. */
  get isUnmet(): boolean {
    return this.status === 412;
  }

  /** Whether the server denies the request to these credentials. */
  get isDenied(): boolean {
    return this.status === 403 && !CREDENTIALS_CODES.has(this.code ?? "");
  }

  get #throttleCode(): boolean {
    return this.code === "RequestTimeout" || this.code === "SlowDown";
  }

  private get isThrottled(): boolean {
    return this.status === 408 || this.status === 429 || this.#throttleCode;
  }
}

/** Codes with status 404 that are about one object or upload. */
const MISSING_CODES: ReadonlySet<string> = new Set([
  "NoSuchKey",
  "NoSuchUpload",
  "NoSuchVersion",
  "NotFound",
]);

/** Codes with status 403 that are about every request. */
const CREDENTIALS_CODES: ReadonlySet<string> = new Set([
  "InvalidAccessKeyId",
  "SignatureDoesNotMatch",
  "RequestTimeTooSkewed",
  "ExpiredToken",
  "InvalidToken",
]);

const KEY_ADVICE = "check the access key, and that it is of this endpoint";

const CONFLICT_ADVICE =
  "another operation on the object was under way; try again";

/** Advice for a failure, by the code of S3 or the HTTP status. */
const ADVICE: Readonly<Record<string, string>> = {
  NoSuchBucket: "create the bucket, or check its name and the endpoint",
  InvalidBucketName: "check the bucket's name",
  AccessDenied: "give the credentials the rights that " +
    "docs/object_storage.md lists",
  InvalidAccessKeyId: KEY_ADVICE,
  XAdminUserNotFound: KEY_ADVICE, // of versitygw
  SignatureDoesNotMatch: "check the secret key, and the region",
  RequestTimeTooSkewed: "set the clock of this machine",
  ExpiredToken: "renew the credentials",
  InvalidToken: "check the session token",
  AuthorizationHeaderMalformed: "give the bucket's region",
  PermanentRedirect: "give the bucket's region or its own endpoint",
  NotImplemented: "the server lacks a feature; docs/object_storage.md says " +
    "which options do without",
  ConditionalRequestConflict: CONFLICT_ADVICE,
  OperationAborted: CONFLICT_ADVICE,
  SlowDown: "the server is overloaded; try again later",
  PreconditionFailed: "another writer has put the object",
  InvalidObjectState: "the object is archived: restore it first",
};

/** Advice for a failure without a known code. */
function adviceByStatus(
  { status, code, region, isUntrusted }: S3Failure,
): string {
  if (region !== undefined) return "give the bucket's region";
  if (isUntrusted) return CERTIFICATE_HINT;
  if (status === 0) return "check the endpoint and the network";
  if (status >= 300 && status < 400) return "check the endpoint and region";
  if (status === 401 || status === 403) {
    return "check the credentials and their rights";
  }
  if (status >= 500) return "try again later";
  if (code !== undefined) return "the code of the server says why";
  return "check the endpoint: it must be that of an S3-compatible server";
}

/** The error when it is unknown whether an object was, or will be, written. */
export class InDoubtError extends Error {
  override readonly name = "InDoubtError";

  constructor(cause: unknown) {
    super("The object may have been written", { cause });
  }
}

/** The error for callers, which says what to do. */
export function toAccessError(doing: string, error: unknown): unknown {
  // Callers need not know of the doubt, because such an object is invisible.
  if (error instanceof InDoubtError) return toAccessError(doing, error.cause);
  if (!(error instanceof S3Failure)) return error;
  const { code, region } = error;
  const advice = ADVICE[code ?? ""] ?? adviceByStatus(error);
  const place = region === undefined ? "" : ` (the server names ${region})`;
  return new StoreAccessError(
    `Cannot ${doing}: ${error.message}; ${advice}${place}`,
    { cause: error },
  );
}

/** A text of the server, cut and in quotes. */
export function quoteAnswer(text: string): string {
  const shown = text.length > SHOWN_MAX
    ? `${text.slice(0, SHOWN_MAX)}...`
    : text;
  return printable(JSON.stringify(shown));
}
