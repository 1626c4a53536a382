/**
 * Finds where the values in a stream of msgpack begin and end, without keeping
 * them: a state may have gigabytes. It does not decode the values.
 */

/** A state that can't be read as records, and where. */
export class StateFormatError extends Error {
  override readonly name = "StateFormatError";
  /** The first byte that is wrong. */
  readonly offset: number;

  /** Makes the error. */
  constructor(message: string, offset: number) {
    super(`${message} (at byte ${offset} of the state)`);
    this.offset = offset;
  }
}

/** The bytes after the first one of a value. */
interface Shape {
  /** Bytes that hold a length. */
  readonly lengthBytes: number;
  /** The unit of the length; without a length, the kind of the value. */
  readonly kind: "bytes" | "array" | "map";
  /** Bytes beside those that the length counts, or the values of a short one. */
  readonly fixed: number;
}

/** Bytes `0xc0` to `0xdf`; 0xc1 is never used. */
const SHAPES: readonly (Shape | undefined)[] = [
  bytes(0), // nil
  undefined,
  bytes(0), // false
  bytes(0), // true
  ...[1, 2, 4].map((size) => counted(size, "bytes", 0)), // bin
  ...[1, 2, 4].map((size) => counted(size, "bytes", 1)), // ext, with its type
  bytes(4), // float32
  bytes(8), // float64
  ...[1, 2, 4, 8].map(bytes), // uint
  ...[1, 2, 4, 8].map(bytes), // int
  ...[1, 2, 4, 8, 16].map((size) => bytes(size + 1)), // ext of a fixed length
  ...[1, 2, 4].map((size) => counted(size, "bytes", 0)), // str
  ...[2, 4].map((size) => counted(size, "array", 0)),
  ...[2, 4].map((size) => counted(size, "map", 0)),
];

function bytes(fixed: number): Shape {
  return { lengthBytes: 0, kind: "bytes", fixed };
}

function counted(
  lengthBytes: number,
  kind: Shape["kind"],
  fixed: number,
): Shape {
  return { lengthBytes, kind, fixed };
}

function shapeOf(byte: number): Shape | undefined {
  if (byte < 0x80 || byte >= 0xe0) return bytes(0); // a small integer
  if (byte < 0x90) return counted(0, "map", byte & 0x0f);
  if (byte < 0xa0) return { ...counted(0, "array", byte & 0x0f) };
  if (byte < 0xc0) return bytes(byte & 0x1f); // a short text
  return SHAPES[byte - 0xc0];
}

/** Takes bytes one chunk at a time, and tells when a value has ended. */
export class MsgpackScanner {
  /** Values that must still begin before the outermost one ends. */
  #open = 1;
  /** Bytes of the current value that can be skipped. */
  #skip = 0;
  /** The length that is being read, byte by byte. */
  #shape: Shape | undefined;
  #lengthLeft = 0;
  #length = 0;

  /**
   * Continues from `start` in the chunk up to the end of the value; gives where
   * that is, or `undefined` when the value is longer. `offset` is where the
   * chunk begins in the state.
   *
   * @throws {StateFormatError} when it is not msgpack.
   */
  scan(chunk: Uint8Array, start: number, offset: number): number | undefined {
    let at = start;
    while (at < chunk.length) {
      if (this.#skip > 0) {
        const step = Math.min(this.#skip, chunk.length - at);
        this.#skip -= step;
        at += step;
      } else this.#take(chunk[at] as number, offset + at++);
      if (this.#skip > 0 || this.#shape !== undefined) continue;
      if (this.#open > 0) continue;
      this.#open = 1;
      return at;
    }
    return undefined;
  }

  /** Takes a byte with the kind or the length of a value. */
  #take(byte: number, position: number): void {
    if (this.#shape !== undefined) {
      // No more than 32 bits.
      this.#length = this.#length * 256 + byte;
      if (--this.#lengthLeft === 0) this.#begin(this.#shape, this.#length);
      return;
    }
    const shape = shapeOf(byte);
    if (shape === undefined) {
      throw new StateFormatError("The state is damaged: found 0xc1", position);
    }
    this.#open--;
    if (shape.lengthBytes === 0) return this.#begin(shape, 0);
    this.#shape = shape;
    this.#lengthLeft = shape.lengthBytes;
    this.#length = 0;
  }

  #begin({ kind, fixed }: Shape, length: number): void {
    this.#shape = undefined;
    const count = length + fixed;
    if (kind === "bytes") this.#skip = count;
    else this.#open += kind === "array" ? count : 2 * count;
  }
}
