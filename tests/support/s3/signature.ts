/**
 * Checks signatures as AWS describes them (Signature Version 4), written without
 * the package that the store signs with.
 */

/** The keys that a server knows. */
export interface ServerKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
}

/** A request as a server has it. */
export interface SignedRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  readonly body: Uint8Array<ArrayBuffer>;
}

const SKEW_MS_MAX = 15 * 60 * 1000;

/** The code of the error that a server answers with; none when all is well. */
export async function signatureError(
  request: SignedRequest,
  keys: ServerKeys,
  now: number,
): Promise<string | undefined> {
  const { headers, body } = request;
  const match =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/
      .exec(headers.get("authorization") ?? "");
  if (match === null) return "AccessDenied";
  const [, keyId, day = "", region, signed = "", signature] = match;
  if (keyId !== keys.accessKeyId) return "InvalidAccessKeyId";
  if (region !== keys.region) return "AuthorizationHeaderMalformed";
  const date = headers.get("x-amz-date") ?? "";
  if (Math.abs(parseDate(date) - now) > SKEW_MS_MAX) {
    return "RequestTimeTooSkewed";
  }
  const names = signed.split(";");
  const mustBeSigned = [...headers.keys()].filter((name) =>
    name.startsWith("x-amz-") || name.startsWith("x-goog-")
  );
  if (!["host", ...mustBeSigned].every((name) => names.includes(name))) {
    return "AccessDenied";
  }
  const scope = `${day}/${region}/s3/aws4_request`;
  const canonical = await sha256(canonicalRequest(request, names));
  const text = ["AWS4-HMAC-SHA256", date, scope, hex(canonical)].join("\n");
  let key: Uint8Array<ArrayBuffer> = encode(`AWS4${keys.secretAccessKey}`);
  for (const each of [day, region, "s3", "aws4_request", text]) {
    key = await hmac(key, each);
  }
  if (hex(key) !== signature) return "SignatureDoesNotMatch";
  const hash = hex(await sha256(body));
  return headers.get("x-amz-content-sha256") === hash
    ? undefined
    : "XAmzContentSHA256Mismatch";
}

function canonicalRequest(
  { method, url, headers }: SignedRequest,
  names: readonly string[],
): string {
  const query = [...url.searchParams]
    .map(([name, value]) => `${strict(name)}=${strict(value)}`).sort();
  const path = url.pathname.split("/")
    .map((name) => strict(decodeURIComponent(name))).join("/");
  const lines = names.map((name) => {
    const value = name === "host" ? url.host : headers.get(name) ?? "";
    return `${name}:${value.trim().replace(/ +/g, " ")}`;
  });
  return [
    method,
    path,
    query.join("&"),
    ...lines,
    "",
    names.join(";"),
    headers.get("x-amz-content-sha256") ?? "",
  ].join("\n");
}

function parseDate(text: string): number {
  const iso = text.replace(
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/,
    "$1-$2-$3T$4:$5:$6Z",
  );
  return Date.parse(iso);
}

function strict(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function encode(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** The SHA-256 of bytes, or of a text. */
export async function sha256(
  input: Uint8Array<ArrayBuffer> | string,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = typeof input === "string" ? encode(input) : input;
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

/** Bytes in hexadecimal. */
export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (each) => each.toString(16).padStart(2, "0")).join(
    "",
  );
}

async function hmac(
  key: Uint8Array<ArrayBuffer>,
  text: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const hash = { name: "HMAC", hash: "SHA-256" };
  const usable = await crypto.subtle.importKey("raw", key, hash, false, [
    "sign",
  ]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", usable, encode(text)));
}
