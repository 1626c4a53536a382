/**
 * The possible contents of a store's directory: snapshots in any condition, and
 * foreign files.
 *
 * @module
 */

import { crc64 } from "@raft/snapshots/crc64";
import type { MemoryFileSystem } from "@raft/snapshots/testing";
import * as fc from "fast-check";
import { encodeBlocks } from "../../src/snapshot/block_checksums.ts";
import { encodeRecord } from "../../src/snapshot/meta/encode.ts";

/** Files by their paths below a directory; an empty directory ends in `/`. */
export type Tree = ReadonlyMap<string, Uint8Array>;

/** IDs that are found again and again, so that they clash. */
export const IDS = ["1-1-1", "1-1-2", "2-1-1", "18446744073709551615-0-0"];

/** The three files of a snapshot, which is good unless its CRC is a lie. */
function snapshot(
  id: string,
  state: Uint8Array,
  lie: bigint,
): Record<string, Uint8Array> {
  const [term = "", index = ""] = id.split("-");
  const meta = encodeRecord({
    version: 1,
    id,
    index: BigInt(index),
    term: BigInt(term),
    peers: Uint8Array.of(0xc0),
    configuration: { servers: [] },
    configurationIndex: 1n,
    size: state.length,
    crc: crc64(state) ^ lie,
  });
  const blocks = encodeBlocks({
    blockSize: 512,
    stateSize: state.length,
    metaCrc: crc64(meta),
    crcs: BigUint64Array.from(
      { length: Math.ceil(state.length / 512) },
      (_, i) => crc64(state.subarray(512 * i, 512 * (i + 1))),
    ),
  });
  return { "state.bin": state, "meta.json": meta, "blocks.crc64": blocks };
}

const id = fc.constantFrom(...IDS);
const part = fc.constantFrom("state.bin", "meta.json", "blocks.crc64");

/** Any damage to one file of a snapshot. */
const anyDamage = fc.record({
  part,
  what: fc.constantFrom("missing", "directory", "cut", "longer", "changed"),
  at: fc.nat(),
});

type Damage = typeof anyDamage extends fc.Arbitrary<infer T> ? T : never;

function inflict(
  files: Map<string, Uint8Array>,
  { part, what, at }: Damage,
): void {
  const bytes = files.get(part) ?? new Uint8Array();
  files.delete(part);
  const place = at % (bytes.length || 1);
  const changed = bytes.slice();
  changed[place] = (changed[place] ?? 0) ^ (1 << (at & 7));
  if (what === "directory") files.set(`${part}/inside`, bytes);
  if (what === "cut") files.set(part, bytes.slice(0, place));
  if (what === "longer") files.set(part, Uint8Array.of(...bytes, at & 255));
  if (what === "changed") files.set(part, changed);
}

/** A snapshot's directory: of that name, of one ID, in any condition. */
const snapshotTree: fc.Arbitrary<Tree> = fc.record({
  name: fc.oneof({ weight: 1, arbitrary: fc.constant("") }, id),
  id,
  state: fc.uint8Array({ maxLength: 1200, size: "max" }),
  damages: fc.array(anyDamage, { maxLength: 2, size: "max" }),
  ending: fc.constantFrom("", "", "", ".tmp", ".corrupt.tmp", ".deleted.tmp"),
  lie: fc.constantFrom(0n, 0n, 0n, 1n),
}).map(({ name, id, state, damages, ending, lie }) => {
  const files = new Map(Object.entries(snapshot(id, state, lie)));
  for (const damage of damages) inflict(files, damage);
  const directory = `${name || id}${ending}`;
  return new Map(
    [...files].map(([path, bytes]) => [`${directory}/${path}`, bytes]),
  );
});

const oddName = fc.oneof(
  fc.constantFrom(...IDS),
  fc.constantFrom("1-3-3.corrupt.tmp", "1-4-4.sealing.tmp", "1-5-5.tmp"),
  fc.constantFrom(".lock", ".lock.x", "permTest", "x", ".tmp", "..x", "a.tmp"),
  fc.constantFrom(
    "01-1-1",
    "1-1",
    "1-1-1.other.tmp",
    "1-1-1 ",
    "1-1-1.tmp.tmp",
  ),
  fc.string({ minLength: 1 }).map((it) => it.replaceAll("/", "_"))
    .filter((it) => it !== "." && it !== ".."),
);

/** A file or a directory of some name. */
const oddTree: fc.Arbitrary<Tree> = fc.tuple(
  oddName,
  fc.constantFrom("", "/", "/state.bin", "/meta.json", "/a/b", "/1-1-1/x"),
  fc.uint8Array(),
).map(([name, rest, bytes]) => new Map([[`${name}${rest}`, bytes]]));

/** The content of `snapshots/`. */
export const trees: fc.Arbitrary<Tree> = fc.array(
  fc.oneof(snapshotTree, oddTree),
  { maxLength: 8, size: "max" },
).map((parts) => new Map(parts.flatMap((part) => [...part])));

/** Makes a file, or an empty directory, with the directories above it. */
async function plantOne(
  disk: MemoryFileSystem,
  path: string,
  bytes: Uint8Array,
): Promise<void> {
  if (!path.endsWith("/")) return disk.writeFile(path, bytes);
  disk.writeFile(`${path}passing`, bytes);
  await disk.removeFile(`${path}passing`);
}

/** Writes a tree, except for entries that conflict with existing ones. */
export async function plant(
  disk: MemoryFileSystem,
  path: string,
  tree: Tree,
): Promise<void> {
  for (const [name, bytes] of tree) {
    try {
      await plantOne(disk, `${path}/${name}`, bytes);
    } catch (error) {
      const { code } = error as { code?: unknown };
      if (!["EEXIST", "EISDIR", "ENOTDIR"].includes(String(code))) throw error;
    }
  }
}
