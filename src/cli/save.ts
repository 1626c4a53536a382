/** `save DIR [FILE]`: writes a snapshot from a file or stdin. */

import process from "node:process";
import { type Command, Option } from "commander";
import type {
  Server,
  SnapshotInit,
  SnapshotMeta,
  SnapshotStore,
} from "../../mod.ts";
import {
  hostIdOption,
  parseCrc,
  parsePath,
  parseRetain,
  parseServer,
  parseSize,
  parseUint64,
} from "./arguments.ts";
import { nameOption, requireBytes } from "./check_state.ts";
import { formatDuration, formatRate, formatSize } from "./format.ts";
import { openInput } from "./input.ts";
import { withInterrupts } from "./interrupt.ts";
import { print, printJson } from "./output.ts";
import { isQuiet } from "./quiet.ts";
import { startProgress } from "./progress.ts";
import { withStoreToWrite, type WritingOptions } from "./stores.ts";

interface SaveOptions extends WritingOptions {
  readonly index: bigint;
  readonly term: bigint;
  readonly configurationIndex: bigint;
  readonly server: readonly Server[];
  readonly size?: number;
  readonly crc64?: bigint;
  readonly allowEmpty?: true;
  readonly json?: true;
}

const SERVER_FLAGS = "--server <[SUFFRAGE:]ID=ADDRESS>";

/** Adds the command. */
export function registerSave(program: Command): void {
  program.command("save")
    .summary("write a snapshot from a file or stdin")
    .description(
      "Writes a snapshot and prints its ID. The snapshot is in the store when " +
        "it is complete and on the disk. After an error or an interruption no " +
        "part of it is there, nor a directory that save has made. In a pipe, " +
        "save can't see that the program before it has failed half-way: give " +
        "--size where the length is known. An empty state is refused without " +
        "--allow-empty.",
    )
    .argument(
      "<DIR>",
      "the store's directory; made when it is missing",
      parsePath,
    )
    .argument(
      "[FILE]",
      "the state; stdin by default, or when it is -",
      parsePath,
    )
    .requiredOption(
      "--index <N>",
      "the last log index that the state includes",
      parseUint64,
    )
    .requiredOption("--term <N>", "the term of that index", parseUint64)
    .addOption(
      new Option(
        SERVER_FLAGS,
        "a member of the cluster; once for each member; SUFFRAGE is voter " +
          "(the default), nonvoter or staging",
      ).argParser(parseServer).default([], "no servers"),
    )
    .addOption(
      new Option(
        "--configuration-index <N>",
        "the log index at which the servers were set",
      ).argParser(parseUint64).default(0n, "0"),
    )
    .option(
      "--retain <N>",
      "how many snapshots to keep: older ones are deleted, and named on " +
        "stderr (default: all are kept)",
      parseRetain,
    )
    .option(
      "--size <BYTES>",
      "the length that the state must have; another state is not saved",
      parseSize,
    )
    .option(
      "--crc64 <HEX>",
      "the CRC-64 that the state must have, 16 hexadecimal digits as inspect " +
        "prints it; another state is not saved",
      parseCrc,
    )
    .addOption(hostIdOption())
    .option("--allow-empty", "save a state of 0 bytes, too")
    .option("--json", "print the snapshot as an object")
    .action(save);
}

async function save(
  directory: string,
  file: string | undefined,
  options: SaveOptions,
): Promise<void> {
  const startMs = Date.now();
  const meta = await withInterrupts(async (signal) => {
    // Before the store is made, which a wrong name must not do.
    const input = await openInput(file, signal);
    try {
      return await withStoreToWrite(
        directory,
        options,
        (store) =>
          writeSnapshot(store, options, {
            chunks: input.chunks(),
            size: input.size ?? options.size,
            signal,
          }),
      );
    } finally {
      input.close();
    }
  });
  sayHowFast(meta, Date.now() - startMs);
  await (options.json ? printJson(meta) : print(meta.id));
}

function initOfOptions(options: SaveOptions): SnapshotInit {
  return {
    index: options.index,
    term: options.term,
    configuration: { servers: options.server },
    configurationIndex: options.configurationIndex,
  };
}

interface State {
  readonly chunks: AsyncIterable<Uint8Array>;
  readonly size: number | undefined;
  readonly signal: AbortSignal;
}

async function writeSnapshot(
  store: SnapshotStore,
  options: SaveOptions,
  { chunks, size, signal }: State,
): Promise<SnapshotMeta> {
  const { size: expectedSize, crc64, allowEmpty } = options;
  const progress = startProgress("Writing");
  try {
    const state = allowEmpty ? chunks : requireBytes(chunks);
    return await store.save(initOfOptions(options), state, {
      signal,
      expected: { size: expectedSize, crc: crc64 },
      onProgress: ({ done }) => progress.update(done, size),
    });
  } catch (error) {
    throw nameOption(error);
  } finally {
    progress.stop();
  }
}

function sayHowFast({ size }: SnapshotMeta, ms: number): void {
  if (!process.stderr.isTTY || isQuiet()) return;
  const rate = formatRate(size * 1000 / Math.max(ms, 1));
  process.stderr.write(
    `wrote ${formatSize(size)} in ${formatDuration(ms)} (${rate})\n`,
  );
}
