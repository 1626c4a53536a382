/** Asks a server for a snapshot, and refuses answers that can't be one. */

import { printable } from "../../../mod.ts";
import { warn } from "../output.ts";
import { messageOf } from "../reason.ts";
import { type Answer, get } from "./request.ts";
import type { SourceSettings } from "./source_options.ts";

/** The bytes of a snapshot, and the server's digest of them. */
export interface SnapshotAnswer {
  /** The archive, as it came. */
  readonly chunks: AsyncGenerator<Uint8Array, void, void>;
  /** The SHA-256 of the archive, in base64, where the server says it: Nomad. */
  readonly sha256: string | undefined;
}

/** The server did not send a snapshot. */
export class SourceError extends Error {
  override readonly name = "SourceError";
}

/** More redirects than this lead nowhere. */
const REDIRECTS_MAX = 5;

/** How many characters of a server's answer are shown. */
const ANSWER_LENGTH_MAX = 200;

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/**
 * Asks for a snapshot. The caller must read it out, or end the generator.
 *
 * @throws {SourceError} when the server can't be reached, or answers with
 * something else.
 */
export async function requestSnapshot(
  source: SourceSettings,
  signal: AbortSignal,
): Promise<SnapshotAnswer> {
  const token = await source.readToken();
  const tls = await source.readTls();
  const headers = token === undefined
    ? source.headers
    : { ...source.headers, [source.vendor.tokenHeader]: token };
  const { stallMs } = source;
  let { url } = source;
  for (let hops = 0; hops <= REDIRECTS_MAX; hops++) {
    const target = { source, url, signal };
    const request = { headers, tls, stallMs, signal };
    const answer = await reach(target, () => get(url, request));
    if (!REDIRECTS.has(answer.status)) {
      return await readAnswer(target, answer, token);
    }
    answer.close();
    url = redirectedTo(answer.header("location"), url, source);
  }
  throw new SourceError(
    `Cannot get a snapshot: ${shown(url)} has redirected more than ` +
      `${REDIRECTS_MAX} times`,
  );
}

/** The token and the certificate must not go to a host that was not named. */
function redirectedTo(
  location: string | undefined,
  from: URL,
  { url, redirectHosts, vendor }: SourceSettings,
): URL {
  let to: URL;
  try {
    to = new URL(location ?? "", from);
  } catch {
    throw new SourceError(
      `Cannot get a snapshot: ${
        shown(from)
      } has redirected to something that ` +
        "is not a URL",
    );
  }
  const isAllowed = to.host === url.host ||
    [to.host, to.hostname].some((host) => redirectHosts.includes(host));
  if (!isAllowed) {
    throw new SourceError(
      `Cannot get a snapshot: ${shown(from)} has redirected to ${shown(to)}, ` +
        "which the token is not sent to; give the address of the leader of " +
        `${vendor.name}, or --redirect-host ${printable(to.host)}`,
    );
  }
  const isAsSafe = /^https:$/.test(to.protocol) || to.protocol === url.protocol;
  if (isAsSafe && to.username + to.password === "") return to;
  throw new SourceError(
    `Cannot get a snapshot: ${shown(from)} has redirected to ${shown(to)}, ` +
      `expected https (or ${url.protocol} as before) without a user name`,
  );
}

/** The request, and its limits. */
interface Target {
  readonly source: SourceSettings;
  readonly url: URL;
  readonly signal: AbortSignal;
}

async function readAnswer(
  target: Target,
  answer: Answer,
  token: string | undefined,
): Promise<SnapshotAnswer> {
  const { url, source: { vendor, allowsStale } } = target;
  if (answer.status !== 200) {
    const text = await beginningOf(answer, token);
    target.signal.throwIfAborted();
    const said = text === "" ? "" : `: ${printable(text)}`;
    const isDenied = answer.status === 401 || answer.status === 403;
    throw new SourceError(
      `Cannot get a snapshot: ${shown(url)} answered ${answer.status}${said}` +
        (isDenied
          ? "; pass a token that may take snapshots (--token-file)"
          : ""),
    );
  }
  const encoding = answer.header("content-encoding") ?? "identity";
  if (encoding !== "identity") {
    answer.close();
    throw new SourceError(
      `Cannot use the snapshot of ${shown(url)}: found ` +
        `content-encoding ${printable(encoding)}, expected identity: a proxy ` +
        "has compressed it once more",
    );
  }
  if (answer.header("x-consul-knownleader") === "false") {
    const what = `${shown(url)} knows of no leader (X-Consul-KnownLeader)`;
    if (!allowsStale) {
      answer.close();
      throw new SourceError(
        `Cannot use the snapshot of Consul: ${what}; --stale takes it anyway`,
      );
    }
    warn(`${what}: the snapshot may be old`);
  }
  const [, sha256] = /^sha-256=([\w+/]{43}=)$/i.exec(
    vendor.name === "Nomad" ? answer.header("digest") ?? "" : "",
  ) ?? [];
  return { chunks: named(target, answer), sha256 };
}

/** The chunks; an error of the connection names the server. */
async function* named(
  target: Target,
  answer: Answer,
): AsyncGenerator<Uint8Array, void, void> {
  const chunks = answer.chunks();
  try {
    for (;;) {
      const { done, value } = await reach(target, () => chunks.next());
      if (done) return;
      yield value;
    }
  } finally {
    answer.close();
  }
}

/** The beginning of the server's answer, of any length, without the token. */
async function beginningOf(
  answer: Answer,
  token: string | undefined,
): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  try {
    for await (const chunk of answer.chunks()) {
      text += decoder.decode(chunk, { stream: true });
      if (text.length >= ANSWER_LENGTH_MAX + (token?.length ?? 0)) break;
    }
  } catch {
    // An answer that can't be read is not shown.
  }
  const safe = token === undefined ? text : text.replaceAll(token, "[token]");
  return safe.slice(0, ANSWER_LENGTH_MAX).trim();
}

/** Errors of the connection say which server they are about. */
async function reach<T>(
  { source: { vendor }, url, signal }: Target,
  step: () => Promise<T>,
): Promise<T> {
  try {
    return await step();
  } catch (error) {
    signal.throwIfAborted();
    throw new SourceError(
      `Cannot get a snapshot of ${vendor.name} from ${shown(url)}: ` +
        reasonOf(error),
      { cause: error },
    );
  }
}

/** The code where there is no text: Node has none for several addresses. */
function reasonOf(error: unknown): string {
  const { code } = error as { readonly code?: unknown };
  const text = messageOf(error);
  if (typeof code !== "string" || text.includes(code)) return text;
  return text === "" ? code : `${text} (${code})`;
}

/** A URL without the parts that may be secret. */
function shown({ protocol, host, pathname }: URL): string {
  return printable(`${protocol}//${host}${pathname}`);
}
