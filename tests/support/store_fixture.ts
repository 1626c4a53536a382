/**
 * A file store on a disk in memory, with the means to use and damage it.
 */

import { setImmediate } from "node:timers";
import {
  type FileSnapshotStoreOptions,
  type Logger,
  openFileSnapshotStore,
  type OpenOptions,
  type SnapshotInit,
  type SnapshotStore,
} from "@raft/snapshots";
import {
  FaultyFileSystem,
  MemoryFileSystem,
  type Operation,
  type OperationName,
} from "@raft/snapshots/testing";

/** Go's *base* in memory. */
export const BASE = "/data";

/** Where the snapshots are in memory. */
export const SNAPSHOTS = `${BASE}/snapshots`;

/** An ordinary snapshot; the one of Go's own tests. */
export const INIT: SnapshotInit = {
  index: 10n,
  term: 3n,
  configuration: {
    servers: [{ suffrage: "voter", id: "my id", address: "over here" }],
  },
  configurationIndex: 2n,
};

/** A logger that records every message. */
export class Log implements Logger {
  /** Everything, as `level: message`. */
  readonly lines: string[] = [];
  debug = (message: string) => void this.lines.push(`debug: ${message}`);
  info = (message: string) => void this.lines.push(`info: ${message}`);
  warn = (message: string) => void this.lines.push(`warn: ${message}`);
  error = (message: string) => void this.lines.push(`error: ${message}`);

  /** The lines of that level which hold the text. */
  matching(level: "debug" | "info" | "warn" | "error", text = ""): string[] {
    return this.lines.filter((line) =>
      line.startsWith(`${level}: `) && line.includes(text)
    );
  }
}

/** Operations that wait. */
interface Held {
  readonly gate: Gate;
  /** Resolves once one of them is waiting. */
  waiting(): Promise<void>;
}

/** A disk, and how to open the store on it. */
export class StoreFixture {
  /** The disk itself, which tests may change. */
  readonly disk: MemoryFileSystem;
  /** The disk as the store sees it. */
  readonly files: FaultyFileSystem;
  /** The log of the store. */
  readonly log = new Log();

  constructor(disk = new MemoryFileSystem()) {
    this.disk = disk;
    this.files = new FaultyFileSystem(disk);
  }

  /** Opens the store. */
  open(options: FileSnapshotStoreOptions = {}): Promise<SnapshotStore> {
    return openFileSnapshotStore(BASE, {
      fileSystem: this.files,
      logger: this.log,
      ...options,
    });
  }

  /** Publishes snapshots with a store that is then closed; oldest first. */
  async prepare(
    indexes: readonly (number | bigint)[],
    term: number | bigint = 3n,
  ): Promise<string[]> {
    const store = await this.open({ retain: 100 });
    const ids: string[] = [];
    for (const index of indexes) {
      ids.push(await save(store, `state ${index}`, { index, term }));
    }
    await store.close();
    return ids;
  }

  /** From now on those operations wait, until the gate is opened. */
  hold(name: OperationName, path: RegExp): Held {
    const gate = new Gate();
    let isWaiting = false;
    this.files.inject((operation) => {
      if (operation.name !== name || !path.test(operation.path)) return;
      isWaiting = true;
      return { wait: gate.opened };
    });
    const waiting = () => until(() => isWaiting, `${name} is waiting`);
    return { gate, waiting };
  }

  /** The names in `snapshots/`, without the lock's. */
  names(): string[] {
    return this.disk.tree()
      .map((path) => /^\/data\/snapshots\/([^/]+)\/?$/.exec(path)?.[1])
      .filter((name) => name !== undefined && name !== ".lock") as string[];
  }

  /** How much is open beside `snapshots/`, which an open store holds. */
  get openHandles(): number {
    return this.files.openPaths.filter((path) => path !== SNAPSHOTS).length;
  }

  /** The content of a file of a snapshot. */
  read(id: string, part: string): Uint8Array {
    return this.disk.readFile(`${SNAPSHOTS}/${id}/${part}`);
  }

  /** Replaces a file of a snapshot. */
  write(id: string, part: string, content: Uint8Array | string): void {
    this.disk.writeFile(`${SNAPSHOTS}/${id}/${part}`, toBytes(content));
  }

  /** Flips one bit. */
  corrupt(id: string, offset = 0, part = "state.bin"): void {
    const content = this.read(id, part);
    content[offset] = (content[offset] ?? 0) ^ 1;
    this.write(id, part, content);
  }

  /** Removes the block checksums, as in a snapshot that Go wrote. */
  async unseal(id: string): Promise<void> {
    await this.disk.removeFile(`${SNAPSHOTS}/${id}/blocks.crc64`);
  }

  /** Removes a file of a snapshot. */
  async remove(id: string, part: string): Promise<void> {
    await this.disk.removeFile(`${SNAPSHOTS}/${id}/${part}`);
  }

  /** The operations since, as `name path` with the path below `snapshots/`. */
  trace(since = 0): string[] {
    return this.files.trace.slice(since).map(describeOperation);
  }
}

/** An operation as `name path`, with the path below `snapshots/`. */
export function describeOperation({ name, path, to }: Operation): string {
  const short = (it: string) => it.replace(`${SNAPSHOTS}/`, "");
  return `${name} ${short(path)}${to === undefined ? "" : ` ${short(to)}`}`;
}

function toBytes(content: Uint8Array | string): Uint8Array {
  return typeof content === "string" ? encode(content) : content;
}

/** The bytes of a text. */
export function encode(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** The text of bytes. */
export function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** A stream of chunks. */
export function streamOfChunks(
  ...chunks: unknown[]
): ReadableStream<Uint8Array> {
  return new ReadableStream<unknown>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  }) as ReadableStream<Uint8Array>;
}

/** Publishes a snapshot; resolves to its ID. */
export async function save(
  store: SnapshotStore,
  state: string | Uint8Array,
  init: Partial<SnapshotInit> = {},
): Promise<string> {
  const sink = await store.create({ ...INIT, ...init });
  await streamOfChunks(toBytes(state)).pipeTo(sink);
  return sink.id;
}

/** Reads a state as text. */
export async function load(
  store: SnapshotStore,
  id: string,
  options: OpenOptions = {},
): Promise<string> {
  return await new Response(await store.open(id, options)).text();
}

/** The IDs that a store lists. */
export async function listIds(store: SnapshotStore): Promise<string[]> {
  return (await store.list()).map(({ id }) => id);
}

/** A promise that the test resolves. */
export class Gate {
  /** Resolves when the gate is opened. */
  readonly opened: Promise<void>;
  #open: () => void = () => {};

  constructor() {
    this.opened = new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  /** Lets everything through. */
  open(): void {
    this.#open();
  }
}

/** Lets everything else in this process run for a while. */
export async function letOthersWork(turns = 50): Promise<void> {
  for (let i = 0; i < turns; i++) {
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}

/**
 * Waits until a condition holds. It counts checks, not time: so many are enough
 * on a slow machine.
 */
export async function until(
  condition: () => boolean,
  what: string,
): Promise<void> {
  for (let turn = 0; turn < 10_000; turn++) {
    if (condition()) return;
    await letOthersWork(1);
  }
  throw new Error(`Waited in vain: ${what}`);
}
