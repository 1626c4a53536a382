/**
 * The keys for signing requests.
 *
 * @module
 */

import { type Interruption, unlessAborted } from "../../backend/interrupt.ts";
import { StoreAccessError } from "../../errors.ts";
import { environmentVariable } from "../../runtime/environment.ts";
import { describe } from "../../text.ts";

/** Keys of an account; the shape is that of `@aws-sdk/credential-providers`. */
export interface S3Credentials {
  /** The name of the key. */
  readonly accessKeyId: string;
  /** The key itself. */
  readonly secretAccessKey: string;
  /** The token that comes with temporary keys. */
  readonly sessionToken?: string | undefined;
  /** When temporary keys end. */
  readonly expiration?: Date | undefined;
}

/**
 * Keys, or a function that gives them, which is called again before they end.
 */
export type S3CredentialsSource =
  | S3Credentials
  | (() => S3Credentials | Promise<S3Credentials>);

/** Keys are renewed so long before they end, in milliseconds. */
const RENEWAL_MS = 5 * 60 * 1000;

/**
 * Shorter secrets stay in texts. No account has one: AWS gives 40 characters,
 * and MinIO demands 8. On a test server a secret may be one letter, and a text
 * without that letter could not be read, and would tell the letter.
 */
const SECRET_LENGTH_MIN = 8;

/** The limits of a wait for keys. */
export interface KeyWait {
  /** How long it takes at most, in milliseconds. */
  readonly timeoutMs: number;
  /** Aborts when the store is closed. */
  readonly closing: Interruption | undefined;
  /** Aborts when the request is not needed any more. */
  readonly signal: AbortSignal | undefined;
}

/** Gives the keys for each request, and asks for new ones where necessary. */
export class KeyRing {
  /** Whether a caller's function gives the keys, so that it may give others. */
  readonly canRenew: boolean;
  readonly #source: () => S3Credentials | Promise<S3Credentials>;
  readonly #clock: () => number;
  #keys: S3Credentials | undefined;
  /** Secrets of the last two keys: an answer may be about the older ones. */
  #secrets: readonly (string | undefined)[] = [];
  #asking: Promise<S3Credentials> | undefined;

  constructor(source: S3CredentialsSource | undefined, clock: () => number) {
    this.canRenew = typeof source === "function";
    const given = source ?? credentialsFromEnvironment;
    this.#source = typeof given === "function" ? given : () => given;
    this.#clock = clock;
  }

  /**
   * @throws {StoreAccessError} when there are no keys, or they do not come in
   * time.
   */
  async keys(wait: KeyWait): Promise<S3Credentials> {
    const keys = this.#keys;
    const endsAt = keys?.expiration?.getTime() ?? Infinity;
    if (keys !== undefined && this.#clock() < endsAt - RENEWAL_MS) return keys;
    this.#asking ??= this.#askInTime(wait)
      .finally(() => this.#asking = undefined);
    const { signal } = wait;
    return await unlessAborted(
      this.#asking,
      signal === undefined ? [] : [signal],
    );
  }

  /**
   * Forgets keys that the server does not accept; the next request asks for new
   * ones. Another request may have done so already.
   */
  forget(refused: S3Credentials): void {
    if (this.#keys === refused) this.#keys = undefined;
  }

  /**
   * The text without the keys, which a server or provider may have put into it.
   */
  redact(text: string): string {
    return this.#secrets.filter((secret) => secret !== undefined)
      .filter(({ length }) => length >= SECRET_LENGTH_MIN)
      // A secret may be a part of another one.
      .sort((one, other) => other.length - one.length)
      .reduce(
        (rest, secret) => rest.replace(formsOf(secret), "[secret]"),
        text,
      );
  }

  /** The caller's function may never answer, and `close()` waits for requests. */
  async #askInTime({ timeoutMs, closing }: KeyWait): Promise<S3Credentials> {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(noAnswer(timeoutMs)), timeoutMs);
    // Closing needs requests as well, and these may still ask.
    const isClosing = closing === undefined || closing.aborted;
    const ends = isClosing ? [late.signal] : [late.signal, closing];
    try {
      return await unlessAborted(this.#ask(), ends);
    } finally {
      clearTimeout(timer);
    }
  }

  async #ask(): Promise<S3Credentials> {
    let given: S3Credentials;
    try {
      given = await this.#source();
    } catch (error) {
      if (error instanceof StoreAccessError) throw error;
      throw new StoreAccessError(
        `Cannot get credentials for object storage: ${describe(error)}`,
        { cause: error },
      );
    }
    const keys = requireCredentials(given);
    this.#keys = keys;
    const secrets = [keys.secretAccessKey, keys.sessionToken];
    this.#secrets = [...secrets, ...this.#secrets.slice(0, secrets.length)];
    return keys;
  }
}

/** Finds a secret as it is, and as URLs, JSON and HTML write it. */
function formsOf(secret: string): RegExp {
  const forms = Array.from(secret, (character) => {
    if (/^\w$/.test(character)) return character;
    const code = character.charCodeAt(0);
    const hex = code.toString(16).padStart(2, "0");
    const upper = hex.toUpperCase();
    return `(?:\\\\?\\x${hex}|\\\\u00(?:${hex}|${upper})|%${hex}|%${upper}|&#0*${code};` +
      `|&#[xX]0*(?:${hex}|${upper});|&${NAMES[character] ?? "#"};)`;
  });
  return new RegExp(forms.join(""), "g");
}

/** The names that HTML has for characters. */
const NAMES: Readonly<Record<string, string>> = {
  "&": "amp",
  "<": "lt",
  ">": "gt",
  '"': "quot",
  "'": "apos",
  "+": "plus",
  "/": "sol",
  "=": "equals",
};

/** A copy of the keys; no message shows a part of them. */
function requireCredentials(given: unknown): S3Credentials {
  const { accessKeyId, secretAccessKey, sessionToken, expiration } =
    (given ?? {}) as Partial<S3Credentials>;
  requireKey("accessKeyId", accessKeyId);
  requireKey("secretAccessKey", secretAccessKey);
  if (sessionToken !== undefined) requireKey("sessionToken", sessionToken);
  if (expiration !== undefined && !(expiration instanceof Date)) {
    throw refusal(`an expiration of type ${typeof expiration}`, "a Date");
  }
  return {
    accessKeyId: accessKeyId as string,
    secretAccessKey: secretAccessKey as string,
    sessionToken,
    expiration,
  };
}

/** Anything else would not fit into a header. */
const KEY = /^[\x21-\x7e]+$/;

function requireKey(name: string, value: unknown): void {
  if (typeof value !== "string") {
    throw refusal(`${name} of type ${typeof value}`, "a string");
  }
  if (KEY.test(value)) return;
  throw refusal(
    value === "" ? `an empty ${name}` : `spaces or odd characters in ${name}`,
    "printable ASCII",
  );
}

function noAnswer(timeoutMs: number): StoreAccessError {
  return new StoreAccessError(
    "Cannot get credentials for object storage: the function credentials has " +
      `not answered for ${timeoutMs} ms`,
  );
}

function refusal(found: string, expected: string): StoreAccessError {
  return new StoreAccessError(
    `Cannot use the credentials for object storage: found ${found}, ` +
      `expected ${expected}`,
  );
}

/** The variables that the tools of AWS read. */
function credentialsFromEnvironment(): S3Credentials {
  const accessKeyId = environmentVariable("AWS_ACCESS_KEY_ID");
  const secretAccessKey = environmentVariable("AWS_SECRET_ACCESS_KEY");
  if (accessKeyId !== undefined && secretAccessKey !== undefined) {
    const sessionToken = environmentVariable("AWS_SESSION_TOKEN");
    return { accessKeyId, secretAccessKey, sessionToken };
  }
  throw new StoreAccessError(
    "Cannot get credentials for object storage: found no AWS_ACCESS_KEY_ID " +
      "and AWS_SECRET_ACCESS_KEY in the environment; set them, or give the " +
      "option credentials",
  );
}
