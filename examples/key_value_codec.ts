/**
 * A map of strings as bytes, written and read as a stream of blocks:
 *
 *     count (u32)  { block } ...
 *     block: entries (u32)  size of the text (u32)
 *            { key length (u32)  value length (u32) } ...  text
 *
 * The text of a block is all of its keys and values, one after the other, in
 * UTF-8: to decode it at once and slice it is several times faster than to decode
 * each string. So lengths are in UTF-16 units, and sizes in bytes. Numbers are
 * little-endian. The count comes first, so that a stream that ends early is never
 * taken for a whole one.
 */

const BLOCK_BYTES = 256 * 1024;
/** The longest string, because a damaged length must not fill the memory. */
const STRING_BYTES_MAX = 1024 * 1024;
/** The largest block has one entry of two such strings. */
const TEXT_BYTES_MAX = 2 * STRING_BYTES_MAX;
const ENTRIES_MAX = BLOCK_BYTES / 8;

/** Encodes a map, one block for each request of the reader. */
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
  yield numbers([entries.size]);
  let lengths: number[] = [];
  let text = "";
  for (const [key, value] of entries) {
    // UTF-8 has up to 3 bytes for each UTF-16 unit.
    const size = 8 + 4 * lengths.length + 3 * text.length +
      8 + 3 * (key.length + value.length);
    if (size > BLOCK_BYTES && lengths.length > 0) {
      yield encodeBlock(lengths, text);
      lengths = [];
      text = "";
    }
    lengths.push(key.length, value.length);
    text += key + value;
  }
  if (lengths.length > 0) yield encodeBlock(lengths, text);
}

function encodeBlock(
  lengths: readonly number[],
  text: string,
): Uint8Array<ArrayBuffer> {
  const bytes = new TextEncoder().encode(text);
  const header = numbers([lengths.length / 2, bytes.length, ...lengths]);
  return concat(header, bytes);
}

function numbers(values: readonly number[]): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(4 * values.length));
  for (const [i, value] of values.entries()) view.setUint32(4 * i, value, true);
  return new Uint8Array(view.buffer);
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
  /** The beginning of a block whose end has not arrived yet. */
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

  /** Decodes every block that is complete; gives the bytes that they took. */
  #decode(bytes: Uint8Array): number {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    let at = 0;
    if (this.#left === undefined) {
      if (bytes.length < 4) return 0;
      this.#left = view.getUint32(0, true);
      at = 4;
    }
    while (this.#left > 0 && bytes.length - at >= 8) {
      const count = view.getUint32(at, true);
      const size = view.getUint32(at + 4, true);
      requireBlock(count, size, this.#left);
      const start = at + 8 + 8 * count;
      const end = start + size;
      if (end > bytes.length) break;
      const lengths = new DataView(view.buffer, view.byteOffset + at + 8);
      this.#add(count, lengths, this.#text.decode(bytes.subarray(start, end)));
      this.#left -= count;
      at = end;
    }
    if (this.#left === 0 && at < bytes.length) {
      throw new Error("Cannot restore the state: found bytes after its end");
    }
    return at;
  }

  /** Cuts the text of a block into its keys and values. */
  #add(count: number, lengths: DataView, text: string): void {
    let at = 0;
    for (let i = 0; i < count; i++) {
      const value = at + lengths.getUint32(8 * i, true);
      const end = value + lengths.getUint32(8 * i + 4, true);
      this.#entries.set(text.slice(at, value), text.slice(value, end));
      at = end;
    }
    if (at !== text.length) {
      throw new RangeError(
        `Cannot restore the state: found a block of ${text.length} characters, ` +
          `expected the ${at} of its strings`,
      );
    }
  }
}

function requireBlock(count: number, size: number, left: number): void {
  if (
    0 < count && count <= Math.min(left, ENTRIES_MAX) && size <= TEXT_BYTES_MAX
  ) {
    return;
  }
  throw new RangeError(
    `Cannot restore the state: found a block of ${count} keys and ${size} ` +
      `bytes, expected 1 to ${Math.min(left, ENTRIES_MAX)} keys and at most ` +
      `${TEXT_BYTES_MAX} bytes`,
  );
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}

/** Rejects a string that a snapshot could not restore. */
export function requireShort(...texts: readonly string[]): void {
  for (const { length } of texts) {
    // UTF-8 has up to 3 bytes for each UTF-16 unit.
    if (3 * length <= STRING_BYTES_MAX) continue;
    throw new RangeError(
      `Cannot use a string of ${3 * length} bytes: expected at most ` +
        `${STRING_BYTES_MAX}`,
    );
  }
}
