/**
 * Signed requests (AWS Signature Version 4).
 *
 * @module
 */

import { AwsV4Signer } from "aws4fetch";
import type { S3Credentials } from "../credentials.ts";

/** A request, before it is signed. */
export interface UnsignedRequest {
  readonly method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** Derived keys by day and region; a day adds one. */
const CACHED_MAX = 16;
const derivedKeys = new Map<string, ArrayBuffer>();

/** The headers of the request, with its signature. */
export async function signedHeaders(
  { method, url, headers, body }: UnsignedRequest,
  keys: S3Credentials,
  region: string,
): Promise<Headers> {
  if (derivedKeys.size > CACHED_MAX) derivedKeys.clear();
  const { accessKeyId, secretAccessKey, sessionToken } = keys;
  const signer = new AwsV4Signer({
    method,
    url,
    // The server refuses a body that was changed on its way.
    headers: { ...headers, "x-amz-content-sha256": toHex(await sha256(body)) },
    accessKeyId,
    secretAccessKey,
    ...(sessionToken === undefined ? {} : { sessionToken }),
    service: "s3",
    region,
    cache: derivedKeys,
  });
  const signed = (await signer.sign()).headers;
  // After signing: Node adds to it, and Bun would ask for compressed bytes.
  signed.set("accept-encoding", "identity");
  return signed;
}

/** The SHA-256 of bytes. */
export async function sha256(
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

/** The bytes in hexadecimal. */
export function toHex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The bytes in Base64. */
export function toBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}
