import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { MemorySnapshotStore, SnapshotError } from "@raft/snapshots";
import {
  type ArchiveFault,
  importArchive,
  SnapshotArchiveError,
} from "@raft/snapshots/archive";
import { bytes } from "../support/random.ts";
import {
  archive,
  archiveOf,
  GNU_MAGIC,
  type Member,
  memberBytes,
  members,
  metaText,
  octal,
  pack,
  sha256,
  STATE,
  tar,
} from "./hand_made.ts";
import { byteStream, readOut } from "./stores.ts";

/** The error that a bad archive must cause. */
interface Fault {
  readonly reason: ArchiveFault;
  readonly member?: string;
  readonly offset?: number;
}

const { meta, state, sums } = members();
const META_DIGEST = sha256(metaText());
const STATE_DIGEST = sha256(STATE);
const GOOD = archive();

/** An extended header before the state, of these records. */
function extended(records: string): Member[] {
  const header = { name: "PaxHeaders.0/state.bin", type: "x" };
  return [meta, { ...header, content: records }, state, sums];
}

/** Bad archives, and the fault of each. */
const BAD: readonly (readonly [string, Uint8Array, Fault])[] = [
  // The file.
  ["nothing at all", Buffer.alloc(0), { reason: "gzip", offset: 0 }],
  ["a tar that is not compressed", tar(meta), { reason: "gzip", offset: 0 }],
  ["a compression that is not deflate", patch(GOOD, 2, 7), {
    reason: "gzip",
    offset: 2,
  }],
  ["flags that gzip does not define", patch(GOOD, 3, 0x20), {
    reason: "gzip",
    offset: 2,
  }],
  [
    "a file name without end in the gzip header",
    Buffer.concat([patch(GOOD, 3, 8).subarray(0, 10), Buffer.alloc(4096, 97)]),
    { reason: "gzip", offset: 10 + 512 },
  ],
  ["another CRC", patch(GOOD, -8, (GOOD.at(-8) ?? 0) ^ 1), {
    reason: "gzip",
    offset: GOOD.length - 8,
  }],
  ["another length", patch(GOOD, -4, (GOOD.at(-4) ?? 0) ^ 1), {
    reason: "gzip",
    offset: GOOD.length - 4,
  }],
  ["a zero after the end", Buffer.concat([GOOD, Buffer.alloc(1)]), {
    reason: "gzip",
    offset: GOOD.length,
  }],
  ["zeros after the end", Buffer.concat([GOOD, Buffer.alloc(512)]), {
    reason: "gzip",
    offset: GOOD.length,
  }],
  ["garbage after the end", Buffer.concat([GOOD, bytes(100, 1)]), {
    reason: "gzip",
    offset: GOOD.length,
  }],
  ["another archive after the end", Buffer.concat([GOOD, GOOD]), {
    reason: "gzip",
    offset: GOOD.length,
  }],
  ["an empty member after the end", Buffer.concat([GOOD, gzipSync("")]), {
    reason: "gzip",
    offset: GOOD.length,
  }],
  ["an empty member before it", Buffer.concat([gzipSync(""), GOOD]), {
    reason: "gzip",
    offset: 20,
  }],
  [
    "its trailer twice",
    Buffer.concat([GOOD, GOOD.subarray(GOOD.length - 8)]),
    { reason: "gzip", offset: GOOD.length },
  ],

  // The tar.
  ["an empty tar", pack(Buffer.alloc(0)), { reason: "tar", offset: 0 }],
  ["a tar of text", pack(Buffer.alloc(512, 97)), { reason: "tar" }],
  ["no end of the tar", pack(without(tar(meta, state, sums), 1024)), {
    reason: "tar",
  }],
  ["half of an end", pack(without(tar(meta, state, sums), 512)), {
    reason: "tar",
  }],
  [
    "an end with something in its second half",
    pack(patch(tar(meta, state, sums), -1, 1)),
    { reason: "tar" },
  ],
  ...[
    // GNU tar fills its last record with fewer.
    ["a whole record of zeros", Buffer.alloc(10_240), 9_728],
    ["half a block of zeros", Buffer.alloc(256), 256],
    ["a byte after 19 blocks of zeros", Buffer.alloc(9_729), 9_728],
    [
      "something in the first block of zeros",
      patch(Buffer.alloc(512), 0, 1),
      0,
    ],
    [
      "something in the last block of zeros",
      patch(Buffer.alloc(9_728), -1, 1),
      9_727,
    ],
    [
      "a member after a block of zeros",
      Buffer.concat([Buffer.alloc(512), memberBytes(state)]),
      512,
    ],
  ].map(([what, rest, offset]) =>
    [
      `${what} after the end of the tar`,
      pack(Buffer.concat([tar(meta, state, sums), rest as Uint8Array])),
      {
        reason: "tar",
        offset: tar(meta, state, sums).length + Number(offset),
      },
    ] as const
  ),
  [
    "a member after the tar",
    pack(Buffer.concat([tar(meta, state, sums), memberBytes(state)])),
    { reason: "tar", offset: tar(meta, state, sums).length },
  ],
  ["a checksum that is wrong", archiveOf({ ...meta, checksum: "0000000 " }), {
    reason: "tar",
    offset: 148,
  }],
  [
    "a checksum that is not a number",
    archiveOf({ ...meta, checksum: "zzzzzz\0 " }),
    {
      reason: "tar",
      offset: 148,
    },
  ],
  ["a magic of neither format", archiveOf({ ...meta, magic: "ustar \x0000" }), {
    reason: "tar",
    offset: 257,
  }],
  ...[
    ["a sparse file", { type: "S" }, 156],
    ["a long name", { type: "L" }, 156],
    ["a prefix, as ustar has it,", { prefix: "folder" }, 345],
    ["places of a sparse file", { prefix: "\0".repeat(41) + "1" }, 386],
    ["a size beyond all files", { size: "\x80" + "\xff".repeat(11) }, 124],
    ["a negative size", { size: "\xff".repeat(12) }, 124],
  ].map(([what, changes, offset]) =>
    [
      `${what} in GNU tar's format`,
      archiveOf({ ...meta, ...changes as Partial<Member>, magic: GNU_MAGIC }),
      { reason: "tar", offset: Number(offset) },
    ] as const
  ),
  [
    "an extended header in GNU tar's format",
    archiveOf(
      meta,
      { name: "x", type: "x", magic: GNU_MAGIC, content: "11 size=24\n" },
      state,
      sums,
    ),
    { reason: "tar", offset: 1024 + 257 },
  ],
  [
    "an extended header before a member in GNU tar's format",
    archiveOf(
      meta,
      { name: "x", type: "x", content: "11 size=24\n" },
      { ...state, magic: GNU_MAGIC },
      sums,
    ),
    { reason: "tar", offset: 2048 + 257 },
  ],
  [
    "a size in base 256 outside GNU tar's format",
    archiveOf({
      ...meta,
      size: "\x80".padEnd(11, "\0") + "\x10",
    }),
    { reason: "tar", offset: 124 },
  ],
  [
    "a size that is not a number",
    archiveOf({ ...meta, size: "12345678901x" }),
    {
      reason: "tar",
      offset: 124,
    },
  ],
  ["a size in binary", archiveOf({ ...meta, size: "\x80" + "\0".repeat(11) }), {
    reason: "tar",
    offset: 124,
  }],
  ["no size", archiveOf({ ...meta, size: "\0".repeat(12) }), {
    reason: "tar",
    offset: 124,
  }],
  ["something in the padding", archiveOf({ ...meta, padding: 1 }), {
    reason: "tar",
    offset: 512 + metaText().length,
  }],
  [
    "something in the state's padding",
    archiveOf(meta, { ...state, padding: 1 }),
    {
      reason: "tar",
      offset: 1536 + STATE.length,
    },
  ],
  ...["1", "2", "3", "5", "6", "7", "g", "L", "K", "S", "\0", "D"].map((
    type,
  ) =>
    [`a member of type ${JSON.stringify(type)}`, archiveOf({ ...meta, type }), {
      reason: "tar",
      offset: 156,
    }] as const
  ),

  // Extended headers.
  ...[
    "nonsense",
    "12 size=24\n",
    "10 size=24\n",
    "11 size=24",
    "11 size:24\n",
    "011 size=24\n",
    "99999 size=24\n",
    "6 =24\n",
    "-1 size=24\n",
    "4294967296 size=24\n",
    "11 size=24\n11 size=24\n",
    "11 size=-1\n",
    "12 size=0x1\n",
    "11 size=24\ngarbage",
    "28 size=99999999999999999999\n",
    "17 path=meta.json\n",
    "18 linkpath=/etc/x\n",
    "22 GNU.sparse.major=1\n",
    "16 hdrcharset=X\n",
    "14 \ufeffsize=24\n",
  ].map((records) =>
    [
      `an extended header of ${JSON.stringify(records)}`,
      archiveOf(...extended(records)),
      { reason: "tar" },
    ] as const
  ),
  [
    "an extended header that is too long",
    archiveOf({ name: "x", type: "x", content: "9".repeat(9_000) }),
    { reason: "tar", offset: 0 },
  ],
  [
    "two extended headers in a row",
    archiveOf(...[1, 2].map(() => ({
      name: "x",
      type: "x",
      content: "11 size=24\n",
    }))),
    { reason: "tar" },
  ],
  [
    "an extended header and nothing after it",
    archiveOf({ name: "x", type: "x", content: "11 size=24\n" }),
    { reason: "tar" },
  ],

  // The members.
  ...[
    "evil",
    "",
    "../meta.json",
    "/meta.json",
    "./meta.json",
    "META.JSON",
    "meta.json ",
    "meta.json/",
    "../../../etc/passwd",
    "C:\\meta.json",
    "state.bin\n",
    "__proto__",
  ].map((name) =>
    [`a member named ${JSON.stringify(name)}`, archiveOf({ ...meta, name }), {
      reason: "member",
      offset: 0,
    }] as const
  ),
  [
    "a member whose name would steer a terminal",
    archiveOf({ ...meta, name: "\u001b[31m\u009b31m\u007f" }),
    { reason: "member", offset: 0 },
  ],
  ["a member in a folder", archiveOf({ ...meta, prefix: "folder" }), {
    reason: "member",
    offset: 0,
  }],
  [
    "an unknown member at the end",
    archiveOf(meta, state, sums, { name: "x" }),
    {
      reason: "member",
    },
  ],
  ["no member", archiveOf(), { reason: "member", member: "state.bin" }],
  ["no meta.json", archiveOf(state, sums), {
    reason: "member",
    member: "state.bin",
  }],
  ["no state.bin", archiveOf(meta, sums), {
    reason: "member",
    member: "state.bin",
  }],
  ["no SHA256SUMS", archiveOf(meta, state), {
    reason: "member",
    member: "SHA256SUMS",
  }],
  ["its state before its metadata", archiveOf(state, meta, sums), {
    reason: "member",
    member: "state.bin",
    offset: 0,
  }],
  ["meta.json twice", archiveOf(meta, meta, state, sums), {
    reason: "member",
    member: "meta.json",
    offset: 1024,
  }],
  ["meta.json again after the state", archiveOf(meta, state, meta, sums), {
    reason: "member",
    member: "meta.json",
  }],
  ["state.bin twice", archiveOf(meta, state, state, sums), {
    reason: "member",
    member: "state.bin",
  }],
  ["SHA256SUMS twice", archiveOf(meta, state, sums, sums), {
    reason: "member",
    member: "SHA256SUMS",
  }],
  [
    "a meta.json that is too long",
    archive({ meta: metaText() + " ".repeat(1024 * 1024) }),
    { reason: "member", member: "meta.json", offset: 0 },
  ],
  ["a SHA256SUMS that is too long", archive({ sums: "x".repeat(9_000) }), {
    reason: "member",
    member: "SHA256SUMS",
  }],
  [
    "a SHA256SUMS.sealed that is too long",
    archiveOf(meta, state, sums, {
      name: "SHA256SUMS.sealed",
      content: "x".repeat(9_000),
    }),
    { reason: "member", member: "SHA256SUMS.sealed" },
  ],

  // The metadata.
  ...[
    "",
    "nonsense",
    "null",
    "[]",
    metaText().slice(0, -3),
    metaText() + "{}",
    metaText({ Index: -1 }),
    metaText({ Index: "10" }),
    metaText().replace(`"Index":10`, `"Index":18446744073709551616`),
    metaText({ Size: -1 }),
    metaText({ Size: 2 ** 60 }),
    metaText({ Peers: "?" }),
    metaText({ Configuration: { Servers: [{ Suffrage: 3 }] } }),
    metaText({ CRC: "AAAA" }),
    "[".repeat(100_000),
  ].map((text) =>
    [
      `a meta.json of ${JSON.stringify(text.slice(0, 200))}`,
      archive({ meta: text }),
      { reason: "meta", member: "meta.json", offset: 512 },
    ] as const
  ),

  // Sizes that lie.
  ["a Size one too small", archive({ meta: metaText({ Size: 23 }) }), {
    reason: "size",
    member: "state.bin",
    offset: 1024,
  }],
  ["a Size one too large", archive({ meta: metaText({ Size: 25 }) }), {
    reason: "size",
    member: "state.bin",
    offset: 1024,
  }],
  [
    "a state that is longer than the tar",
    archiveOf(
      { name: "meta.json", content: metaText({ Size: 1e9 }) },
      { ...state, size: octal(1e9) },
      sums,
    ),
    { reason: "tar", member: "state.bin" },
  ],
  [
    "a meta.json that is longer than the tar",
    archiveOf({ ...meta, size: octal(1e6) }),
    {
      reason: "tar",
      member: "meta.json",
    },
  ],
  [
    "a state that is shorter than it is",
    archiveOf(
      { name: "meta.json", content: metaText({ Size: 10 }) },
      { ...state, size: octal(10) },
      sums,
    ),
    { reason: "tar", offset: 1546 },
  ],

  // The digests.
  ["another state", archive({ sums: sumsOf(META_DIGEST, META_DIGEST) }), {
    reason: "digest",
    member: "state.bin",
  }],
  ["other metadata", archive({ sums: sumsOf(STATE_DIGEST, STATE_DIGEST) }), {
    reason: "digest",
    member: "meta.json",
  }],
  ...[
    "",
    "\n",
    `${META_DIGEST}  meta.json\n`,
    `${STATE_DIGEST}  state.bin\n`,
    sumsOf(META_DIGEST, STATE_DIGEST).slice(0, -1),
    sumsOf(META_DIGEST, STATE_DIGEST) + "\n",
    sumsOf(META_DIGEST, STATE_DIGEST) + `${STATE_DIGEST}  state.bin\n`,
    sumsOf(META_DIGEST, STATE_DIGEST) + `${STATE_DIGEST}  other\n`,
    sumsOf(META_DIGEST, STATE_DIGEST).replaceAll("  ", " "),
    sumsOf(META_DIGEST, STATE_DIGEST).replaceAll("  ", " *"),
    sumsOf(META_DIGEST, STATE_DIGEST).replaceAll("\n", "\r\n"),
    "\ufeff" + sumsOf(META_DIGEST, STATE_DIGEST),
    sumsOf(META_DIGEST.slice(1), STATE_DIGEST),
    sumsOf(META_DIGEST, STATE_DIGEST + "0"),
  ].map((text) =>
    [
      `a SHA256SUMS of ${JSON.stringify(text)}`,
      archive({ sums: text }),
      { reason: "digest", member: "SHA256SUMS", offset: 2560 },
    ] as const
  ),
];

function sumsOf(metaDigest: string, stateDigest: string): string {
  return `${metaDigest}  meta.json\n${stateDigest}  state.bin\n`;
}

/** The bytes, with one of them another. */
function patch(source: Uint8Array, at: number, byte: number): Buffer {
  const copy = Buffer.from(source);
  copy[at < 0 ? copy.length + at : at] = byte;
  return copy;
}

/** The bytes without the last ones. */
function without(source: Uint8Array, last: number): Uint8Array {
  return source.subarray(0, source.length - last);
}

/** Imports the archive and returns the outcome; nothing bad may be published. */
async function attempt(
  file: ReadableStream<Uint8Array>,
): Promise<{ state?: Uint8Array; error?: unknown }> {
  const store = new MemorySnapshotStore();
  try {
    const { id } = await importArchive(store, file);
    return { state: await readOut(await store.open(id)) };
  } catch (error) {
    assert.deepEqual(await store.list(), []);
    return { error };
  }
}

describe("a bad archive is refused, and nothing is published, when it has", () => {
  for (const [what, file, fault] of BAD) {
    it(what, async () => {
      const { error } = await attempt(byteStream(file));
      assert.ok(error instanceof SnapshotArchiveError, `${error}`);
      const { reason, member, offset } = error;
      assert.deepEqual(
        { reason, member },
        { reason: fault.reason, member: fault.member },
        error.message,
      );
      if (fault.offset !== undefined) assert.equal(offset, fault.offset);
      assert.ok(error.message.length < 300, error.message);
      assert.doesNotMatch(error.message, /[\p{Cc}\p{Cf}]/u);
      // The subject has a name, and the last part says what to do.
      assert.doesNotMatch(error.message, /\b(found|expected) (it|its|more)\b/);
      assert.doesNotMatch(error.message, /\bsomething else\b|\bnone\b/);
      assert.match(error.message, /; \w.+$/);
    });
  }
});

/** A small archive, and one in which each byte of the tar is to be seen. */
const SMALL = pack(tar(meta, state, sums), 9);

describe("an archive", () => {
  it("is refused wherever it is cut off", async () => {
    for (const [file, step] of [[SMALL, 1], [GOOD, 37]] as const) {
      for (let length = 0; length < file.length; length += step) {
        const { error } = await attempt(byteStream(file.subarray(0, length)));
        assert.ok(error instanceof SnapshotArchiveError, `${length}: ${error}`);
        assert.equal(error.reason, "gzip");
        assert.equal(error.offset, length);
      }
    }
  });

  it("is refused whichever bit is flipped, unless the meaning is the same", async () => {
    // The time in the gzip header, say; and deflate has several ways to write
    // the same.
    assert.ok(await refusedFlips(SMALL) > SMALL.length * 8 * 0.95);
  });

  it("is refused whichever bit is flipped, unless the meaning is the same, even when its CRC is right", async () => {
    const packed = tar(meta, state, sums);
    // The space before a number and the zero after it may be each other.
    const refused = await refusedFlips(packed, 32, (file) => pack(file));
    assert.ok(refused > packed.length / 4 - 10);
  });
});

/** How many flips of a bit, of every so many bits, make an archive bad. */
async function refusedFlips(
  source: Uint8Array,
  step = 1,
  finish = (file: Uint8Array) => file,
): Promise<number> {
  let refused = 0;
  for (let at = 0; at < source.length * 8; at += step) {
    const bit = step === 1 ? at : at + (at / step) % 8;
    const file = finish(flip(source, bit));
    const { state, error } = await attempt(byteStream(file));
    if (state === undefined) {
      assert.ok(error instanceof SnapshotError, `bit ${bit}: ${error}`);
      refused++;
    } else {
      assert.equal(new TextDecoder().decode(state), STATE, `bit ${bit}`);
    }
  }
  return refused;
}

function flip(source: Uint8Array, bit: number): Uint8Array {
  const at = bit >> 3;
  return patch(source, at, (source[at] ?? 0) ^ 1 << (bit & 7));
}

/** A gzip file that begins with this and continues forever with zeros. */
function endless(beginning: Uint8Array) {
  let read = 0;
  let cancelled = false;
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      const chunk = read === 0
        ? Buffer.concat([GZIP_HEADER, storedBlock(beginning)])
        : storedBlock(new Uint8Array(60_000));
      read += chunk.length;
      controller.enqueue(new Uint8Array(chunk));
    },
    cancel() {
      cancelled = true;
    },
  }, { highWaterMark: 0 });
  return { stream, readBytes: () => read, isCancelled: () => cancelled };
}

const GZIP_HEADER = GOOD.subarray(0, 10);

/** A block of deflate, not compressed, and not the last. */
function storedBlock(content: Uint8Array): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt16LE(content.length, 1);
  header.writeUInt16LE(content.length ^ 0xffff, 3);
  return Buffer.concat([header, content]);
}

describe("an archive without end is refused, before much of it is read, when", () => {
  const whole = tar(meta, state, sums);
  const huge = octal(8 ** 11 - 1);
  const cases: readonly (readonly [string, Uint8Array])[] = [
    ["it is nothing but zeros", Buffer.alloc(0)],
    ["it continues after the tar's end", whole],
    [
      "its meta.json does",
      memberBytes({ ...meta, size: huge }).subarray(0, 512),
    ],
    [
      "its SHA256SUMS does",
      Buffer.concat([
        memberBytes(meta),
        memberBytes(state),
        memberBytes({ ...sums, size: huge }),
      ]),
    ],
    [
      "its extended header does",
      memberBytes({ name: "x", type: "x", size: huge }),
    ],
    ["its state is longer than it says", without(whole, whole.length - 2048)],
  ];
  for (const [what, beginning] of cases) {
    it(what, async () => {
      const file = endless(beginning);
      const { error } = await attempt(file.stream);
      assert.ok(error instanceof SnapshotArchiveError, `${error}`);
      assert.ok(file.isCancelled());
      assert.ok(file.readBytes() < 1_000_000, `${file.readBytes()} bytes`);
    });
  }

  it("its state is, and the caller has set a limit", async () => {
    const size = 8 ** 11 - 1;
    const file = endless(Buffer.concat([
      memberBytes({ name: "meta.json", content: metaText({ Size: size }) }),
      memberBytes({ name: "state.bin", size: octal(size) }),
    ]));
    await assert.rejects(
      importArchive(new MemorySnapshotStore(), file.stream, {
        stateSizeMax: 1e9,
      }),
      { name: "SnapshotArchiveError", reason: "size", member: "state.bin" },
    );
    assert.ok(file.isCancelled());
    assert.ok(file.readBytes() < 1_000_000, `${file.readBytes()} bytes`);
  });
});
