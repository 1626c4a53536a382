/**
 * The state of a snapshot that a server has. When the line breaks or stalls,
 * reading continues with the byte after the last one that came. Where ranges do
 * not work, the bytes before it come again, and are skipped.
 *
 * @module
 */

import type { StateHandle } from "../../backend/backend.ts";
import { readFully } from "../../bytes.ts";
import { SnapshotError } from "../../errors.ts";
import type { Exchange } from "../../net/exchange.ts";
import type { Retry } from "../../net/retry.ts";
import type { ByteRange } from "../../snapshot/open_options.ts";
import type { HttpClient } from "./client.ts";
import { type Asked, refusalOf, UnexpectedAnswerError } from "./refusal.ts";

/** The state to read, by its metadata. */
export interface RemoteStateOptions {
  readonly id: string;
  /** Its length in bytes. */
  readonly size: number;
  /** Its validator. */
  readonly etag: string;
  /** The part that will be read; other parts can be read, too. */
  readonly range: ByteRange;
}

/** An answer that is being read. */
interface Running {
  readonly exchange: Exchange;
  /** The first byte that has not come yet. */
  position: number;
  /** The byte after the last one that was asked for. */
  readonly end: number;
  /**
   * Bytes that have arrived and are not taken yet; they end before `position`.
   */
  rest: Uint8Array;
}

/** Reads by range requests, one at a time. */
export class RemoteState implements StateHandle {
  /** Its length in bytes. */
  readonly size: number;
  readonly #client: HttpClient;
  readonly #options: RemoteStateOptions;
  readonly #asked: Asked;
  readonly #closing = new AbortController();
  #running: Running | undefined;
  /** Ends a block that is being fetched again. */
  #again: RemoteState | undefined;

  constructor(client: HttpClient, options: RemoteStateOptions) {
    this.#client = client;
    this.#options = options;
    this.size = options.size;
    const { id } = options;
    const what = `state.bin of snapshot ${id}`;
    this.#asked = { what, id, place: client.place };
  }

  /** Fills the buffer, because each further call would cost its own waits. */
  async read(buffer: Uint8Array, position: number): Promise<number> {
    const length = Math.min(buffer.length, this.size - position);
    let filled = 0;
    const fill = async (retry: Retry) => {
      while (filled < length) {
        const bytes = await this.#bytesAt(position + filled, retry);
        const part = bytes.subarray(0, length - filled);
        // Nothing may touch the buffer once it is closed.
        this.#closing.signal.throwIfAborted();
        buffer.set(part, filled);
        filled += part.length;
        this.#take(part.length);
        retry.progress();
      }
    };
    if (length > 0) {
      await this.#client.retrying(this.#asked.what, fill, this.#closing);
    }
    return filled;
  }

  async reread(buffer: Uint8Array, position: number): Promise<void> {
    // The answer may be shifted, so the rest of it can't be trusted.
    this.#drop();
    const range = { start: position, end: position + buffer.length };
    this.#closing.signal.throwIfAborted();
    const again = new RemoteState(this.#client, { ...this.#options, range });
    this.#again = again;
    try {
      await readFully(again, buffer, position);
    } finally {
      await again.close();
    }
  }

  async close(): Promise<void> {
    const reason = new SnapshotError(
      `Cannot read ${this.#asked.what}: the state has been closed`,
    );
    this.#closing.abort(reason);
    this.#drop();
    await this.#again?.close();
  }

  /** The bytes from `position` on that have come; at least one. */
  async #bytesAt(position: number, retry: Retry): Promise<Uint8Array> {
    const running = this.#runningAt(position) ??
      await this.#request(position, retry);
    const isSkipping = running.position < position;
    try {
      // A chunk may be empty, or end before the position.
      while (running.position <= position) {
        // Skipped bytes are not progress, and may take longer than the budget.
        const stallMs = isSkipping ? undefined : this.#client.stallMs(retry);
        await this.#next(running, stallMs);
      }
      const count = running.position - position;
      running.rest = running.rest.subarray(-count);
      return running.rest;
    } catch (error) {
      running.exchange.end(error);
      if (this.#running === running) this.#running = undefined;
      throw error;
    }
  }

  async #next(running: Running, stallMs: number | undefined): Promise<void> {
    const { exchange, position, end } = running;
    const chunk = await exchange.next(stallMs);
    if (chunk === undefined) {
      throw new UnexpectedAnswerError(
        `the answer ended at byte ${position} of ${end}`,
      );
    }
    // Bytes beyond the requested range are dropped.
    running.rest = chunk.subarray(0, end - position);
    running.position += running.rest.length;
  }

  /** The answer that is being read, if its next byte is that one. */
  #runningAt(position: number): Running | undefined {
    const running = this.#running;
    if (running === undefined) return undefined;
    return running.position - running.rest.length === position
      ? running
      : undefined;
  }

  async #request(position: number, retry: Retry): Promise<Running> {
    this.#drop();
    const { id, etag, range } = this.#options;
    const end = position < range.end ? range.end : this.size;
    const { signal } = this.#closing;
    const exchange = await this.#client.request(`snapshots/${id}`, {
      "range": `bytes=${position}-${end - 1}`,
      "if-match": etag,
    }, { retry, signal });
    const { status, headers } = exchange.response;
    const isThisState = headers.get("etag") === etag;
    // A server may ignore a range, and a proxy may remove it (RFC 9110, 14.2).
    const isWhole = status === 200 && isThisState &&
      !headers.has("content-range");
    if (status !== 206 && !isWhole) {
      throw await refusalOf(exchange, this.#asked);
    }
    const expected = `bytes ${position}-${end - 1}/${this.size}`;
    const isRange = headers.get("content-range") === expected && isThisState;
    if (!isWhole && !isRange) {
      const error = new UnexpectedAnswerError(
        `the answer is not the range ${expected} of ${etag}`,
      );
      exchange.end(error);
      throw error;
    }
    const rest = new Uint8Array();
    const start = isWhole ? 0 : position;
    this.#running = { exchange, position: start, end, rest };
    return this.#running;
  }

  #take(length: number): void {
    const running = this.#running;
    if (running === undefined) return;
    running.rest = running.rest.subarray(length);
    const isOver = running.position === running.end;
    if (isOver && running.rest.length === 0) this.#drop();
  }

  #drop(): void {
    this.#running?.exchange.end();
    this.#running = undefined;
  }
}
