/** `cat DIR [ID]` or `cat FILE`: a snapshot's state, checked, to stdout. */

import process from "node:process";
import { type Command, InvalidArgumentError } from "commander";
import { printable, type SnapshotSource } from "../../mod.ts";
import { checkArchive } from "./archive_file.ts";
import { parsePath } from "./arguments.ts";
import { CommandError } from "./failure.ts";
import { write } from "./output.ts";
import { chooseId, findPlace } from "./place.ts";
import { startProgress } from "./progress.ts";
import { requireStdout } from "./stdout.ts";
import { openChosen, withStoreToRead } from "./stores.ts";

/** Adds the command. */
export function registerCat(program: Command): void {
  program.command("cat")
    .summary("write a snapshot's state to stdout")
    .description(
      "Writes a snapshot's state to stdout. Every byte is checked before it is " +
        "written; when the snapshot is corrupt, the output ends early and the " +
        "exit code is 1. The state in an archive can't be trusted before the " +
        "archive's end: use it only when the exit code is 0.",
    )
    .argument("<DIR|FILE>", "the store's directory, or an archive", parsePath)
    .argument("[ID]", "the snapshot, or latest, which is the default")
    .action(cat);
}

async function cat(path: string, named: string | undefined): Promise<void> {
  requireStdout();
  const place = await findPlace(path);
  if (place.kind === "archive") {
    if (named === undefined) {
      await checkArchive(path, { take: makeWriter() });
      return;
    }
    throw new InvalidArgumentError(
      `Cannot write ${named}: ${path} is an archive, which has one snapshot`,
    );
  }
  const { directory } = place;
  const id = chooseId(place, named);
  await withStoreToRead(directory, async (store) => {
    await copyToStdout(await openChosen(store, directory, { id }));
  });
}

/** Writes chunks to stdout; to a terminal only text, which can't steer it. */
function makeWriter(): (chunk: Uint8Array) => Promise<void> {
  if (!process.stdout.isTTY) return write;
  // A character may be cut at the end of a chunk.
  const decoder = new TextDecoder("utf-8", { fatal: true });
  return async (chunk) => {
    if (!isText(decoder, chunk)) {
      throw new CommandError(
        "Cannot write a state that is not text to a terminal: redirect it to " +
          "a file or into a pipe",
      );
    }
    await write(chunk);
  };
}

function isText(decoder: TextDecoder, chunk: Uint8Array): boolean {
  try {
    const text = decoder.decode(chunk, { stream: true })
      .replace(/\r?\n|\t/g, "");
    return printable(text) === text;
  } catch {
    return false; // not UTF-8
  }
}

async function copyToStdout(source: SnapshotSource): Promise<void> {
  // On a terminal the bar would be drawn into the state.
  const writeChunk = makeWriter();
  const progress = process.stdout.isTTY ? undefined : startProgress("Reading");
  let done = 0;
  try {
    for await (const chunk of source) {
      await writeChunk(chunk);
      progress?.update(done += chunk.length, source.meta.size);
    }
  } finally {
    progress?.stop();
  }
}
