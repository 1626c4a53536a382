/**
 * Reads and writes single objects, also under the condition that they are new.
 *
 * @module
 */

import { readNothing } from "./answer.ts";
import type { S3Client, S3Request } from "./client.ts";
import { InDoubtError, S3Failure } from "./failure.ts";

/**
 * Which header makes a request fail when the object exists. With `"none"` the
 * store looks before it writes, which does not stop a second writer that does so
 * at the same time.
 */
export type ConditionalWrites =
  | "if-none-match"
  | "x-goog-if-generation-match"
  | "none";

/** How objects are written. */
export interface WriteOptions {
  readonly conditionalWrites: ConditionalWrites;
  /** Headers of each object, such as those of an encryption. */
  readonly putHeaders: Readonly<Record<string, string>>;
}

/** The header with which a writer marks its objects. */
export const NONCE_HEADER = "x-amz-meta-nonce";

/** The headers that make a request fail when the object is there. */
export function absenceHeaders(
  { conditionalWrites }: WriteOptions,
): Readonly<Record<string, string>> {
  if (conditionalWrites === "none") return {};
  return conditionalWrites === "if-none-match"
    ? { "if-none-match": "*" }
    : { "x-goog-if-generation-match": "0" };
}

/** The headers of an object. */
export interface ObjectHead {
  readonly etag: string | undefined;
  /** The mark of its writer. */
  readonly nonce: string | undefined;
}

/** Looks at an object; `undefined` when it is not there. */
export async function headObject(
  client: S3Client,
  key: string,
): Promise<ObjectHead | undefined> {
  try {
    return await client.call({ method: "HEAD", key }, ({ headers }) => ({
      etag: headers.get("etag") ?? undefined,
      nonce: headers.get(NONCE_HEADER) ?? undefined,
    }));
  } catch (error) {
    if (error instanceof S3Failure && error.isMissing) return undefined;
    throw error;
  }
}

/** An object that is to be written. */
export interface NewObject {
  readonly key: string;
  readonly body: Uint8Array<ArrayBuffer>;
  /** Marks the object as this writer's. */
  readonly nonce?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Writes an object, in place of one of that name. */
export async function putObject(
  client: S3Client,
  object: NewObject,
  options: WriteOptions,
): Promise<void> {
  await client.call(putRequest(object, options), readNothing);
}

/**
 * Writes an object that must not be there yet. The answer to a request that was
 * carried out may be lost, and the next one then finds this writer's own
 * object: the nonce shows that. Resolves to whether the object is this
 * writer's.
 *
 * @throws {InDoubtError} when the object may exist, or may still be written.
 * @throws {unknown} when the object certainly was not and will not be written.
 */
export async function createObject(
  client: S3Client,
  object: NewObject & { readonly nonce: string },
  options: WriteOptions,
): Promise<boolean> {
  const { key, nonce } = object;
  const look = () => headObject(client, key);
  const isOurs = async () => (await look())?.nonce === nonce;
  if (options.conditionalWrites === "none") {
    const found = await look();
    if (found !== undefined) return found.nonce === nonce;
  }
  const request = putRequest(object, options);
  request.headers = { ...request.headers, ...absenceHeaders(options) };
  const retry = client.retry(request);
  let inDoubt = false;
  let looks = 0;
  for (;;) {
    try {
      await client.attempt(request, readNothing);
      if (options.conditionalWrites !== "none") return true;
      // The object was written, but another writer may have replaced it
      // meanwhile.
      inDoubt = true;
      const found = await look();
      if (found !== undefined) return found.nonce === nonce;
      const text = "the object that was written is not found";
      throw new InDoubtError(new S3Failure({ status: 404, text }));
    } catch (error) {
      if (error instanceof InDoubtError) throw error;
      if (!(error instanceof S3Failure)) {
        throw inDoubt ? new InDoubtError(error) : error;
      }
      if (error.isUnmet) {
        const found = await settle(look);
        if (found !== undefined) return found.nonce === nonce;
        // The other object has gone meanwhile, or the look was refused.
        if (looks++ < LOOKS_MAX) continue;
        throw new InDoubtError(error);
      }
      inDoubt ||= error.isInDoubt || error.isAnswerOdd;
      try {
        await client.pauseAfter(error, { request, retry });
      } catch (last) {
        if (!inDoubt) throw last;
        // A request that was sent before may still be carried out.
        if (await settle(isOurs)) return true;
        throw new InDoubtError(last);
      }
    }
  }
}

/** How often an object may be in the way and not be found. */
const LOOKS_MAX = 3;

/**
 * The result of a look at the object.
 *
 * @throws {InDoubtError} without an answer.
 */
export async function settle<T>(look: () => Promise<T>): Promise<T> {
  try {
    return await look();
  } catch (error) {
    throw new InDoubtError(error);
  }
}

function putRequest(
  { key, body, nonce, headers = {}, signal }: NewObject,
  { putHeaders }: WriteOptions,
): { -readonly [name in keyof S3Request]: S3Request[name] } {
  const mark = nonce === undefined ? {} : { [NONCE_HEADER]: nonce };
  return {
    method: "PUT",
    key,
    body,
    headers: { ...putHeaders, ...headers, ...mark },
    signal,
  };
}

/**
 * Removes an object; it may be gone already.
 *
 * @throws {S3Failure} also when the server does not allow it.
 */
export async function deleteObject(
  client: S3Client,
  key: string,
): Promise<void> {
  try {
    await client.call({ method: "DELETE", key }, readNothing);
  } catch (error) {
    if (error instanceof S3Failure && error.isMissing) return;
    throw error;
  }
}

/** Which bytes of which version of an object. */
export interface ObjectToRead {
  readonly key: string;
  /** The version; any other is refused. */
  readonly etag: string;
  /** The version's length in bytes. */
  readonly size: number;
}

/** Reads a small object, whole. */
export async function readObject(
  client: S3Client,
  { key, etag, size }: ObjectToRead,
): Promise<Uint8Array<ArrayBuffer>> {
  const headers = { "if-match": etag };
  const request = { method: "GET", key, headers } as const;
  const retry = client.retry(request);
  for (;;) {
    try {
      const bytes = await client.readBody(await client.begin(request), size);
      if (bytes.length === size) return bytes;
      // A cut can look like an end, also where no header tells the length.
      const text = `the answer ended after ${bytes.length} of ${size} bytes`;
      throw new S3Failure({ status: 0, text });
    } catch (error) {
      await client.pauseAfter(error, { request, retry });
    }
  }
}
