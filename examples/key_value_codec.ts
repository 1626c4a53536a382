/**
 * A map of strings as bytes, written and read as a stream:
 *
 *     count (u32)  { key length (u32)  key  value length (u32)  value } ...
 *
 * Numbers are little-endian, strings UTF-8. The count comes first, so that a
 * stream that ends early is never taken for a whole one.
 */

const BLOCK_BYTES = 256 * 1024;
/** The longest string: a damaged length must not make us hoard memory. */
const STRING_BYTES_MAX = 1024 * 1024;

/** Encodes a map, a block for each time the reader asks. */
export function encodeEntries(
  entries: ReadonlyMap<string, string>,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const blocks = encodeBlocks(entries);
  return new ReadableStream({
    pull(controller) {
      const { done, value } = blocks.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel() {
      blocks.return();
    },
  }, { highWaterMark: 1 });
}

function* encodeBlocks(
  entries: ReadonlyMap<string, string>,
): Generator<Uint8Array<ArrayBuffer>, void> {
  let block = new Block(BLOCK_BYTES);
  block.addNumber(entries.size);
  for (const [key, value] of entries) {
    const needed = Block.spaceFor(key) + Block.spaceFor(value);
    if (needed > block.free) {
      yield block.bytes;
      block = new Block(Math.max(BLOCK_BYTES, needed));
    }
    block.addString(key);
    block.addString(value);
  }
  yield block.bytes;
}

const encoder = new TextEncoder();

/** A buffer that is filled from the front. */
class Block {
  readonly #buffer: Uint8Array<ArrayBuffer>;
  readonly #view: DataView;
  #length = 0;

  constructor(size: number) {
    this.#buffer = new Uint8Array(size);
    this.#view = new DataView(this.#buffer.buffer);
  }

  /** The most that a string may take: UTF-8 has up to 3 bytes a UTF-16 unit. */
  static spaceFor(text: string): number {
    return 4 + 3 * text.length;
  }

  get free(): number {
    return this.#buffer.length - this.#length;
  }

  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#buffer.subarray(0, this.#length);
  }

  addNumber(value: number): void {
    this.#view.setUint32(this.#length, value, true);
    this.#length += 4;
  }

  addString(text: string): void {
    const rest = this.#buffer.subarray(this.#length + 4);
    const { written } = encoder.encodeInto(text, rest);
    this.addNumber(written);
    this.#length += written;
  }
}

/** Decodes a stream, cut anywhere; `done` gets the map when it is complete. */
export function decodeEntries(
  done: (entries: Map<string, string>) => void,
): WritableStream<Uint8Array> {
  const decoder = new Decoder();
  return new WritableStream({
    write: (chunk) => decoder.push(chunk),
    close: () => done(decoder.finish()),
  });
}

class Decoder {
  readonly #entries = new Map<string, string>();
  readonly #text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  /** The beginning of an entry whose end has not come yet. */
  #pending = new Uint8Array();
  #left: number | undefined;

  push(chunk: Uint8Array): void {
    const bytes = concat(this.#pending, chunk);
    const used = this.#decode(bytes);
    this.#pending = bytes.slice(used);
  }

  finish(): Map<string, string> {
    if (this.#left !== 0 || this.#pending.length > 0) {
      throw new Error(
        `Cannot restore the state: the stream ended after ` +
          `${this.#entries.size} keys, expected ${this.#left ?? "some"} more`,
      );
    }
    return this.#entries;
  }

  /** Decodes every entry that is complete; gives the bytes that they took. */
  #decode(bytes: Uint8Array): number {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    let at = 0;
    if (this.#left === undefined) {
      if (bytes.length < 4) return 0;
      this.#left = view.getUint32(0, true);
      at = 4;
    }
    while (this.#left > 0) {
      const key = stringAt(view, at);
      if (key === undefined) break;
      const value = stringAt(view, key.end);
      if (value === undefined) break;
      this.#entries.set(this.#read(bytes, key), this.#read(bytes, value));
      this.#left--;
      at = value.end;
    }
    if (this.#left === 0 && at < bytes.length) {
      throw new Error("Cannot restore the state: found bytes after its end");
    }
    return at;
  }

  #read(bytes: Uint8Array, { start, end }: Span): string {
    return this.#text.decode(bytes.subarray(start, end));
  }
}

interface Span {
  readonly start: number;
  readonly end: number;
}

/** Where the string at `at` lies; `undefined` when it is not all there. */
function stringAt(view: DataView, at: number): Span | undefined {
  const start = at + 4;
  if (start > view.byteLength) return undefined;
  const length = view.getUint32(at, true);
  if (length > STRING_BYTES_MAX) throw tooLong(length);
  const end = start + length;
  return end > view.byteLength ? undefined : { start, end };
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length === 0) return b;
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}

/** Rejects a string that a snapshot could not restore. */
export function requireShort(...texts: readonly string[]): void {
  for (const { length } of texts) {
    // UTF-8 has up to 3 bytes for each UTF-16 unit.
    if (3 * length > STRING_BYTES_MAX) throw tooLong(3 * length);
  }
}

function tooLong(bytes: number): RangeError {
  return new RangeError(
    `Cannot use a string of ${bytes} bytes: expected at most ${STRING_BYTES_MAX}`,
  );
}
