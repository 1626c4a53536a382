/**
 * Turns answers that are not a success into errors.
 *
 * @module
 */

import {
  SnapshotCorruptError,
  SnapshotError,
  SnapshotNotFoundError,
  SnapshotUnreadableError,
  StoreAccessError,
  UnsupportedSnapshotVersionError,
} from "../../errors.ts";
import { BodyTooLongError, type Exchange } from "../../net/exchange.ts";
import { StallError } from "../../net/stall_error.ts";
import { isTransient, retryAfterMs } from "../../net/status.ts";
import { type Problem, PROBLEM_TYPE, type ProblemCode } from "./protocol.ts";

/** A longer problem is not read. */
const PROBLEM_SIZE_MAX = 8 * 1024;

/** The subject of a request, for messages. */
export interface Asked {
  /** Such as "meta.json of snapshot 3-10-1". */
  readonly what: string;
  /** The snapshot that it is about; none for the list. */
  readonly id?: string | undefined;
  /** The server. */
  readonly place: string;
  /** Whether the snapshot may lack it. */
  readonly isOptional?: boolean | undefined;
}

/** The snapshot has no block checksums; it is not a failure. */
export class NoBlocksError extends SnapshotError {
  constructor(what: string) {
    super(`There is no ${what}`);
  }
}

/** An answer other than the expected one, which another attempt may get. */
export class UnexpectedAnswerError extends Error {
  /** The class's name. */
  override readonly name = "UnexpectedAnswerError";
  /** Milliseconds to wait, as the server asks for. */
  readonly afterMs: number;

  constructor(message: string, afterMs = 0) {
    super(message);
    this.afterMs = afterMs;
  }
}

/**
 * Reads an answer that is not a success, and ends the exchange. Resolves to an
 * error of this library when another attempt would end no better, and to an
 * {@linkcode UnexpectedAnswerError} when it may.
 */
export async function refusalOf(
  exchange: Exchange,
  asked: Asked,
): Promise<SnapshotError | UnexpectedAnswerError> {
  const { status, headers } = exchange.response;
  const problem = await readProblem(exchange);
  exchange.end();
  const known = problem && knownError(problem, asked);
  if (known !== undefined && problem?.id !== undefined) {
    // The request may have been damaged, or the answer may belong to another
    // one.
    if (problem.status === status && problem.id === asked.id) return known;
    return new UnexpectedAnswerError("the answer is that to another request");
  }
  if (known !== undefined) return known;
  if (status === 412) return changed(asked);
  // A proxy may have replaced the problem by a page of its own.
  if (status === 404 && asked.isOptional) return new NoBlocksError(asked.what);
  if (isTransient(status) || status >= 200 && status < 300) {
    return new UnexpectedAnswerError(
      `the server answered with status ${status}`,
      retryAfterMs(headers),
    );
  }
  return denied(asked, status);
}

/** The error of a problem's code; `undefined` for a code of other servers. */
function knownError(
  { code, offset }: Problem,
  asked: Asked,
): SnapshotError | undefined {
  // Other servers may have codes such as "constructor", or objects.
  const isKnown = typeof code === "string" && Object.hasOwn(ERRORS, code);
  return isKnown ? ERRORS[code]?.(asked, offset) : undefined;
}

/**
 * The whole body of a good answer. One that is too long is not an error about a
 * snapshot, because a snapshot server checks the lengths of the parts before it
 * sends them; and the next answer would be as long.
 *
 * @throws {StoreAccessError} when it is longer than `sizeMax` bytes.
 */
export async function readAllowed(
  exchange: Exchange,
  sizeMax: number,
  { what, id, place }: Asked,
): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await exchange.readAll(sizeMax);
  } catch (error) {
    if (!(error instanceof BodyTooLongError)) throw error;
    const hint = id === undefined
      ? "reduce the number of snapshots on the server"
      : "look whether the address is that of a snapshot server";
    throw new StoreAccessError(
      `Cannot read ${what} from ${place}: ${error.message}; ${hint}`,
      { cause: error },
    );
  }
}

type MakeError = (asked: Asked, offset?: unknown) => SnapshotError;

const ERRORS: Partial<Readonly<Record<ProblemCode, MakeError>>> = {
  "unauthorized": (asked) => denied(asked, 401),
  "precondition-failed": changed,
  "blocks-not-found": ({ what }) => new NoBlocksError(what),
  "snapshot-not-found": ({ id, place }) =>
    new SnapshotNotFoundError(`Cannot find snapshot ${id} at ${place}`),
  "snapshot-corrupt": ({ id, place }, offset) => {
    const isBlock = Number.isSafeInteger(offset) && Number(offset) >= 0;
    return new SnapshotCorruptError(`snapshot ${id} at ${place}`, {
      reason: isBlock ? "block" : "meta",
      expected: "a good snapshot",
      actual: "one that the server calls corrupt",
      ...(isBlock ? { offset: Number(offset) } : {}),
    });
  },
  "snapshot-unreadable": ({ id, place }) =>
    new SnapshotUnreadableError(
      `Cannot read snapshot ${id}: ${place} can't read it`,
    ),
  "snapshot-unsupported": ({ id, place }) =>
    new UnsupportedSnapshotVersionError(
      `Cannot use snapshot ${id}: ${place} does not support its version`,
    ),
};

/** The snapshot whose metadata was read first is not there any more. */
function changed({ id, place }: Asked): SnapshotError {
  return new SnapshotNotFoundError(
    `Cannot read the rest of snapshot ${id}: ${place} has another snapshot ` +
      "with that ID now; start again",
  );
}

function denied({ what, place }: Asked, status: number): SnapshotError {
  const hint = status === 401 || status === 403
    ? "pass valid credentials (the option headers; --token-file of the command)"
    : "look whether the address is that of a snapshot server";
  return new StoreAccessError(
    `Cannot read ${what}: ${place} answered with status ${status}; ${hint}`,
  );
}

async function readProblem(exchange: Exchange): Promise<Problem | undefined> {
  const type = exchange.response.headers.get("content-type") ?? "";
  // Some servers add a charset.
  if (type.split(";")[0]?.trim() !== PROBLEM_TYPE) return undefined;
  // For all of it: byte by byte it would take hours.
  const { stallMs } = exchange;
  const late = setTimeout(() => exchange.end(new StallError(stallMs)), stallMs);
  try {
    const bytes = await exchange.readAll(PROBLEM_SIZE_MAX);
    const problem: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof problem === "object" && problem !== null
      ? problem as Problem
      : undefined;
  } catch (error) {
    // Then the status alone decides.
    if (error instanceof SyntaxError || error instanceof BodyTooLongError) {
      return undefined;
    }
    throw error;
  } finally {
    clearTimeout(late);
  }
}
