/**
 * Object storage in memory, as strict as the real one: it checks signatures,
 * hashes of bodies, conditions, and the rules for parts; and it lists in pages.
 * `probe.ts` runs on it and on a real server, so that both stay alike.
 */

import {
  hex,
  type ServerKeys,
  sha256,
  signatureError,
  type SignedRequest,
} from "./signature.ts";

/** An object. */
export interface StoredObject {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly etag: string;
  readonly modified: number;
  /** The headers that are kept with it. */
  readonly kept: Readonly<Record<string, string>>;
}

interface Upload {
  readonly key: string;
  readonly initiated: number;
  readonly kept: Readonly<Record<string, string>>;
  readonly parts: Map<number, { etag: string; body: Uint8Array<ArrayBuffer> }>;
}

/** Options of a server in memory. */
export interface MemoryS3Options extends Partial<ServerKeys> {
  readonly bucket?: string;
  /** The most keys of a page. */
  readonly pageSize?: number;
  /** The fewest bytes of a part that is not the last. */
  readonly partSizeMin?: number;
  readonly clock?: () => number;
  /** Whether a request is refused with AccessDenied. */
  readonly denies?: (
    method: string,
    key: string,
    query: URLSearchParams,
  ) => boolean;
}

type Call = SignedRequest & {
  readonly key: string;
  readonly query: URLSearchParams;
};

/** A request fails with a status and a code of S3. */
class Refusal extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string) {
    super(code);
    this.status = status;
    this.code = code;
  }
}

const STATUS: Readonly<Record<string, number>> = {
  AuthorizationHeaderMalformed: 400,
  XAmzContentSHA256Mismatch: 400,
};

/** A server with one bucket, at `endpoint`; its `fetch` needs no network. */
export class MemoryS3 {
  readonly endpoint = "http://s3.memory.test:9000";
  readonly bucket: string;
  readonly keys: ServerKeys;
  readonly objects = new Map<string, StoredObject>();
  readonly uploads = new Map<string, Upload>();
  readonly #options: MemoryS3Options;
  #uploadCount = 0;
  /** The time that signatures are checked against. */
  readonly #clock: () => number;
  /** The time in objects and answers. */
  serverTime: () => number;

  constructor(options: MemoryS3Options = {}) {
    const { accessKeyId = "key", secretAccessKey = "secret" } = options;
    this.#options = options;
    this.bucket = options.bucket ?? "bucket";
    this.#clock = options.clock ?? Date.now;
    this.serverTime = this.#clock;
    const region = options.region ?? "us-east-1";
    this.keys = { accessKeyId, secretAccessKey, region };
  }

  /** Answers a request. */
  readonly fetch = async (
    input: string,
    init: RequestInit = {},
  ): Promise<Response> => {
    init.signal?.throwIfAborted();
    const { method = "GET" } = init;
    const url = new URL(input);
    const headers = new Headers(init.headers);
    const body = new Uint8Array(await new Response(init.body).arrayBuffer());
    try {
      const response = await this.#answer({ method, url, headers, body });
      return method === "HEAD" ? new Response(null, response) : response;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const { status, code } = error;
      const text = `<Error><Code>${code}</Code><Message>${code} of ` +
        `${escape(url.pathname)}</Message></Error>`;
      return this.#respond(method === "HEAD" ? null : text, { status });
    }
  };

  async #answer(request: SignedRequest): Promise<Response> {
    const { url, method } = request;
    const code = await signatureError(request, this.keys, this.#clock());
    if (code !== undefined) throw new Refusal(STATUS[code] ?? 403, code);
    const [, bucket = "", ...rest] = url.pathname.split("/");
    if (bucket !== this.bucket) throw new Refusal(404, "NoSuchBucket");
    const key = decodeURIComponent(rest.join("/"));
    const query = url.searchParams;
    if (this.#options.denies?.(method, key, query)) {
      throw new Refusal(403, "AccessDenied");
    }
    return await this.#dispatch({ ...request, key, query });
  }

  #dispatch(call: Call): Response | Promise<Response> {
    const { method, key, query } = call;
    const isUpload = query.has("uploadId");
    if (key === "" && method === "GET") {
      return query.has("uploads")
        ? this.#listUploads(query)
        : this.#list(query);
    }
    if (key === "") throw new Refusal(405, "MethodNotAllowed");
    if (method === "PUT") {
      return isUpload ? this.#putPart(call) : this.#put(call);
    }
    if (method === "POST") {
      return isUpload ? this.#complete(call) : this.#begin(call);
    }
    if (method === "DELETE") {
      return isUpload ? this.#abort(call) : this.#delete(key);
    }
    if (method === "GET" || method === "HEAD") return this.#get(call);
    throw new Refusal(405, "MethodNotAllowed");
  }

  #respond(body: BodyInit | null, init: ResponseInit = {}): Response {
    const headers = new Headers(init.headers);
    headers.set("date", new Date(this.serverTime()).toUTCString());
    if (typeof body === "string") {
      headers.set("content-type", "application/xml");
    }
    return new Response(body, { ...init, headers });
  }

  #get({ key, headers }: Call): Response {
    const object = this.objects.get(key);
    if (object === undefined) throw new Refusal(404, "NoSuchKey");
    const { body, etag, modified, kept } = object;
    const wanted = headers.get("if-match");
    if (wanted !== null && wanted !== etag) {
      throw new Refusal(412, "PreconditionFailed");
    }
    const answer = {
      ...kept,
      etag,
      "last-modified": new Date(modified).toUTCString(),
    };
    const range = /^bytes=(\d+)-(\d+)$/.exec(headers.get("range") ?? "");
    if (range === null) {
      const length = String(body.length);
      return this.#respond(body, {
        headers: { ...answer, "content-length": length },
      });
    }
    const start = Number(range[1]);
    const end = Math.min(Number(range[2]) + 1, body.length);
    if (start >= body.length) throw new Refusal(416, "InvalidRange");
    return this.#respond(body.slice(start, end), {
      status: 206,
      headers: {
        ...answer,
        "content-length": String(end - start),
        "content-range": `bytes ${start}-${end - 1}/${body.length}`,
      },
    });
  }

  async #put({ key, headers, body }: Call): Promise<Response> {
    this.#checkConditions(key, headers);
    await checkChecksum(headers, body);
    const etag = await etagOf(body);
    const modified = this.serverTime();
    // The wait may have taken time.
    this.#checkConditions(key, headers);
    this.objects.set(key, { body, etag, modified, kept: keptOf(headers) });
    return this.#respond(null, { headers: { etag } });
  }

  #checkConditions(key: string, headers: Headers): void {
    const wanted = headers.get("if-match");
    const found = this.objects.get(key);
    if (wanted !== null && found === undefined) {
      throw new Refusal(404, "NoSuchKey");
    }
    if (wanted !== null && wanted !== found?.etag) {
      throw new Refusal(412, "PreconditionFailed");
    }
    const condition = headers.get("if-none-match");
    if (condition === null) return;
    if (condition !== "*") throw new Refusal(501, "NotImplemented");
    if (this.objects.has(key)) throw new Refusal(412, "PreconditionFailed");
  }

  #delete(key: string): Response {
    this.objects.delete(key);
    return this.#respond(null, { status: 204 });
  }

  #begin({ key, headers, query }: Call): Response {
    if (!query.has("uploads")) throw new Refusal(400, "InvalidRequest");
    const uploadId = `upload-${++this.#uploadCount}`;
    const initiated = this.serverTime();
    const upload = { key, initiated, kept: keptOf(headers), parts: new Map() };
    this.uploads.set(uploadId, upload);
    return this.#respond(
      `<InitiateMultipartUploadResult><Key>${escape(key)}</Key>` +
        `<UploadId>${uploadId}</UploadId></InitiateMultipartUploadResult>`,
    );
  }

  #uploadOf({ key, query }: Call): [string, Upload] {
    const uploadId = query.get("uploadId") ?? "";
    const upload = this.uploads.get(uploadId);
    if (upload?.key === key) return [uploadId, upload];
    throw new Refusal(404, "NoSuchUpload");
  }

  async #putPart(call: Call): Promise<Response> {
    const [, { parts }] = this.#uploadOf(call);
    const number = Number(call.query.get("partNumber"));
    if (!(number >= 1 && number <= 10_000)) {
      throw new Refusal(400, "InvalidArgument");
    }
    await checkChecksum(call.headers, call.body);
    const etag = await etagOf(call.body);
    this.#uploadOf(call);
    parts.set(number, { etag, body: call.body });
    return this.#respond(null, { headers: { etag } });
  }

  async #complete(call: Call): Promise<Response> {
    const [uploadId, { key, parts, kept }] = this.#uploadOf(call);
    const listed = listedParts(new TextDecoder().decode(call.body));
    const bodies = listed.map(({ number, etag }, i) => {
      const previous = listed[i - 1]?.number ?? 0;
      if (number <= previous) throw new Refusal(400, "InvalidPartOrder");
      const part = parts.get(number);
      if (part === undefined || part.etag !== etag) {
        throw new Refusal(400, "InvalidPart");
      }
      const { partSizeMin = 5 * 1024 * 1024 } = this.#options;
      if (i < listed.length - 1 && part.body.length < partSizeMin) {
        throw new Refusal(400, "EntityTooSmall");
      }
      return part.body;
    });
    if (bodies.length === 0) throw new Refusal(400, "MalformedXML");
    const body = new Uint8Array(await new Blob(bodies).arrayBuffer());
    const etag = (await etagOf(body)).replace(/"$/, `-${bodies.length}"`);
    this.#uploadOf(call);
    this.#checkConditions(key, call.headers);
    this.uploads.delete(uploadId);
    this.objects.set(key, { body, etag, modified: this.serverTime(), kept });
    return this.#respond(
      `<CompleteMultipartUploadResult><Key>${escape(key)}</Key>` +
        `<ETag>${escape(etag)}</ETag></CompleteMultipartUploadResult>`,
    );
  }

  #abort(call: Call): Response {
    const [uploadId] = this.#uploadOf(call);
    this.uploads.delete(uploadId);
    return this.#respond(null, { status: 204 });
  }

  #list(query: URLSearchParams): Response {
    if (query.get("list-type") !== "2") {
      throw new Refusal(501, "NotImplemented");
    }
    const encode = encoderOf(query);
    const prefix = query.get("prefix") ?? "";
    const after = query.get("continuation-token") ?? "";
    const size = Math.min(
      Number(query.get("max-keys") ?? 1000),
      this.#options.pageSize ?? 1000,
    );
    const keys = [...this.objects.keys()].sort(byBytes)
      .filter((key) => key.startsWith(prefix) && key > after);
    const delimiter = query.get("delimiter") ?? "";
    const entries = groupKeys(keys, prefix, delimiter);
    const page = entries.slice(0, size);
    const last = page.at(-1)?.keys.at(-1);
    const contents = page.map(({ common, keys: [key = ""] }) => {
      if (common !== undefined) {
        return `<CommonPrefixes><Prefix>${encode(common)}</Prefix>` +
          "</CommonPrefixes>";
      }
      const { etag, body, modified } = this.objects.get(key) as StoredObject;
      const time = new Date(modified).toISOString();
      return `<Contents><Key>${encode(key)}</Key><LastModified>${time}` +
        `</LastModified><ETag>${
          escape(etag)
        }</ETag><Size>${body.length}</Size>` +
        "<StorageClass>STANDARD</StorageClass></Contents>";
    });
    return this.#respond(
      `<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult>` +
        encodingOf(query) + contents.join("") +
        ending(
          entries.length > page.length,
          "NextContinuationToken",
          last ?? "",
        ) +
        "</ListBucketResult>",
    );
  }

  #listUploads(query: URLSearchParams): Response {
    const encode = encoderOf(query);
    const prefix = query.get("prefix") ?? "";
    const [afterKey, afterId] = [
      query.get("key-marker"),
      query.get("upload-id-marker"),
    ];
    const isAfter = (key: string, id: string) =>
      afterKey === null || key > afterKey ||
      (key === afterKey && id > (afterId ?? ""));
    const all = [...this.uploads]
      .filter(([id, { key }]) => key.startsWith(prefix) && isAfter(key, id))
      .sort(([a, x], [b, y]) => byBytes(`${x.key} ${a}`, `${y.key} ${b}`));
    const page = all.slice(0, this.#options.pageSize ?? 1000);
    const [lastId = "", lastUpload] = page.at(-1) ?? [];
    const elements = page.map(([id, { key, initiated }]) =>
      `<Upload><Key>${encode(key)}</Key><UploadId>${id}</UploadId>` +
      `<Initiated>${new Date(initiated).toISOString()}</Initiated></Upload>`
    );
    const isTruncated = all.length > page.length;
    return this.#respond(
      `<ListMultipartUploadsResult>${encodingOf(query)}${elements.join("")}` +
        ending(isTruncated, "NextKeyMarker", encode(lastUpload?.key ?? "")) +
        (isTruncated
          ? `<NextUploadIdMarker>${lastId}</NextUploadIdMarker>`
          : "") +
        "</ListMultipartUploadsResult>",
    );
  }
}

function ending(isTruncated: boolean, name: string, next: string): string {
  const element = isTruncated ? `<${name}>${escape(next)}</${name}>` : "";
  return `<IsTruncated>${isTruncated}</IsTruncated>${element}`;
}

function encodingOf(query: URLSearchParams): string {
  const type = query.get("encoding-type");
  return type === "url" ? "<EncodingType>url</EncodingType>" : "";
}

function encoderOf(query: URLSearchParams): (key: string) => string {
  if (query.get("encoding-type") !== "url") return escape;
  return (key) =>
    encodeURIComponent(key).replace(/%20/g, "+").replace(/%2F/g, "/");
}

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (each) => `&#${each.charCodeAt(0)};`);
}

/** S3 lists by the bytes of UTF-8; the keys of these tests are below U+D800. */
function byBytes(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

async function etagOf(body: Uint8Array<ArrayBuffer>): Promise<string> {
  return `"${hex(await sha256(body)).slice(0, 32)}"`;
}

function keptOf(headers: Headers): Record<string, string> {
  const isKept = ([name]: [string, string]) =>
    name.startsWith("x-amz-meta-") || name === "x-amz-server-side-encryption";
  return Object.fromEntries([...headers].filter(isKept));
}

async function checkChecksum(
  headers: Headers,
  body: Uint8Array<ArrayBuffer>,
): Promise<void> {
  const given = headers.get("x-amz-checksum-sha256");
  if (given === null) return;
  const right = btoa(String.fromCharCode(...await sha256(body)));
  if (given !== right) throw new Refusal(400, "BadDigest");
}

function listedParts(xml: string): { number: number; etag: string }[] {
  const part = /<Part><PartNumber>(\d+)<\/PartNumber><ETag>([^<]*)<\/ETag>/g;
  return [...xml.matchAll(part)].map(([, number, etag = ""]) => ({
    number: Number(number),
    etag: etag.replace(/&#34;|&quot;/g, '"'),
  }));
}

/** An object, or all of those with a common prefix, as a listing has them. */
interface Entry {
  readonly common: string | undefined;
  readonly keys: string[];
}

function groupKeys(
  keys: readonly string[],
  prefix: string,
  delimiter: string,
): Entry[] {
  const entries: Entry[] = [];
  for (const key of keys) {
    const at = delimiter === "" ? -1 : key.indexOf(delimiter, prefix.length);
    const common = at < 0 ? undefined : key.slice(0, at + delimiter.length);
    const last = entries.at(-1);
    if (common !== undefined && common === last?.common) last.keys.push(key);
    else entries.push({ common, keys: [key] });
  }
  return entries;
}
