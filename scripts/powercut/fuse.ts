/**
 * The part of the FUSE protocol (version 7.31) that a few files of a fixed size
 * in one directory need. See the kernel's `include/uapi/linux/fuse.h`.
 *
 * @module
 */

/** The requests that are told apart. */
export const Opcode = {
  LOOKUP: 1,
  FORGET: 2,
  GETATTR: 3,
  SETATTR: 4,
  OPEN: 14,
  READ: 15,
  WRITE: 16,
  RELEASE: 18,
  FSYNC: 20,
  FLUSH: 25,
  INIT: 26,
  INTERRUPT: 36,
  BATCH_FORGET: 42,
} as const;

/** The errors that a server answers with. */
export const Errno = { ENOENT: 2, EIO: 5, EINVAL: 22, ENOSYS: 38 } as const;

/** The node of the directory that is mounted. */
export const ROOT_NODE = 1;

const HEADER_IN_BYTES = 40;
const HEADER_OUT_BYTES = 16;
const ATTRIBUTES_BYTES = 88;
const WRITE_BYTES_MAX = 1024 * 1024;
const PAGES_MAX = WRITE_BYTES_MAX / 4096;
/** Nothing changes behind the kernel's back. */
const VALID_SECONDS = 3600n;
const FLAGS = 1 << 0 | // ASYNC_READ
  1 << 5 | // BIG_WRITES
  1 << 22; // MAX_PAGES
const DIRECT_IO = 1;

/** A request's buffer has to be at least as long as this. */
export const REQUEST_BYTES_MAX = WRITE_BYTES_MAX + 4096;

/** A request of the kernel. */
export interface Request {
  readonly opcode: number;
  readonly unique: bigint;
  readonly node: number;
  /** The bytes after the header. */
  readonly body: DataView;
}

/** Reads a request, which stays in `bytes`. */
export function parseRequest(bytes: Uint8Array): Request {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return {
    opcode: view.getUint32(4, true),
    unique: view.getBigUint64(8, true),
    node: Number(view.getBigUint64(16, true)),
    body: new DataView(
      bytes.buffer,
      bytes.byteOffset + HEADER_IN_BYTES,
      bytes.length - HEADER_IN_BYTES,
    ),
  };
}

/** The name that a LOOKUP asks for. */
export function nameOf({ body }: Request): string {
  // It ends with a zero byte.
  const bytes = bytesOf(body, 0, body.byteLength - 1);
  return new TextDecoder().decode(bytes);
}

/** The range that a READ or a WRITE is about. */
export function rangeOf(
  { body }: Request,
): { readonly offset: number; readonly length: number } {
  return {
    offset: Number(body.getBigUint64(8, true)),
    length: body.getUint32(16, true),
  };
}

/** The data of a WRITE, which stays where it is. */
export function dataOf({ body }: Request): Uint8Array {
  return bytesOf(body, 40, body.getUint32(16, true));
}

function bytesOf(view: DataView, start: number, length: number): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + start, length);
}

function build(length: number, fill: (view: DataView) => void): Uint8Array {
  const bytes = new Uint8Array(length);
  fill(new DataView(bytes.buffer));
  return bytes;
}

/** Puts the header before an answer; `errno` is 0 when all is well. */
export function formatReply(
  { unique }: Request,
  errno: number,
  body: Uint8Array = new Uint8Array(),
): Uint8Array {
  return build(HEADER_OUT_BYTES + body.length, (view) => {
    view.setUint32(0, view.byteLength, true);
    view.setInt32(4, -errno, true);
    view.setBigUint64(8, unique, true);
    new Uint8Array(view.buffer).set(body, HEADER_OUT_BYTES);
  });
}

/** The answer to INIT. */
export function initReply(): Uint8Array {
  return build(64, (view) => {
    view.setUint32(0, 7, true);
    view.setUint32(4, 31, true);
    view.setUint32(8, 128 * 1024, true); // max_readahead
    view.setUint32(12, FLAGS, true);
    view.setUint32(20, WRITE_BYTES_MAX, true);
    view.setUint32(24, 1, true); // time_gran
    view.setUint16(28, PAGES_MAX, true);
  });
}

/** The attributes of a node. */
export interface Attributes {
  readonly node: number;
  /** Length in bytes; the root is a directory and has none. */
  readonly size: number;
}

function fillAttributes(
  view: DataView,
  start: number,
  { node, size }: Attributes,
): void {
  const isRoot = node === ROOT_NODE;
  view.setBigUint64(start, BigInt(node), true);
  view.setBigUint64(start + 8, BigInt(size), true);
  view.setUint32(start + 60, isRoot ? 0o040700 : 0o100600, true);
  view.setUint32(start + 64, isRoot ? 2 : 1, true);
  view.setUint32(start + 80, 4096, true);
}

/** The answer to GETATTR and SETATTR. */
export function attributesReply(attributes: Attributes): Uint8Array {
  return build(16 + ATTRIBUTES_BYTES, (view) => {
    view.setBigUint64(0, VALID_SECONDS, true);
    fillAttributes(view, 16, attributes);
  });
}

/** The answer to LOOKUP. */
export function entryReply(attributes: Attributes): Uint8Array {
  return build(40 + ATTRIBUTES_BYTES, (view) => {
    view.setBigUint64(0, BigInt(attributes.node), true);
    view.setBigUint64(16, VALID_SECONDS, true);
    view.setBigUint64(24, VALID_SECONDS, true);
    fillAttributes(view, 40, attributes);
  });
}

/** The answer to OPEN; with `direct` the kernel keeps no copy of the file. */
export function openReply(direct: boolean): Uint8Array {
  return build(16, (view) => view.setUint32(8, direct ? DIRECT_IO : 0, true));
}

/** The answer to WRITE. */
export function writeReply(length: number): Uint8Array {
  return build(8, (view) => view.setUint32(0, length, true));
}
