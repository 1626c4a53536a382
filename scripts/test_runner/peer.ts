/**
 * A process of one runtime that takes orders, one line of JSON each.
 *
 * @module
 */

import { TextLineStream } from "../support/text_line_stream.ts";

/** How a runtime runs a script. */
export interface PeerCommand {
  /** Its name in messages. */
  readonly name: string;
  /** The project that it runs in. */
  readonly cwd: string;
  /** The program and its arguments. */
  readonly command: readonly string[];
}

/** An answer, or how it comes. */
type Waiting = PromiseWithResolvers<unknown>;

/** A process that answers orders in any order. */
export class Peer {
  readonly name: string;
  readonly #process: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #waiting = new Map<number, Waiting>();
  readonly #reading: Promise<void>;
  #count = 0;

  constructor({ name, cwd, command: [program = "", ...args] }: PeerCommand) {
    this.name = name;
    this.#process = new Deno.Command(program, {
      args,
      cwd,
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#input = this.#process.stdin.getWriter();
    this.#reading = this.#read();
  }

  /** Gives an order, and waits for its result. */
  async tell<T>(order: Readonly<Record<string, unknown>>): Promise<T> {
    const number = this.#count++;
    const answer = Promise.withResolvers<unknown>();
    this.#waiting.set(number, answer);
    const line = `${JSON.stringify({ ...order, number })}\n`;
    await this.#input.write(new TextEncoder().encode(line));
    const result = await answer.promise as T & { readonly failure?: string };
    if (result.failure === undefined) return result;
    throw new Error(`${this.name}: ${result.failure}`);
  }

  /** Gives no more orders; resolves to whether the process ended well. */
  async end(): Promise<boolean> {
    await this.#input.close().catch(() => {});
    await this.#reading;
    return (await this.#process.status).success;
  }

  /** Stops it without ending it. */
  stop(): void {
    this.#process.kill("SIGSTOP");
  }

  /** Ends it as a crash would. Nothing happens when it has ended. */
  async kill(): Promise<void> {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.#process.status;
    await this.#input.abort().catch(() => {});
    await this.#reading;
  }

  async #read(): Promise<void> {
    const lines = this.#process.stdout
      .pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream());
    for await (const line of lines) {
      const { number, result } = JSON.parse(line);
      this.#waiting.get(number)?.resolve(result);
      this.#waiting.delete(number);
    }
    for (const { reject } of this.#waiting.values()) {
      reject(new Error(`${this.name} ended without an answer`));
    }
  }
}
