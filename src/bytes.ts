/**
 * Recognizes bytes of any realm, and reads bytes in full.
 *
 * @module
 */

/** A getter that a prototype has. */
function getterOf(prototype: object, name: string | symbol) {
  return Object.getOwnPropertyDescriptor(prototype, name)?.get as (
    this: unknown,
  ) => unknown;
}

const typedArray = Object.getPrototypeOf(Uint8Array.prototype);

/** The `length` that every typed array has, whatever a subclass says. */
const trueLength = getterOf(typedArray, "length") as (
  this: Uint8Array,
) => number;

/** The kind of a typed array; `undefined` for every other value. */
const kindOf = getterOf(typedArray, Symbol.toStringTag);

/** Getters that throw for every value that is not a buffer. */
const bufferLengths = [
  getterOf(ArrayBuffer.prototype, "byteLength"),
  // A browser or runtime may hide it.
  ...(typeof SharedArrayBuffer === "undefined"
    ? []
    : [getterOf(SharedArrayBuffer.prototype, "byteLength")]),
];

/**
 * Whether a value is a `Uint8Array`, also of another realm: that of an iframe, a
 * `node:vm` context or a test environment, for which `instanceof` is false.
 */
export function isUint8Array(value: unknown): value is Uint8Array {
  return kindOf.call(value) === "Uint8Array";
}

/** Whether a value is an `ArrayBuffer` or `SharedArrayBuffer` of any realm. */
export function isBuffer(value: unknown): value is ArrayBufferLike {
  return bufferLengths.some((lengthOf) => {
    try {
      lengthOf.call(value);
      return true;
    } catch {
      return false;
    }
  });
}

/**
 * The bytes of a chunk of any realm, without a copy.
 *
 * @throws {TypeError} when the chunk is not bytes, is a view of a buffer that has
 * been transferred, or is an array with a false `length`.
 */
export function toBytes(chunk: unknown, target: string): Uint8Array {
  if (ArrayBuffer.isView(chunk)) {
    // An array of another realm becomes one of this realm.
    return chunk instanceof Uint8Array
      ? requireIntact(chunk, target)
      : viewOf(chunk, target);
  }
  if (isBuffer(chunk)) return requireIntact(new Uint8Array(chunk), target);
  const found = chunk === null ? "null" : typeof chunk;
  throw new TypeError(
    `Cannot write to ${target}: found ${found}, ` +
      "expected an ArrayBufferView or ArrayBuffer",
  );
}

/**
 * The length of a `Uint8Array` of this realm, in a few nanoseconds; 0 for all
 * values that `toBytes()` has to look at, and for arrays without bytes.
 */
export function quickLength(chunk: unknown): number {
  if (!ArrayBuffer.isView(chunk) || !(chunk instanceof Uint8Array)) return 0;
  const length = trueLength.call(chunk);
  return length === chunk.length ? length : 0;
}

/**
 * The size of a chunk in a stream's queue: its length in bytes, or 1 when it is
 * not bytes. It never throws and is never NaN: a stream whose `size()` does so
 * errors without telling its sink.
 */
export function sizeInQueue(chunk: unknown): number {
  try {
    return toBytes(chunk, "a queue").length;
  } catch {
    // write() rejects the chunk and says why.
    return 1;
  }
}

/** The bytes that another kind of view shows. */
function viewOf(view: ArrayBufferView, target: string): Uint8Array {
  try {
    return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  } catch (cause) {
    throw transferred(target, cause);
  }
}

/** Rejects an array that is empty only because its buffer is gone. */
function requireIntact(bytes: Uint8Array, target: string): Uint8Array {
  const length = trueLength.call(bytes);
  if (length !== bytes.length) {
    throw new TypeError(
      `Cannot write to ${target}: found an array whose length ` +
        `property is ${bytes.length}, expected ${length}, its size in bytes`,
    );
  }
  if (length > 0) return bytes;
  try {
    // No runtime makes a view of a buffer that has been transferred. (Node 20
    // has no `buffer.detached` to ask for.)
    return new Uint8Array(bytes.buffer, 0, 0);
  } catch (cause) {
    throw transferred(target, cause);
  }
}

function transferred(target: string, cause: unknown): TypeError {
  return new TypeError(
    `Cannot write to ${target}: found a view of a buffer that has been ` +
      "transferred or shrunk, expected its bytes; keep a buffer until " +
      "write() has resolved",
    { cause },
  );
}

/**
 * The bytes as a plain `Uint8Array` that has its buffer to itself, so that
 * its receiver may change or transfer it. They are copied if necessary.
 */
export function ownBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer, byteLength } = bytes;
  return buffer instanceof ArrayBuffer && buffer.byteLength === byteLength
    ? new Uint8Array(buffer)
    : new Uint8Array(bytes);
}

/** Something that is read piece by piece, such as a file. */
export interface Readable {
  /** Reads into `buffer`; resolves to how many bytes, 0 only at the end. */
  read(buffer: Uint8Array, position: number): Promise<number>;
}

/**
 * Fills `bytes` from `position` on; resolves to how many bytes there were
 * before the end.
 */
export async function readFully(
  from: Readable,
  bytes: Uint8Array,
  position: number,
): Promise<number> {
  let filled = 0;
  while (filled < bytes.length) {
    const count = await from.read(bytes.subarray(filled), position + filled);
    if (count === 0) break;
    filled += count;
  }
  return filled;
}
