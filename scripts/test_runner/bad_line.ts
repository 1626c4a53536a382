/**
 * A TCP proxy that stands for a bad line: it cuts, stalls, corrupts,
 * duplicates, truncates and answers with garbage, as its seed decides.
 *
 * @module
 */

import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import type { Random } from "../../tests/support/random.ts";

/** The faults of the bytes that a server sends on one connection. */
export const FAULTS = [
  "nothing",
  "cut",
  "reset",
  "stall",
  "corrupt",
  "duplicate",
  "truncate",
  "garbage",
] as const;

/** One of them. */
export type FaultKind = typeof FAULTS[number];

/** Faults after which every byte that came before is right. */
export const CLEAN: readonly FaultKind[] = ["nothing", "cut", "reset", "stall"];

/** A fault, and after how many bytes of the connection it comes. */
interface Fault {
  readonly kind: FaultKind;
  readonly at: number;
}

/** Answers that no snapshot server gives. */
const GARBAGE = [
  "HTTP/1.1 502 Bad Gateway\r\ncontent-length: 3\r\n\r\nno\n",
  "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 6\r\n\r\n<html>",
  "HTTP/1.1 206 Partial Content\r\ncontent-length: 4\r\n\r\nxxxx",
  "HTTP/1.1 503 Service Unavailable\r\nretry-after: 0\r\ncontent-length: 0\r\n\r\n",
  "HTTP/1.1 200 OK\r\n\r\n",
  "SSH-2.0-OpenSSH_9.6\r\n",
  "\0\x16\x03\x01\r\n\r\n",
];

/** Most bytes before a fault comes. */
const FAULT_AT_MAX = 600_000;

/** The most faults of one line, so that an install comes to an end. */
const FAULTS_MAX = 12;

/** A proxy for one install. */
export class BadLine {
  /** The faults that have happened. */
  readonly faults: FaultKind[] = [];
  readonly #server = createServer((client) => this.#join(client));
  readonly #sockets = new Set<Socket>();
  readonly #random: Random;
  readonly #target: number;
  readonly #kinds: readonly FaultKind[];

  /** `target` is the server's port; `kinds` are the possible faults. */
  constructor(target: number, random: Random, kinds: readonly FaultKind[]) {
    this.#target = target;
    this.#random = random;
    this.#kinds = kinds;
  }

  /** Listens; resolves to the port. */
  listen(): Promise<number> {
    return new Promise((resolve) =>
      this.#server.listen(0, "127.0.0.1", () => {
        resolve((this.#server.address() as AddressInfo).port);
      })
    );
  }

  /** Ends all connections. */
  close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #nextFault(): Fault {
    const random = this.#random;
    const isOver = this.faults.length >= FAULTS_MAX;
    const kind = isOver ? "nothing" : random.pick(this.#kinds);
    if (kind !== "nothing") this.faults.push(kind);
    // Some come early, in the headers.
    return {
      kind,
      at: random.integer(random.pick([300, 5_000, 100_000, FAULT_AT_MAX])),
    };
  }

  #join(client: Socket): void {
    this.#watch(client);
    const fault = this.#nextFault();
    if (fault.kind === "garbage") {
      const garbage = this.#random.pick(GARBAGE);
      client.once("data", () => client.end(garbage));
      return;
    }
    const server = connect(this.#target, "127.0.0.1");
    this.#watch(server);
    server.on("close", () => client.destroy());
    client.on("close", () => server.destroy());
    client.on("data", (bytes) => server.write(bytes));
    client.on("end", () => server.end());
    server.on("end", () => client.end());
    const pass = (bytes: Uint8Array) => {
      if (!client.write(bytes)) server.pause();
    };
    client.on("drain", () => server.resume());
    let passed = 0;
    let isDone = fault.kind === "nothing";
    server.on("data", (bytes) => {
      const here = fault.at - passed;
      passed += bytes.length;
      if (isDone || here >= bytes.length) return pass(bytes);
      isDone = true;
      DAMAGE[fault.kind]({ bytes, here, pass, client, server });
    });
  }

  #watch(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.#sockets.delete(socket));
  }
}

/** The place of a fault. */
interface FaultPlace {
  /** The bytes that the server has just sent. */
  readonly bytes: Uint8Array;
  /** Where in them the fault is. */
  readonly here: number;
  /** Sends bytes to the client. */
  readonly pass: (bytes: Uint8Array) => void;
  readonly client: Socket;
  readonly server: Socket;
}

const DAMAGE: Readonly<Record<FaultKind, (place: FaultPlace) => void>> = {
  nothing: ({ bytes, pass }) => pass(bytes),
  garbage: ({ bytes, pass }) => pass(bytes),
  cut({ bytes, here, client, server }) {
    client.end(bytes.subarray(0, here));
    server.destroy();
  },
  reset({ bytes, here, client, pass }) {
    pass(bytes.subarray(0, here));
    client.resetAndDestroy();
  },
  stall({ bytes, here, pass, server }) {
    pass(bytes.subarray(0, here));
    // Until the client gives up, even when the server gives up first.
    server.pause();
    for (const event of ["data", "end", "close"]) {
      server.removeAllListeners(event);
    }
  },
  corrupt({ bytes, here, pass }) {
    const copy = Uint8Array.from(bytes);
    copy[here] = (copy[here] ?? 0) ^ 0x10;
    pass(copy);
  },
  duplicate({ bytes, here, pass }) {
    pass(bytes);
    pass(bytes.subarray(here));
  },
  truncate: ({ bytes, here, pass }) => pass(bytes.subarray(0, here)),
};
