import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type CorruptionReason,
  openFileSnapshotStore,
  SnapshotCorruptError,
  type SnapshotStore,
  type VerifyMode,
} from "@raft/snapshots";
import { MemoryFileSystem } from "@raft/snapshots/testing";
import { archive } from "../archive/hand_made.ts";
import { Expectations } from "../crash/expectations.ts";
import { BASE, silent } from "../crash/recovery.ts";
import { StoreClient } from "../crash/store_client.ts";
import { amount, report } from "../support/full_run.ts";
import { bytes, freshSeed, random } from "../support/random.ts";

const seed = freshSeed();

/** Two blocks, the second one shorter. */
const SIZE = 700;
const BLOCK_SIZE = 512;

/** A damaged file. */
interface Damage {
  readonly what: string;
  readonly bytes: Uint8Array;
  /** Where the first wrong byte is. */
  readonly offset: number;
}

function* damages(good: Uint8Array): Generator<Damage> {
  for (let bit = 0; bit < 8 * good.length; bit++) {
    const offset = bit >> 3;
    const flipped = good.slice();
    flipped[offset] = (good[offset] ?? 0) ^ (1 << (bit & 7));
    yield { what: `bit ${bit} flipped`, bytes: flipped, offset };
  }
  for (let length = 0; length < good.length; length++) {
    const what = `cut to ${length} bytes`;
    yield { what, bytes: good.slice(0, length), offset: length };
  }
  for (const byte of [0, 10, 32, 65, 255]) {
    const longer = new Uint8Array([...good, byte]);
    yield { what: `byte ${byte} added`, bytes: longer, offset: good.length };
  }
}

/** A snapshot whose files can be damaged on the disk. */
interface Specimen {
  readonly store: SnapshotStore;
  readonly disk: MemoryFileSystem;
  readonly id: string;
  readonly path: string;
  readonly state: Uint8Array;
}

/** How the snapshot gets into the store; gives its ID. */
type Write = (client: StoreClient, store: SnapshotStore) => Promise<string>;

const take: Write = (client, store) =>
  client.take(store, { index: 1, size: SIZE });

const importArchive: Write = (client, store) => {
  const state = bytes(SIZE, 1);
  return client.import(store, archive({ state }), state);
};

async function makeSpecimen(write = take): Promise<Specimen> {
  const disk = new MemoryFileSystem();
  const client = new StoreClient(disk, new Expectations());
  const writer = await client.open({ blockSize: BLOCK_SIZE });
  const id = await write(client, writer);
  await writer.close();
  const store = await openFileSnapshotStore(BASE, {
    fileSystem: disk,
    logger: silent,
    blockSize: BLOCK_SIZE,
    readOnly: true,
  });
  const path = `${BASE}/snapshots/${id}`;
  return { store, disk, id, path, state: disk.readFile(`${path}/state.bin`) };
}

/** The bytes that a reader got, and why the snapshot was found to be corrupt. */
interface Reading {
  readonly got: Uint8Array;
  readonly reason: CorruptionReason | undefined;
}

async function read(
  { store, id }: Specimen,
  verify: VerifyMode,
): Promise<Reading> {
  const got: number[] = [];
  try {
    for await (const chunk of await store.open(id, { verify })) {
      got.push(...chunk);
    }
    return { got: new Uint8Array(got), reason: undefined };
  } catch (error) {
    if (!(error instanceof SnapshotCorruptError)) throw error;
    return { got: new Uint8Array(got), reason: error.reason };
  }
}

/** The results that must follow from a damage. */
interface Consequence {
  /** The reason that `verify()` gives. */
  readonly verified: CorruptionReason;
  /** The reason that readers get, by mode; `undefined` when they read it all. */
  readonly read: Readonly<Record<VerifyMode, CorruptionReason | undefined>>;
  /** How many bytes readers in "auto" get before that. */
  readonly got: number;
  readonly listed: boolean;
}

function refused(reason: CorruptionReason): Consequence {
  const read = { auto: reason, before: reason, stream: reason };
  return { verified: reason, read, got: 0, listed: false };
}

/** Whether a damaged meta.json can be parsed, and has another size or none. */
function hasOtherSize(bytes: Uint8Array): boolean {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    const meta = JSON.parse(text);
    // A key of another case is refused, not skipped.
    const hasOddKey = Object.keys(meta).some((key) =>
      key !== "Size" && key.toLowerCase() === "size"
    );
    return !hasOddKey && meta.Size !== SIZE;
  } catch {
    return false;
  }
}

type Consequences = Readonly<Record<string, (damage: Damage) => Consequence>>;

/** The results of a damage to each file of a snapshot of this library. */
const sealed: Consequences = {
  // A changed size is found by comparing it with that of state.bin.
  "meta.json": ({ bytes }) => refused(hasOtherSize(bytes) ? "size" : "meta"),
  "state.bin": ({ bytes, offset }) =>
    bytes.length !== SIZE ? refused("size") : {
      verified: "block",
      read: { auto: "block", before: "block", stream: "block" },
      got: offset < BLOCK_SIZE ? 0 : BLOCK_SIZE,
      listed: true,
    },
  // The state is checked against its CRC instead.
  "blocks.crc64": () => ({
    verified: "block",
    read: { auto: undefined, before: undefined, stream: undefined },
    got: SIZE,
    listed: true,
  }),
};

/** The same for a snapshot that Go wrote, whose meta.json has no checksum. */
const unsealed: Consequences = {
  "state.bin": ({ bytes }) =>
    bytes.length !== SIZE ? refused("size") : {
      ...refused("crc"),
      listed: true,
    },
};

/** The same for an imported snapshot, whose state does not depend on it. */
const imported: Consequences = {
  "archive.origin": () => ({
    verified: "archive",
    read: { auto: undefined, before: undefined, stream: undefined },
    got: SIZE,
    listed: true,
  }),
};

async function check(specimen: Specimen, expected: Consequence) {
  const { store, id, state } = specimen;
  const { ok, errors } = await store.verify(id);
  assert.equal(ok, false, "verify() has not noticed the damage");
  assert.equal(errors[0]?.reason, expected.verified);
  assert.equal((await store.list()).length, expected.listed ? 1 : 0);
  for (const mode of ["auto", "before", "stream"] as const) {
    const { got, reason } = await read(specimen, mode);
    assert.equal(reason, expected.read[mode], mode);
    // The mode "stream" hands out bytes that are not checked yet.
    if (mode === "stream" && reason !== undefined) continue;
    const length = mode === "before" && reason !== undefined ? 0 : expected.got;
    assert.deepEqual(got, state.subarray(0, length), mode);
  }
}

/** Damages a file in every way, or in some of them. */
async function checkAll(
  specimen: Specimen,
  file: string,
  consequence: (damage: Damage) => Consequence,
): Promise<void> {
  const path = `${specimen.path}/${file}`;
  const good = specimen.disk.readFile(path);
  const stride = amount(Math.ceil(good.length / 40), 1);
  const first = random(seed).integer(stride);
  const chosen = [...damages(good)].filter((_, i) => i % stride === first);
  for (const damage of chosen) {
    specimen.disk.writeFile(path, damage.bytes);
    try {
      await check(specimen, consequence(damage));
    } catch (cause) {
      throw new Error(`${file}, ${damage.what}, SEED=${seed}`, { cause });
    }
  }
  report("bits flipped and lengths changed, all noticed", chosen.length);
  await specimen.store.close();
}

describe("damage to a file of a snapshot", () => {
  for (const [file, consequence] of Object.entries(sealed)) {
    it(`is found at every bit and every length of ${file}`, async () => {
      await checkAll(await makeSpecimen(), file, consequence);
    });
  }

  for (const [file, consequence] of Object.entries(imported)) {
    it(`is found at every bit and every length of ${file}`, async () => {
      await checkAll(await makeSpecimen(importArchive), file, consequence);
    });
  }

  for (const [file, consequence] of Object.entries(unsealed)) {
    it(`is found at every bit and every length of ${file} that Go wrote`, async () => {
      const specimen = await makeSpecimen();
      await specimen.disk.removeFile(`${specimen.path}/blocks.crc64`);
      await checkAll(specimen, file, consequence);
    });
  }
});
