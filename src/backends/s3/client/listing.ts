/**
 * What there is in a bucket: objects, and uploads that have not ended.
 *
 * @module
 */

import type { S3Client } from "./client.ts";
import { quoteAnswer, S3Failure } from "./failure.ts";
import { type Element, readXml } from "./xml.ts";

/** An object, as a listing has it. */
export interface ListedObject {
  readonly key: string;
  /** Its version. */
  readonly etag: string;
  /** Its length in bytes. */
  readonly size: number;
  /** When it was written, in milliseconds since 1970, by the server's clock. */
  readonly modified: number;
}

/** An upload in parts that has not ended. */
export interface ListedUpload {
  readonly key: string;
  readonly uploadId: string;
  /** When it was begun, in milliseconds since 1970, by the server's clock. */
  readonly initiated: number;
}

/** More pages than this mean that the server lists without an end. */
const PAGES_MAX = 10_000;

/** Lists the objects whose keys begin with the prefix: all of them, or rejects. */
export async function listObjects(
  client: S3Client,
  prefix: string,
  keysMax = 1000,
): Promise<ListedObject[]> {
  const objects: ListedObject[] = [];
  let token: string | undefined;
  for (let page = 0; page < PAGES_MAX; page++) {
    const { text } = await client.call({
      method: "GET",
      query: {
        "list-type": "2",
        // XML has no way to write some of the characters that keys can have.
        "encoding-type": "url",
        "max-keys": String(keysMax),
        prefix,
        ...(token === undefined ? {} : { "continuation-token": token }),
      },
    });
    const root = readXml(text, "ListBucketResult");
    const decode = decoderOf(root);
    objects.push(
      ...root.all("Contents").map((each) => readObject(each, decode)),
    );
    const next = nextOf(root, "NextContinuationToken");
    if (next === undefined) return objects;
    if (next === token) break;
    token = next;
  }
  throw misled("a listing that has no end", "its last page");
}

/** Whether there is any object, which shows that the bucket can be listed. */
export async function touchBucket(
  client: S3Client,
  prefix: string,
): Promise<void> {
  const query = { "list-type": "2", "max-keys": "1", prefix };
  const { text } = await client.call({ method: "GET", query });
  readXml(text, "ListBucketResult");
}

/** Lists the uploads to keys that begin with the prefix. */
export async function listUploads(
  client: S3Client,
  prefix: string,
): Promise<ListedUpload[]> {
  const uploads: ListedUpload[] = [];
  let marker: Record<string, string> = {};
  for (let page = 0; page < PAGES_MAX; page++) {
    const query = { uploads: "", "encoding-type": "url", prefix, ...marker };
    const { text } = await client.call({ method: "GET", query });
    const root = readXml(text, "ListMultipartUploadsResult");
    const decode = decoderOf(root);
    uploads.push(...root.all("Upload").map((each) => readUpload(each, decode)));
    const key = nextOf(root, "NextKeyMarker");
    if (key === undefined) return uploads;
    const id = root.text("NextUploadIdMarker") ?? "";
    const next = { "key-marker": decode(key), "upload-id-marker": id };
    if (JSON.stringify(next) === JSON.stringify(marker)) break;
    marker = next;
  }
  throw misled("a listing of uploads that has no end", "its last page");
}

type Decode = (text: string) => string;

/** Not every server encodes the keys, although it was asked to. */
function decoderOf(root: Element): Decode {
  if (root.text("EncodingType") !== "url") return (text) => text;
  return (text) => {
    try {
      return decodeURIComponent(text.replace(/\+/g, "%20"));
    } catch {
      throw misled(`the key ${quoteAnswer(text)}`, "an encoded key");
    }
  };
}

function nextOf(root: Element, name: string): string | undefined {
  if (root.text("IsTruncated") !== "true") return undefined;
  const next = root.text(name);
  if (next !== undefined && next !== "") return next;
  throw misled(`a listing that goes on without ${name}`, "one");
}

function readObject(element: Element, decode: Decode): ListedObject {
  return {
    key: decode(requireText(element, "Key")),
    etag: requireText(element, "ETag"),
    size: requireSize(requireText(element, "Size")),
    modified: requireTime(requireText(element, "LastModified")),
  };
}

function readUpload(element: Element, decode: Decode): ListedUpload {
  return {
    key: decode(requireText(element, "Key")),
    uploadId: requireText(element, "UploadId"),
    initiated: requireTime(requireText(element, "Initiated")),
  };
}

function requireText(element: Element, name: string): string {
  const text = element.text(name);
  if (text !== undefined) return text;
  throw misled(`${element.name} without ${name} in a listing`, "one");
}

function requireSize(text: string): number {
  const size = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
  if (Number.isSafeInteger(size)) return size;
  throw misled(`the size ${quoteAnswer(text)}`, "a number of bytes");
}

function requireTime(text: string): number {
  const time = Date.parse(text);
  if (!Number.isNaN(time)) return time;
  throw misled(`the time ${quoteAnswer(text)}`, "one of ISO 8601");
}

function misled(found: string, expected: string): S3Failure {
  return new S3Failure({
    status: 200,
    text: `the server answered with ${found}, expected ${expected}`,
  });
}
