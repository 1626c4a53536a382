/**
 * Lists a bucket: its objects, and uploads that have not ended.
 *
 * @module
 */

import type { S3Answer } from "./answer.ts";
import type { S3Client } from "./client.ts";
import { S3Failure } from "./failure.ts";
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

/** A page of a listing, and the marker of the next one. */
interface Page<T, Next> {
  readonly entries: readonly T[];
  readonly next: Next | undefined;
}

/** Which objects are listed, and how. */
export interface ListingOptions {
  /** Whether keys with a slash after the prefix are left out. @default {false} */
  readonly isFlat?: boolean | undefined;
  /** The most keys of a page. @default {1000} */
  readonly keysMax?: number | undefined;
}

/** Lists the objects whose keys begin with the prefix: all of them, or rejects. */
export async function listObjects(
  client: S3Client,
  prefix: string,
  { isFlat = false, keysMax = 1000 }: ListingOptions = {},
): Promise<ListedObject[]> {
  const list = (token: string | undefined) => {
    const query = {
      "list-type": "2",
      // XML has no way to write some of the characters that keys can have.
      "encoding-type": "url",
      "max-keys": String(keysMax),
      prefix,
      ...(isFlat ? { delimiter: "/" } : {}),
      ...(token === undefined ? {} : { "continuation-token": token }),
    };
    return client.call({ method: "GET", query }, readObjects);
  };
  return await allPages(list, "a listing");
}

/** Whether there is any object, which also shows that the bucket can be listed. */
export async function hasObjects(
  client: S3Client,
  prefix: string,
): Promise<boolean> {
  const query = { "list-type": "2", "max-keys": "1", prefix };
  const page = await client.call({ method: "GET", query }, readObjects);
  return page.entries.length > 0;
}

/** Lists the uploads to keys that begin with the prefix. */
export async function listUploads(
  client: S3Client,
  prefix: string,
): Promise<ListedUpload[]> {
  const list = (marker: UploadMarker | undefined) => {
    const query = { uploads: "", "encoding-type": "url", prefix, ...marker };
    return client.call({ method: "GET", query }, readUploads);
  };
  return await allPages(list, "a listing of uploads");
}

/** The marker after which a page of uploads begins. */
type UploadMarker = Readonly<
  Record<"key-marker" | "upload-id-marker", string>
>;

/** The entries of every page. */
async function allPages<T, Next>(
  list: (next: Next | undefined) => Promise<Page<T, Next>>,
  what: string,
): Promise<T[]> {
  const pages: (readonly T[])[] = [];
  let next: Next | undefined;
  while (pages.length < PAGES_MAX) {
    const page = await list(next);
    pages.push(page.entries);
    if (page.next === undefined) return pages.flat();
    if (JSON.stringify(page.next) === JSON.stringify(next)) break;
    next = page.next;
  }
  throw misled(`${what} that has no end`, "its last page");
}

function readObjects(answer: S3Answer): Page<ListedObject, string> {
  const root = readXml(answer, "ListBucketResult");
  const decode = decoderOf(root);
  return {
    entries: root.all("Contents").map((each) => readObject(each, decode)),
    next: nextOf(root, "NextContinuationToken"),
  };
}

function readUploads(answer: S3Answer): Page<ListedUpload, UploadMarker> {
  const root = readXml(answer, "ListMultipartUploadsResult");
  const decode = decoderOf(root);
  const key = nextOf(root, "NextKeyMarker");
  const id = root.text("NextUploadIdMarker") ?? "";
  return {
    entries: root.all("Upload").map((each) => readUpload(each, decode)),
    next: key === undefined
      ? undefined
      : { "key-marker": decode(key), "upload-id-marker": id },
  };
}

type Decode = (text: string) => string;

/** Not every server encodes the keys, although it was asked to. */
function decoderOf(root: Element): Decode {
  if (root.text("EncodingType") !== "url") return (text) => text;
  return (text) => {
    try {
      return decodeURIComponent(text.replace(/\+/g, "%20"));
    } catch {
      throw misled(`the key ${root.quote(text)}`, "an encoded key");
    }
  };
}

function nextOf(root: Element, name: string): string | undefined {
  if (root.text("IsTruncated") !== "true") return undefined;
  const next = root.text(name);
  if (next !== undefined && next !== "") return next;
  throw misled(`a listing that continues without ${name}`, "one");
}

function readObject(element: Element, decode: Decode): ListedObject {
  return {
    key: decode(requireText(element, "Key")),
    etag: requireText(element, "ETag"),
    size: requireSize(element, "Size"),
    modified: requireTime(element, "LastModified"),
  };
}

function readUpload(element: Element, decode: Decode): ListedUpload {
  return {
    key: decode(requireText(element, "Key")),
    uploadId: requireText(element, "UploadId"),
    initiated: requireTime(element, "Initiated"),
  };
}

function requireText(element: Element, name: string): string {
  const text = element.text(name);
  if (text !== undefined) return text;
  throw misled(`${element.name} without ${name} in a listing`, "one");
}

function requireSize(element: Element, name: string): number {
  const text = requireText(element, name);
  const size = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
  if (Number.isSafeInteger(size)) return size;
  throw misled(`the size ${element.quote(text)}`, "a number of bytes");
}

function requireTime(element: Element, name: string): number {
  const text = requireText(element, name);
  const time = Date.parse(text);
  if (!Number.isNaN(time)) return time;
  throw misled(`the time ${element.quote(text)}`, "one of ISO 8601");
}

function misled(found: string, expected: string): S3Failure {
  return new S3Failure({
    status: 200,
    text: `the server answered with ${found}, expected ${expected}`,
  });
}
