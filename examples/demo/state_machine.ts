/** The state machines that the demo can drive. */

import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { rename, stat } from "node:fs/promises";
import { Readable, Writable } from "node:stream";
import { KeyValueStore } from "../key_value_store.ts";
import { formatCount } from "../../src/cli/format.ts";

/** A state machine whose state the demo saves and restores. */
export interface StateMachine {
  /** The last log index that it has applied. */
  readonly index: bigint;
  /** Its state in a few words, such as `1,000,000 keys`. */
  readonly summary: string;
  /** Bytes that a snapshot will have, where that is known beforehand. */
  readonly sizeBytes: number | undefined;
  /** Applies the log up to the next snapshot; resolves to a summary. */
  advance(): Promise<string>;
  /** The state as a stream. */
  snapshot(): ReadableStream<Uint8Array<ArrayBuffer>>;
  /** Takes a state; it counts once the stream has been closed. */
  restore(): WritableStream<Uint8Array>;
  /** SHA-256 of the state, in hexadecimal. */
  digest(): Promise<string>;
}

/** A {@linkcode KeyValueStore} that first gets `keys` keys, then changes. */
export class KeyValueMachine implements StateMachine {
  readonly #store = new KeyValueStore();
  readonly #keys: number;
  #applied = 0;

  constructor(keys: number) {
    this.#keys = keys;
  }

  get index(): bigint {
    return BigInt(this.#applied);
  }

  get summary(): string {
    return `${formatCount(this.#store.size)} keys`;
  }

  get sizeBytes(): undefined {
    return undefined;
  }

  advance(): Promise<string> {
    const first = this.#applied === 0;
    const commands = first ? this.#keys : Math.ceil(this.#keys / 4);
    for (let i = 0; i < commands; i++) this.#applyNext();
    const count = formatCount(commands);
    return Promise.resolve(
      first ? `applied ${count} commands` : `applied ${count} more commands`,
    );
  }

  /** At first only new keys; then every other command is about an old one. */
  #applyNext(): void {
    const number = this.#applied++;
    const turn = number < this.#keys ? 3 : number % 4;
    const old = `user:${(number * 7919) % this.#keys}`;
    if (turn === 0) return this.#store.apply({ op: "delete", key: old });
    const key = turn === 1 ? old : `user:${number}`;
    const value = `{"name":"User ${number}","visits":${number % 97}}`;
    this.#store.apply({ op: "set", key, value });
  }

  snapshot(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.#store.snapshot();
  }

  restore(): WritableStream<Uint8Array> {
    return this.#store.restore();
  }

  async digest(): Promise<string> {
    return await sha256(this.snapshot());
  }
}

/** Any file as the state. A restored state is written to another file. */
export class FileMachine implements StateMachine {
  #path: string;
  #sizeBytes = 0;
  #index = 0n;
  readonly #restoredPath: string;

  /** `restoredPath` is where a restored state goes. */
  constructor(path: string, restoredPath: string) {
    this.#path = path;
    this.#restoredPath = restoredPath;
  }

  get index(): bigint {
    return this.#index;
  }

  get summary(): string {
    return "the file";
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  async advance(): Promise<string> {
    this.#sizeBytes = (await stat(this.#path)).size;
    this.#index += 1000n;
    return `the state at index ${formatCount(this.#index)} is ${this.#path}`;
  }

  snapshot(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return Readable.toWeb(
      createReadStream(this.#path, { highWaterMark: 1024 * 1024 }),
    ) as ReadableStream<Uint8Array<ArrayBuffer>>;
  }

  restore(): WritableStream<Uint8Array> {
    const partial = `${this.#restoredPath}.partial`;
    const file = Writable.toWeb(createWriteStream(partial)).getWriter();
    return new WritableStream({
      write: (chunk) => file.write(chunk),
      close: async () => {
        await file.close();
        await rename(partial, this.#restoredPath);
        this.#path = this.#restoredPath;
        this.#sizeBytes = (await stat(this.#path)).size;
      },
      abort: (reason) => file.abort(reason),
    });
  }

  async digest(): Promise<string> {
    return await sha256(this.snapshot());
  }
}

async function sha256(stream: ReadableStream<Uint8Array>): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of stream) hash.update(chunk);
  return hash.digest("hex");
}
