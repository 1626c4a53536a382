/**
 * The contents of a state of Consul or Nomad: how many records of each type,
 * and how long they are, as `consul snapshot inspect` counts them (`enhance` in
 * Consul's `snapshot_inspect.go`). Memory stays flat: records are counted as
 * they pass, and only those with a key are kept, one at a time, when keys are
 * asked for.
 */

import { Decoder } from "@msgpack/msgpack";
import { MsgpackScanner, StateFormatError } from "./msgpack_scanner.ts";
import {
  HEADER_SIZE_MAX,
  programOf,
  type StateProgram,
} from "./state_programs.ts";

/** A row of a table. */
export interface StateCount {
  /** The name of a type, or how keys begin. */
  readonly name: string;
  /** How many records. */
  readonly count: number;
  /** Their length in bytes. */
  readonly size: number;
}

/** Which keys to count. */
export interface KeyOptions {
  /** How many parts of a key, between slashes, are told apart. */
  readonly depth: number;
  /** How the keys begin that count. */
  readonly filter: string;
}

/** The contents of a state. */
export interface StateContents {
  /** Whose state it is; `undefined` when it is another program's. */
  readonly program: StateProgram["name"] | undefined;
  /** By type, the longest first. */
  readonly types: readonly StateCount[];
  /** By the beginning of their keys, the longest first. */
  readonly keys: readonly StateCount[] | undefined;
}

/** A longer record is counted, but its key is not looked for. */
const KEPT_BYTES_MAX = 2 * 1024 * 1024;
/** More would not be read, and might fill the memory. */
const PREFIXES_MAX = 100_000;
const OTHER_KEYS = "(other keys)";

/** Takes a state chunk by chunk. */
export class StateSummary {
  readonly #keyOptions: KeyOptions | undefined;
  readonly #scanner = new MsgpackScanner();
  readonly #types = new Map<string, StateCount>();
  readonly #keys = new Map<string, StateCount>();
  // Values may be of any bytes, so that texts stay bytes.
  readonly #decoder = new Decoder({ rawStrings: true });
  /** Where the next chunk begins. */
  #offset = 0;
  /** `null` for another program. */
  #program: StateProgram | null | undefined;
  #header: number[] = [];
  /** Where the record begins, with its type, or behind the one before. */
  #start = 0;
  #type: number | undefined;
  /** The bytes of a record with a key. */
  #kept: Uint8Array[] = [];
  #keptBytes = 0;

  /** Counts keys as well when it is told how. */
  constructor(keys?: KeyOptions) {
    this.#keyOptions = keys;
  }

  /**
   * Takes the next bytes of the state.
   *
   * @throws {StateFormatError} when the state of a known program is damaged.
   */
  update(chunk: Uint8Array): void {
    let at = 0;
    if (this.#program === undefined) at = this.#readHeader(chunk);
    try {
      while (at < chunk.length && this.#program) {
        if (this.#type === undefined) this.#type = chunk[at++];
        else at = this.#readRecord(chunk, at, this.#program);
      }
    } catch (error) {
      if (!this.#isDoubtful) throw error;
      this.#program = null;
    }
    this.#offset += chunk.length;
  }

  /** Nomad's header is one byte, with which other states may begin as well. */
  get #isDoubtful(): boolean {
    return this.#program?.name === "Nomad" && this.#types.size === 0;
  }

  /**
   * Everything that was counted, at the end of the state.
   *
   * @throws {StateFormatError} when the state ends in the middle of a record.
   */
  finish(): StateContents {
    if (!this.#program || this.#isDoubtful) {
      return { program: undefined, types: [], keys: undefined };
    }
    if (this.#type !== undefined) {
      throw new StateFormatError(
        "The state is truncated: the record that begins here is incomplete",
        this.#start,
      );
    }
    return {
      program: this.#program.name,
      types: sorted(this.#types),
      keys: this.#keyOptions && this.#program.keyValue !== undefined
        ? sorted(this.#keys)
        : undefined,
    };
  }

  /** Reads on in the first value; gives where that ends in the chunk. */
  #readHeader(chunk: Uint8Array): number {
    let at = 0;
    while (at < chunk.length) {
      this.#header.push(chunk[at] as number);
      const end = this.#tryScan(chunk.subarray(at, at + 1));
      at++;
      if (end) {
        this.#program = programOf(Uint8Array.from(this.#header)) ?? null;
        return at;
      }
      if (this.#header.length < HEADER_SIZE_MAX) continue;
      this.#program = null;
      return at;
    }
    return at;
  }

  /** Another program's bytes need not be msgpack. */
  #tryScan(byte: Uint8Array): boolean {
    try {
      return this.#scanner.scan(byte, 0, 0) !== undefined;
    } catch (error) {
      if (error instanceof StateFormatError) return false;
      throw error;
    }
  }

  /** Reads on in a record; gives how far. */
  #readRecord(chunk: Uint8Array, at: number, program: StateProgram): number {
    const end = this.#scanner.scan(chunk, at, this.#offset);
    const part = chunk.subarray(at, end);
    const isKey = this.#keyOptions !== undefined &&
      this.#type === program.keyValue;
    if (isKey) this.#keep(part);
    if (end === undefined) return chunk.length;
    const size = this.#offset + end - this.#start;
    const type = this.#type as number;
    add(this.#types, program.types.get(type) ?? `Unknown(${type})`, size);
    if (isKey) this.#countKey(size);
    this.#start = this.#offset + end;
    this.#type = undefined;
    return end;
  }

  #keep(part: Uint8Array): void {
    this.#keptBytes += part.length;
    // A chunk may be used again for the next one.
    if (this.#keptBytes <= KEPT_BYTES_MAX) this.#kept.push(part.slice());
    else this.#kept = [];
  }

  #countKey(size: number): void {
    const { depth, filter } = this.#keyOptions as KeyOptions;
    const key = this.#keyOfRecord();
    this.#kept = [];
    this.#keptBytes = 0;
    if (key !== undefined && !key.startsWith(filter)) return;
    const prefix = key?.split("/").slice(0, depth).join("/") ?? OTHER_KEYS;
    const isKnown = this.#keys.has(prefix) || this.#keys.size < PREFIXES_MAX;
    add(this.#keys, isKnown ? prefix : OTHER_KEYS, size);
  }

  /** `undefined` for a record that was too long to be kept. */
  #keyOfRecord(): string | undefined {
    if (this.#keptBytes > KEPT_BYTES_MAX) return undefined;
    const bytes = new Uint8Array(this.#keptBytes);
    let at = 0;
    for (const part of this.#kept) {
      bytes.set(part, at);
      at += part.length;
    }
    const key = (this.#decode(bytes) as { Key?: unknown } | null)?.Key;
    if (key instanceof Uint8Array) return new TextDecoder().decode(key);
    throw new StateFormatError(
      "The state is damaged: found a record without its key",
      this.#start,
    );
  }

  #decode(bytes: Uint8Array): unknown {
    try {
      return this.#decoder.decode(bytes);
    } catch (error) {
      throw new StateFormatError(
        `The state is damaged: ${(error as Error).message}`,
        this.#start,
      );
    }
  }
}

function add(
  counts: Map<string, StateCount>,
  name: string,
  more: number,
): void {
  const { count, size } = counts.get(name) ?? { count: 0, size: 0 };
  counts.set(name, { name, count: count + 1, size: size + more });
}

/** As Consul sorts: by size, and then by name. */
function sorted(counts: ReadonlyMap<string, StateCount>): StateCount[] {
  return [...counts.values()].sort((a, b) =>
    b.size - a.size || (a.name < b.name ? -1 : 1)
  );
}
