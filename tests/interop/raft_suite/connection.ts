/**
 * Frames on a socket between `store_connection.go` and the server. Each side waits
 * for the other: no frame is read before it is asked for, and a frame that is sent
 * is awaited.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { Socket } from "node:net";

/** The kinds of frames; `store_connection.go` has the same. */
export const FRAME = {
  /** A request, or the answer to it. */
  json: "j",
  /** The message of an error, in place of an answer. */
  error: "e",
  /** Bytes of a state. */
  data: "d",
  /** The state is complete. */
  close: "c",
  /** The state is given up. */
  cancel: "x",
} as const;

/** One message. */
export interface Frame {
  readonly kind: string;
  readonly payload: Uint8Array;
}

const HEADER_SIZE = 5;

/** No frame is larger, in bytes; Go refuses one that is. */
const FRAME_SIZE_MAX = 1024 * 1024;

/** One connection of Go's process. */
export class Connection {
  readonly #socket: Socket;
  readonly #chunks: AsyncIterator<Uint8Array>;
  /** Bytes that were read beyond the frames that have been handed out. */
  #read: Uint8Array = new Uint8Array(0);

  /** Takes the socket over. */
  constructor(socket: Socket) {
    this.#socket = socket;
    this.#chunks = socket[Symbol.asyncIterator]();
  }

  /** The next frame; `undefined` when Go has ended the connection. */
  async receive(): Promise<Frame | undefined> {
    const header = await this.#take(HEADER_SIZE);
    if (header === undefined) return undefined;
    const view = new DataView(header.buffer, header.byteOffset, HEADER_SIZE);
    const length = view.getUint32(1);
    if (length > FRAME_SIZE_MAX) {
      throw new RangeError(
        `Cannot read a frame of ${length} bytes, expected at most ${FRAME_SIZE_MAX}`,
      );
    }
    const payload = await this.#take(length);
    if (payload === undefined) return undefined;
    return { kind: String.fromCharCode(view.getUint8(0)), payload };
  }

  /** Answers a request. */
  async answer(value: unknown): Promise<void> {
    await this.#send(FRAME.json, Buffer.from(JSON.stringify(value)));
  }

  /** Answers with an error. */
  async fail(error: unknown): Promise<void> {
    await this.#send(FRAME.error, Buffer.from(String(error)));
  }

  /** Sends bytes of a state. */
  async sendData(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; at += FRAME_SIZE_MAX) {
      await this.#send(FRAME.data, bytes.subarray(at, at + FRAME_SIZE_MAX));
    }
  }

  /** Says that the state is complete. */
  async endData(): Promise<void> {
    await this.#send(FRAME.close, new Uint8Array(0));
  }

  /** Ends the connection. */
  end(): void {
    this.#socket.end();
  }

  /** Resolves once the socket has taken the frame. */
  #send(kind: string, payload: Uint8Array): Promise<void> {
    const frame = Buffer.alloc(HEADER_SIZE + payload.length);
    frame.write(kind, "latin1");
    frame.writeUInt32BE(payload.length, 1);
    frame.set(payload, HEADER_SIZE);
    return new Promise((resolve, reject) => {
      this.#socket.write(frame, (error) => error ? reject(error) : resolve());
    });
  }

  /** The next bytes; `undefined` when there are fewer. */
  async #take(length: number): Promise<Uint8Array | undefined> {
    while (this.#read.length < length) {
      const { done, value } = await this.#chunks.next();
      if (done) return undefined;
      this.#read = Buffer.concat([this.#read, value]);
    }
    const taken = this.#read.subarray(0, length);
    this.#read = this.#read.subarray(length);
    return taken;
  }
}
