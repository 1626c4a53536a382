/**
 * A large object, such as the state of a snapshot, read by ranged requests that
 * continue after a cut.
 *
 * @module
 */

import type { StateHandle } from "../../backend/backend.ts";
import {
  SnapshotNotFoundError,
  SnapshotUnreadableError,
} from "../../errors.ts";
import type { Exchange } from "../../net/exchange.ts";
import type { Retry } from "../../net/retry.ts";
import type { ByteRange } from "../../snapshot/open_options.ts";
import type { S3Client } from "./client/client.ts";
import { describeNetwork } from "../../net/network_error.ts";
import { S3Failure, toAccessError } from "./client/failure.ts";
import type { ListedObject } from "./client/listing.ts";

/** The object to read. */
export interface StateToRead {
  /** The object's name in messages. */
  readonly what: string;
  readonly object: ListedObject;
  /** The part that will be read, as a hint. */
  readonly range: ByteRange;
}

/** An open state: one request at a time, from the position that is read. */
export class RemoteState implements StateHandle {
  readonly #client: S3Client;
  readonly #what: StateToRead;
  readonly #closing = new AbortController();
  /** The answer that is being read, from `#position` on. */
  #exchange: Exchange | undefined;
  #position = 0;
  /** Bytes that have arrived and were not read yet. */
  #rest: Uint8Array = new Uint8Array();

  constructor(client: S3Client, what: StateToRead) {
    this.#client = client;
    this.#what = what;
  }

  get size(): number {
    return this.#what.object.size;
  }

  async read(buffer: Uint8Array, position: number): Promise<number> {
    if (position >= this.size || buffer.length === 0) return 0;
    if (position !== this.#position) this.#endExchange();
    this.#position = position;
    // A chunk may be empty, and no bytes would mean the end of the state.
    while (this.#rest.length === 0) this.#rest = await this.#receive();
    const part = this.#rest.subarray(0, buffer.length);
    buffer.set(part);
    this.#rest = this.#rest.subarray(part.length);
    this.#position += part.length;
    return part.length;
  }

  // deno-lint-ignore require-await -- the interface is async
  async close(): Promise<void> {
    this.#closing.abort(new Error("The state was closed"));
    this.#endExchange();
  }

  /** The next bytes; asks again from their position when the answer is cut. */
  async #receive(): Promise<Uint8Array> {
    const { signal } = this.#closing;
    let retry: Retry | undefined;
    for (;;) {
      try {
        this.#exchange ??= await this.#request(this.#position);
        return await this.#next(this.#exchange);
      } catch (error) {
        this.#endExchange();
        signal.throwIfAborted();
        try {
          retry ??= this.#client.retry({ signal });
          const request = {
            method: "GET",
            key: this.#what.object.key,
          } as const;
          await this.#client.pauseAfter(error, { request, retry });
        } catch (last) {
          throw this.#explain(last);
        }
      }
    }
  }

  async #next(exchange: Exchange): Promise<Uint8Array> {
    let bytes: Uint8Array | undefined;
    try {
      bytes = await exchange.next();
    } catch (cause) {
      throw new S3Failure({ status: 0, text: describeNetwork(cause), cause });
    }
    // A cut can look like an end.
    if (bytes === undefined) {
      const text = `the answer ended at byte ${this.#position} of the object`;
      throw new S3Failure({ status: 0, text });
    }
    return bytes.subarray(0, this.size - this.#position);
  }

  async #request(position: number): Promise<Exchange> {
    const { object, range } = this.#what;
    const end = position < range.end
      ? Math.min(range.end, this.size)
      : this.size;
    const exchange = await this.#client.begin({
      method: "GET",
      key: object.key,
      headers: {
        "if-match": object.etag,
        range: `bytes=${position}-${end - 1}`,
      },
      signal: this.#closing.signal,
    });
    try {
      requireRange(exchange.response, { position, end, size: this.size });
      return exchange;
    } catch (error) {
      exchange.end(error);
      throw error;
    }
  }

  #endExchange(): void {
    this.#exchange?.end();
    this.#exchange = undefined;
    this.#rest = new Uint8Array();
  }

  #explain(error: unknown): unknown {
    const { what } = this.#what;
    if (!(error instanceof S3Failure)) return error;
    if (error.isMissing) {
      return new SnapshotNotFoundError(
        `Cannot read ${what}: the object was removed`,
        {
          cause: error,
        },
      );
    }
    if (error.isUnmet || error.code === "InvalidObjectState") {
      const why = error.isUnmet ? "the object was replaced" : error.message;
      return new SnapshotUnreadableError(`Cannot read ${what}: ${why}`, {
        cause: error,
      });
    }
    return toAccessError(`read ${what}`, error);
  }
}

/** An answer that begins elsewhere would be taken for these bytes. */
function requireRange(
  { status, headers }: Response,
  { position, end, size }: {
    readonly position: number;
    readonly end: number;
    readonly size: number;
  },
): void {
  const encoding = headers.get("content-encoding") ?? "identity";
  if (!["identity", "", "aws-chunked"].includes(encoding)) {
    const text = "the server compressed the object, expected its bytes";
    throw new S3Failure({ status: 200, text });
  }
  // Some servers answer a range of all bytes in this way.
  if (status === 200 && position === 0) return;
  const given = headers.get("content-range");
  if (status === 206 && given === `bytes ${position}-${end - 1}/${size}`) {
    return;
  }
  throw new S3Failure({
    status: 200,
    text: `the server answered another range than bytes ${position} to ${end}`,
  });
}
