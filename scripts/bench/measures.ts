/**
 * The measurements, their contestants, and their targets.
 *
 * @module
 */

import type { Contestants, Sample } from "./contestants.ts";

/** One of the contestants in one measure. */
export interface Entry {
  /** A row for each sample of a measurement. */
  readonly rows: readonly {
    /** The row's name. */
    readonly name: string;
    /** Whether it is this library. */
    readonly ours: boolean;
    /** The runtime, where it has one. */
    readonly runtime?: string;
  }[];
  /** Makes one measurement. */
  readonly run: (directory: string) => Promise<readonly Sample[]>;
}

/** A ratio that this library wants to reach on every runtime. */
export interface Target {
  /** The end of the names of the rows, after the runtime's. @default {""} */
  readonly label?: string;
  /** At least so many times the speed ... */
  readonly ratio: number;
  /** ... of this row; `{}` stands for the runtime's own name. */
  readonly of: string;
}

/** One table. */
export interface MeasurePlan {
  /** A short name. */
  readonly id: string;
  /** The table's heading. */
  readonly title: string;
  /** Bytes dealt with in one measurement; none where only the time counts. */
  readonly bytes: number;
  /** How many rounds there are; each measures every contestant. */
  readonly rounds: number;
  /**
   * Where it happens: in a directory that all share, empty at first or with the
   * snapshot that is to be read; or in one of one's own, on a disk at rest or in
   * memory.
   */
  readonly directory: "shared" | "filled" | "own" | "memory";
  /** The rows. */
  readonly entries: readonly Entry[];
  /** The targets. */
  readonly targets: readonly Target[];
  /** The reason why a target is missed, where one is. */
  readonly obstacle?: string;
}

const MIB = 1024 * 1024;
export const GIB = 1024 * MIB;

/** All tables. `scale` makes everything smaller, for a quick look. */
export function plan(all: Contestants, scale: number): MeasurePlan[] {
  return tables(all, scale).map((each) => ({
    ...each,
    rounds: Math.max(1, Math.round(each.rounds * Math.min(1, scale))),
  }));
}

function tables(all: Contestants, scale: number): MeasurePlan[] {
  // Whole MiB, for those who write nothing smaller.
  const size = (bytes: number) =>
    MIB * Math.max(1, Math.round(bytes * scale / MIB));
  const oursIn = (
    measure: string,
    bytes: number,
    labels: readonly string[] = [""],
  ): Entry[] =>
    all.ours.map(({ name, measure: run }) => ({
      rows: labels.map((label) => ({
        name: `${name}${label}`,
        ours: !/loop|one step/.test(label),
        runtime: name,
      })),
      run: (directory) => run(measure, directory, bytes),
    }));
  const peers = (
    names: readonly (keyof Contestants)[],
    measure: string,
    bytes: number,
  ): Entry[] =>
    names.flatMap((name) => {
      const peer = all[name];
      if (peer === undefined || !("measure" in peer)) return [];
      return [{
        rows: [{ name: peer.name, ours: false }],
        run: (directory: string) => peer.measure(measure, directory, bytes),
      }];
    });
  const go = all.go?.name ?? "Go";
  const large = size(GIB);
  const records = Math.round(1e9 * scale);
  const listed = Math.ceil(1000 * scale);
  return [
    {
      id: "crc",
      title: "CRC-64 of chunks of 1 MiB on the heap",
      bytes: size(2 * GIB),
      rounds: 5,
      directory: "shared",
      entries: [
        ...oursIn("crc", size(2 * GIB)),
        ...peers(["go", "liblzma", "hashWasm"], "crc", size(2 * GIB)),
      ],
      targets: [{ ratio: 5, of: go }, { ratio: 1, of: "liblzma" }],
    },
    {
      id: "read",
      title: "Open and read, every byte checked, from the page cache",
      bytes: large,
      rounds: 9,
      directory: "filled",
      entries: [
        ...oursIn("readAuto", large),
        ...oursIn("readReusing", large, [", reused buffers"]),
        ...oursIn("readFirst", large, [", first read"]),
        ...oursIn("readFresh", large, [", loop into fresh memory"]),
        ...oursIn("readPlain", large, [", loop into one buffer"]),
        ...peers(["go", "system"], "readAuto", large),
      ],
      targets: [
        { ratio: 0.9, of: "{}, loop into fresh memory" },
        { label: ", reused buffers", ratio: 3.5, of: go },
      ],
      obstacle: "The consumer may keep each chunk, unless it lets buffers be " +
        "reused, as Go does. On Node 24 fresh memory costs most: the engine " +
        "answers it with full garbage collections (--trace-gc showed 139 for " +
        "9 GiB, one on Node 20).",
    },
    {
      id: "check",
      title: "Read with the check and without, by turns in one process",
      bytes: large,
      rounds: 5,
      directory: "filled",
      entries: oursIn("readBoth", large, ["", ", unchecked"]),
      targets: [{ ratio: 1 / 1.1, of: "{}, unchecked" }],
      obstacle: "While a chunk is checked a thread reads the next one: the " +
        "check hides behind that as far as two cores let it, on which there " +
        "is also garbage to collect.",
    },
    {
      id: "write",
      title: "Write, close, and be durable",
      bytes: large,
      rounds: 7,
      directory: "own",
      entries: [
        ...oursIn("write", large),
        ...oursIn("writePlain", large, [", plain loop"]),
        ...peers(["go", "system"], "write", large),
      ],
      targets: [
        { ratio: 1.3, of: go },
        { ratio: 0.9, of: "dd, cat" },
      ],
      obstacle: "See the ranges: every writer, the plain loops too, takes " +
        "sometimes twice as long as at other times. dd computes nothing, and " +
        "copies bytes that are already in its cache.",
    },
    {
      id: "blocks",
      title: "Write with blocks.crc64 and without, by turns in one process, " +
        "in memory (tmpfs)",
      bytes: size(512 * MIB),
      rounds: 5,
      directory: "memory",
      entries: oursIn("writeBoth", size(512 * MIB), [
        "",
        ", without blocks.crc64",
      ]),
      targets: [{ ratio: 0.97, of: "{}, without blocks.crc64" }],
      obstacle:
        "The file has 8 KiB for a GiB of state; its CRCs are those that " +
        "the CRC of the whole is made of. Runs differ by more than that " +
        "costs.",
    },
    {
      id: "small",
      title: "Create and close with 4 KiB of state, after five hundred others",
      bytes: 0,
      rounds: 9,
      directory: "own",
      entries: [
        ...oursIn("small", 0, [
          "",
          ", the first fifty",
          ", loop of bare calls",
        ]),
        ...oursIn("step", 0, [", one step"]),
        ...peers(["go"], "small", 0),
      ],
      targets: [{ ratio: 1, of: go }],
      obstacle:
        "Nine steps follow one another: make the directory, open it, make " +
        "its files, write the state, write the other files, sync all side by " +
        "side, close, rename, sync the parent. Each is handed to a thread " +
        "and back, so that a slow disk blocks nothing else: the rows of one " +
        "step, an lstat, show the cost. The reap of snapshots beyond " +
        "retain runs beside the next snapshot. In all that is 27 calls. In a " +
        "profile on Deno the thread of JavaScript is busy for 1.1 of 1.7 ms: " +
        "half of that hands calls to threads, and no function of this library " +
        "takes more than 3 %. The bare calls of node:fs/promises make the same " +
        "files durable, and reap; they write no provisional meta.json, and " +
        "don't look whether another program has changed the directory. Go " +
        "blocks a thread instead, and syncs one file after the other, so it " +
        "is behind where a sync takes long, and ahead where it takes no time; " +
        "it leaves out the sync of the snapshot's own directory and the one " +
        "before old files are removed, and writes two files instead of three.",
    },
    {
      id: "chunks",
      title: "save() of a generator of records of 100 bytes, and of 1 MiB " +
        "chunks, by turns in one process",
      bytes: records,
      rounds: 1,
      directory: "own",
      entries: oursIn("saveBoth", records, [
        "",
        ", 1 MiB chunks",
        ", bare writes of records",
        ", bare writes of chunks",
      ]),
      // At most 1.3 times the time: more than 0.75 times the speed.
      targets: [{ ratio: 1 / 1.3, of: "{}, 1 MiB chunks" }],
      obstacle: "The bare writes are the generator, the copy, the writes and " +
        "the sync alone, without a checksum. For a record of 100 bytes the " +
        "generator and the copy take some 30 ns, about as long as the system " +
        "takes to write it, in another thread. On Deno nothing runs beside the " +
        "bare writes, because its node:fs makes them in the thread of the " +
        "caller; save() lets another thread write.",
    },
    {
      id: "demo",
      title: "Restore the demo's map of strings, and fill it from one buffer " +
        "in a loop, by turns in one process",
      bytes: size(32 * MIB),
      rounds: 3,
      directory: "own",
      entries: oursIn("restoreBoth", size(32 * MIB), ["", ", plain loop"]),
      targets: [{ ratio: 0.5, of: "{}, plain loop" }],
    },
    {
      id: "list",
      title: "List a thousand snapshots",
      bytes: 0,
      rounds: 3,
      directory: "shared",
      entries: [
        ...oursIn("list", listed, ["", ", again", ", loop of the same calls"]),
        ...peers(["go"], "list", listed),
      ],
      targets: [
        { ratio: 1 / 5, of: go },
        { label: ", again", ratio: 1 / 2, of: go },
      ],
      obstacle: "Go reads meta.json alone. The first list also checks it " +
        "against blocks.crc64, and looks how long the state is: nine calls a " +
        "snapshot (open, fstat, read and close of two files, and an lstat). " +
        "The loop makes the same calls, and does nothing else. The rest is " +
        "code that runs for the first time, above all that decodes the JSON " +
        "without a loss. A list that follows makes three calls a snapshot, an " +
        "lstat of each file, because a file that is changed in place leaves " +
        "the times of its directory as they are: 3,000 of them in a loop of " +
        "their own take two thirds of the list's time.",
    },
    ...[256 * MIB, GIB, 4 * GIB].map((bytes): MeasurePlan => ({
      id: `memory${bytes / MIB}`,
      title: `Memory while writing and reading ${bytes / MIB} MiB`,
      bytes: size(bytes),
      rounds: 1,
      directory: "shared",
      entries: all.ours.flatMap(({ name, measure }) => [
        {
          rows: [{ name: `${name}, write`, ours: true }],
          run: (directory: string) => measure("write", directory, size(bytes)),
        },
        {
          rows: [{ name: `${name}, read`, ours: true }],
          run: (directory: string) =>
            measure("readAuto", directory, size(bytes)),
        },
      ]),
      targets: [],
    })),
  ];
}
