/**
 * Turns each kind of state that `save()` takes into chunks.
 *
 * @module
 */

import { isBuffer } from "../bytes.ts";
import type { StateInput } from "../snapshot/types.ts";

/** Bytes of a blob that are in memory at a time. */
const SLICE_BYTES = 1024 * 1024;

/** The chunks of a state, and how to stop their source. */
export interface StateChunks {
  /** The chunks, which are not checked yet. */
  readonly chunks: Iterator<unknown> | AsyncIterator<unknown>;
  /** The length of the state in bytes, when it is known. */
  readonly size: number | undefined;
  /** Stops the source before its end, and ignores its errors. */
  cancel(reason: unknown): void;
}

/**
 * The chunks of a state.
 *
 * @throws {TypeError} when `state` is of another kind, a stream that is locked, a
 * body that has been read, or the response to a request that failed.
 */
export function chunksOf(state: StateInput): StateChunks {
  if (ArrayBuffer.isView(state) || isBuffer(state)) {
    return iterate([state], state.byteLength);
  }
  if (typeof state !== "object" || state === null) throw notAState(state);
  if (isResponse(state)) return bodyOf(state);
  if (isBlob(state)) return streamChunks(state.stream(), state.size);
  if (isPlainBlob(state)) return iterate(slicesOf(state), state.size);
  if ("getReader" in state) return streamChunks(state, undefined);
  if (Symbol.asyncIterator in state || Symbol.iterator in state) {
    return iterate(state, undefined);
  }
  throw notAState(state);
}

/**
 * Whether a state can be read more than once: bytes and blobs can, streams,
 * responses and iterables can't.
 */
export function canReadAgain(state: StateInput): boolean {
  return ArrayBuffer.isView(state) || isBuffer(state) ||
    typeof state === "object" && state !== null && !isResponse(state) &&
      (isBlob(state) || isPlainBlob(state));
}

// Responses and blobs are recognized by their members, because one process may
// have several implementations.
function isResponse(state: object): state is Response {
  return "body" in state && "bodyUsed" in state;
}

function isBlob(state: object): state is Blob {
  return "stream" in state && typeof state.stream === "function";
}

/** A `Blob` as jsdom 29 has it, without `stream()`. */
type PlainBlob = Pick<Blob, "arrayBuffer" | "size" | "slice">;

function isPlainBlob(state: object): state is PlainBlob {
  return "arrayBuffer" in state && typeof state.arrayBuffer === "function" &&
    "slice" in state && typeof state.slice === "function";
}

/** The bytes of a blob in pieces, because it may be larger than memory. */
async function* slicesOf(blob: PlainBlob): AsyncGenerator<ArrayBuffer> {
  for (let start = 0; start < blob.size; start += SLICE_BYTES) {
    yield await blob.slice(start, start + SLICE_BYTES).arrayBuffer();
  }
}

function bodyOf(response: Response): StateChunks {
  if (response.bodyUsed) {
    throw new TypeError(
      "Cannot save a state: the response's body has been read",
    );
  }
  // The body is a page about the failure, and would become a snapshot. (A
  // Request, which has a body too, has no `ok`.)
  if (response.ok === false) {
    throw new TypeError(
      `Cannot save a state: found a response with status ${response.status}, ` +
        "expected a successful one",
    );
  }
  return response.body === null
    ? iterate([], 0)
    : streamChunks(response.body, undefined);
}

/**
 * Reads a stream by its reader, which needs one promise a chunk and can cancel
 * with a reason.
 */
function streamChunks(
  stream: ReadableStream<unknown>,
  size: number | undefined,
): StateChunks {
  if (stream.locked) {
    throw new TypeError(
      "Cannot save a state: the stream is locked to a reader",
    );
  }
  const reader = stream.getReader();
  return {
    chunks: {
      next: async () => {
        const { done, value } = await reader.read();
        return done ? { done, value: undefined } : { done, value };
      },
    },
    size,
    cancel: (reason) => void reader.cancel(reason).catch(() => {}),
  };
}

function iterate(
  state: Iterable<unknown> | AsyncIterable<unknown>,
  size: number | undefined,
): StateChunks {
  const chunks = Symbol.asyncIterator in state
    ? state[Symbol.asyncIterator]()
    : state[Symbol.iterator]();
  return {
    chunks,
    size,
    cancel: () => {
      try {
        void Promise.resolve(chunks.return?.()).catch(() => {});
      } catch {
        // A generator's `finally` may throw, but the first error counts.
      }
    },
  };
}

function notAState(state: unknown): TypeError {
  const found = state === null ? "null" : typeof state;
  return new TypeError(
    `Cannot save a state: found ${found}, expected bytes, a Blob, a Response, ` +
      "a ReadableStream or an iterable of bytes",
  );
}
