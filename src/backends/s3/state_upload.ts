/**
 * Uploads the state of a new snapshot: a small one by one request, others in
 * parts of equal size.
 *
 * @module
 */

import { SnapshotError } from "../../errors.ts";
import type { S3Client } from "./client/client.ts";
import {
  checksumHeaders,
  checksumOf,
  MultipartUpload,
  PARTS_MAX,
  type UploadOptions,
} from "./client/multipart.ts";
import { createObject } from "./client/objects.ts";
import { PART_SIZE_MAX } from "./options.ts";

/** How a state is sent. */
export interface StateUploadOptions extends Omit<UploadOptions, "signal"> {
  readonly partSize: number;
  readonly concurrency: number;
  /** Its length in bytes, when that is known. */
  readonly expectedSize: number | undefined;
}

const MiB = 1024 * 1024;
const PART_SIZE_DEFAULT = 8 * MiB;

/**
 * The size of the parts of a state: all are equal but the last, because some
 * servers demand that, so it must be known before the first byte.
 *
 * @throws {SnapshotError} when the state would have too many parts.
 */
export function choosePartSize(
  partSize: number | undefined,
  expectedSize = 0,
): number {
  const needed = Math.ceil(expectedSize / PARTS_MAX / MiB) * MiB;
  const chosen = partSize ?? Math.max(PART_SIZE_DEFAULT, needed);
  if (chosen <= PART_SIZE_MAX && chosen * PARTS_MAX >= expectedSize) {
    return chosen;
  }
  throw tooManyParts(chosen, `${expectedSize} bytes`);
}

function tooManyParts(partSize: number, found: string): SnapshotError {
  return new SnapshotError(
    `Cannot upload a state of ${found}: expected at most ${PARTS_MAX} parts ` +
      `of ${partSize} bytes; give the option partSize, or the expected size`,
  );
}

/** Sends a state. It is completed or aborted once. */
export class StateUpload {
  readonly #client: S3Client;
  readonly #options: StateUploadOptions;
  readonly #aborting = new AbortController();
  /** Buffers that are free again. */
  readonly #spares: Uint8Array<ArrayBuffer>[] = [];
  readonly #sending = new Set<Promise<void>>();
  #part: Uint8Array<ArrayBuffer> | undefined;
  #filled = 0;
  #partCount = 0;
  #upload: Promise<MultipartUpload> | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(client: S3Client, options: StateUploadOptions) {
    this.#client = client;
    this.#options = options;
  }

  /** Takes bytes over; throws when those before have been lost. */
  append(bytes: Uint8Array): Promise<void> {
    this.#throwIfFailed();
    return this.#append(bytes);
  }

  /** Completes the upload; resolves when the object exists. */
  async complete(): Promise<void> {
    this.#throwIfFailed();
    if (this.#upload === undefined) return await this.#putWhole();
    await this.#sendPart();
    await this.#settle();
    this.#throwIfFailed();
    await (await this.#upload).complete();
  }

  /** Ends pending requests, and removes the parts. */
  async abort(): Promise<void> {
    this.#aborting.abort(new Error("The snapshot was discarded"));
    await this.#settle();
    const upload = await this.#upload?.catch(() => undefined);
    await upload?.abort();
  }

  async #append(bytes: Uint8Array): Promise<void> {
    for (let taken = 0; taken < bytes.length;) {
      // A full part is kept until more comes: it may be the whole state.
      if (this.#filled === this.#options.partSize) await this.#sendPart();
      const part = this.#part ??= this.#newPart();
      const some = bytes.subarray(taken, taken + part.length - this.#filled);
      part.set(some, this.#filled);
      this.#filled += some.length;
      taken += some.length;
    }
  }

  #newPart(): Uint8Array<ArrayBuffer> {
    const { partSize, expectedSize = partSize } = this.#options;
    const spare = this.#spares.pop();
    // A small state needs no buffer of a whole part; it can't grow.
    return spare ?? new Uint8Array(Math.min(partSize, expectedSize));
  }

  async #sendPart(): Promise<void> {
    const { concurrency, partSize } = this.#options;
    const part = this.#part;
    if (part === undefined) return;
    if (this.#partCount === PARTS_MAX) {
      throw tooManyParts(partSize, "unknown length");
    }
    const body = part.subarray(0, this.#filled);
    this.#part = undefined;
    this.#filled = 0;
    const number = ++this.#partCount;
    const sending = this.#send(number, body).catch((error) => {
      this.#failure ??= { error };
    }).finally(() => {
      this.#sending.delete(sending);
      this.#spares.push(part);
    });
    this.#sending.add(sending);
    while (this.#sending.size >= concurrency) {
      await Promise.race(this.#sending);
    }
    this.#throwIfFailed();
  }

  async #send(number: number, body: Uint8Array<ArrayBuffer>): Promise<void> {
    const { signal } = this.#aborting;
    this.#upload ??= MultipartUpload.begin(this.#client, {
      ...this.#options,
      signal,
    });
    await (await this.#upload).send(number, body);
  }

  async #putWhole(): Promise<void> {
    const { key, nonce, checksum } = this.#options;
    const body = (this.#part ?? new Uint8Array()).subarray(0, this.#filled);
    const headers = checksumHeaders(await checksumOf(body, checksum));
    const { signal } = this.#aborting;
    const object = { key, body, nonce, headers, signal };
    if (await createObject(this.#client, object, this.#options)) return;
    throw new SnapshotError(
      `Cannot upload a state: another writer has put the object ${key}`,
    );
  }

  /** Waits until no request is pending. */
  async #settle(): Promise<void> {
    await Promise.all(this.#sending);
  }

  #throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
