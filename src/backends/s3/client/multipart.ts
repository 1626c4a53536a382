/**
 * An object that is uploaded in parts.
 *
 * @module
 */

import { readNothing, type S3Answer } from "./answer.ts";
import type { S3Client, S3Request } from "./client.ts";
import { InDoubtError, S3Failure } from "./failure.ts";
import {
  absenceHeaders,
  headObject,
  NONCE_HEADER,
  settle,
  type WriteOptions,
} from "./objects.ts";
import { sha256, toBase64 } from "./sign.ts";
import { escapeXml, readCode, readXml } from "./xml.ts";

/** The most parts that an object can have. */
export const PARTS_MAX = 10_000;

/** How the bytes of a part are kept from changing. */
export type Checksum = "none" | "sha256";

const NAMESPACE = `http://s3.amazonaws.com/doc/2006-03-01/`;

/** A part that the server has. */
interface SentPart {
  readonly number: number;
  readonly etag: string;
  readonly checksum: string | undefined;
}

/** The object to upload, and how to write it. */
export interface UploadOptions extends WriteOptions {
  readonly key: string;
  /** Marks the object as this writer's. */
  readonly nonce: string;
  readonly checksum: Checksum;
  readonly signal: AbortSignal;
}

/** An upload that has been begun; the caller must complete or abort it. */
export class MultipartUpload {
  readonly #client: S3Client;
  readonly #options: UploadOptions;
  readonly #uploadId: string;
  readonly #parts: SentPart[] = [];
  /** Bytes of the parts that the server has. */
  #size = 0;

  private constructor(
    client: S3Client,
    options: UploadOptions,
    uploadId: string,
  ) {
    this.#client = client;
    this.#options = options;
    this.#uploadId = uploadId;
  }

  /**
   * Begins an upload. When the answer is lost, there is an unknown second
   * upload, which a later sweep aborts.
   */
  static async begin(
    client: S3Client,
    options: UploadOptions,
  ): Promise<MultipartUpload> {
    const { key, nonce, checksum, putHeaders, signal } = options;
    const request = {
      method: "POST",
      key,
      query: { uploads: "" },
      headers: {
        ...putHeaders,
        [NONCE_HEADER]: nonce,
        ...(checksum === "sha256"
          ? { "x-amz-checksum-algorithm": "SHA256" }
          : {}),
      },
      signal,
    } as const;
    const uploadId = await client.call(request, readUploadId);
    return new MultipartUpload(client, options, uploadId);
  }

  /** Sends a part, numbered from 1; parts may be sent side by side. */
  async send(number: number, body: Uint8Array<ArrayBuffer>): Promise<void> {
    const { key, signal } = this.#options;
    const checksum = await checksumOf(body, this.#options.checksum);
    const request = {
      method: "PUT",
      key,
      query: { partNumber: String(number), uploadId: this.#uploadId },
      headers: checksumHeaders(checksum),
      body,
      signal,
    } as const;
    const etag = await this.#client.call(request, readETag);
    this.#parts.push({ number, etag, checksum });
    this.#size += body.length;
  }

  /**
   * Makes the parts one object. The answer to a request that was carried out
   * may be lost, and the next one then finds no upload any more: the nonce of
   * the object shows whether it was.
   *
   * @throws {S3Failure} with `isConflict` when the parts are of no use any more,
   * and must be uploaded again.
   * @throws {InDoubtError} when the object may exist, or may still be made; its
   * cause may be such a failure.
   */
  async complete(): Promise<void> {
    const request = this.#completion();
    let retry = this.#client.retry(request);
    let isInDoubt = false;
    let conflict: S3Failure | undefined;
    for (;;) {
      try {
        return await this.#client.attempt(request, readCompletion);
      } catch (error) {
        if (!(error instanceof S3Failure)) throw error;
        const isOver = error.isMissing || error.isUnmet || error.isTransient ||
          error.isAnswerOdd;
        if (isOver && await settle(() => this.isDone())) return;
        isInDoubt ||= error.isInDoubt;
        // A completion in doubt may be the conflicting one, and take long.
        const isFirst = error.isConflict && conflict === undefined;
        if (isFirst && !isInDoubt) {
          retry = this.#client.retry({ signal: request.signal });
        }
        if (error.isConflict) conflict = error;
        try {
          // After a conflict AWS wants another upload, and may have ended this
          // one. Other servers take the completion a little later.
          if (error.isMissing && conflict !== undefined) throw conflict;
          await this.#client.pauseAfter(error, { request, retry });
        } catch (last) {
          throw isInDoubt ? new InDoubtError(last) : last;
        }
      }
    }
  }

  /** Whether the object exists and comes from this upload. */
  async isDone(): Promise<boolean> {
    const { key, nonce } = this.#options;
    return (await headObject(this.#client, key))?.nonce === nonce;
  }

  /** Removes the parts, if they still exist. */
  async abort(): Promise<void> {
    const { key } = this.#options;
    await abortUpload(this.#client, { key, uploadId: this.#uploadId });
  }

  #completion(): S3Request {
    return {
      method: "POST",
      key: this.#options.key,
      query: { uploadId: this.#uploadId },
      headers: {
        "content-type": "application/xml",
        ...absenceHeaders(this.#options),
      },
      body: new TextEncoder().encode(completionOf(this.#parts)),
      // A gateway makes a file of them; a second request would do so again.
      copiedSize: this.#size,
      signal: this.#options.signal,
    };
  }
}

function readUploadId(answer: S3Answer): string {
  const root = readXml(answer, "InitiateMultipartUploadResult");
  const uploadId = root.text("UploadId") ?? "";
  if (uploadId !== "") return uploadId;
  const text = "the server began an upload without an ID";
  throw new S3Failure({ status: 200, text });
}

function readETag({ headers }: S3Answer): string {
  const etag = headers.get("etag");
  if (etag !== null) return etag;
  const text = "the server took a part, and gave no ETag for it";
  throw new S3Failure({ status: 200, text });
}

/** The status is sent before the work is done: a failure comes after it. */
function readCompletion(answer: S3Answer): void {
  const root = readXml(answer);
  if (root.name === "CompleteMultipartUploadResult") return;
  const code = readCode(root);
  throw new S3Failure({
    status: code === "NoSuchUpload" ? 404 : 500,
    code,
    text: `the server answered 200, and then the error ${code ?? "unknown"}`,
  });
}

/** Removes the parts of an upload; it may have ended already. */
export async function abortUpload(
  client: S3Client,
  { key, uploadId }: { readonly key: string; readonly uploadId: string },
): Promise<void> {
  try {
    const request = { method: "DELETE", key, query: { uploadId } } as const;
    await client.call(request, readNothing);
  } catch (error) {
    if (error instanceof S3Failure && error.isMissing) return;
    throw error;
  }
}

/** The SHA-256 of a body, for the server to keep; only if that is wanted. */
export async function checksumOf(
  body: Uint8Array<ArrayBuffer>,
  checksum: Checksum,
): Promise<string | undefined> {
  return checksum === "sha256" ? toBase64(await sha256(body)) : undefined;
}

/** The header that has the checksum of a body. */
export function checksumHeaders(
  checksum: string | undefined,
): Readonly<Record<string, string>> {
  return checksum === undefined ? {} : { "x-amz-checksum-sha256": checksum };
}

function completionOf(parts: readonly SentPart[]): string {
  const inOrder = [...parts].sort((a, b) => a.number - b.number);
  const elements = inOrder.map(({ number, etag, checksum }) =>
    `<Part><PartNumber>${number}</PartNumber><ETag>${escapeXml(etag)}</ETag>` +
    (checksum === undefined
      ? ""
      : `<ChecksumSHA256>${escapeXml(checksum)}</ChecksumSHA256>`) +
    "</Part>"
  );
  return `<CompleteMultipartUpload xmlns="${NAMESPACE}">${elements.join("")}` +
    "</CompleteMultipartUpload>";
}
