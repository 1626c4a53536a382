/** `copy FROM DIR [ID]`: takes a snapshot over from a server or another store. */

import type { Command } from "commander";
import {
  copySnapshot,
  isSnapshotError,
  type SnapshotMeta,
  type SnapshotReader,
} from "../../mod.ts";
import { openHttpSnapshotStore } from "../http/mod.ts";
import { copyFromArchives } from "./archives/copy.ts";
import { findArchives } from "./archives/open.ts";
import {
  hostIdOption,
  parsePath,
  parseRetain,
  parseSize,
} from "./arguments.ts";
import { CommandError, NOT_CHECKED } from "./failure.ts";
import { withInterrupts } from "./interrupt.ts";
import { currentOrder, warnIfNotNewest } from "./order.ts";
import { print, printJson } from "./output.ts";
import { findStore } from "./place.ts";
import { startProgress } from "./progress.ts";
import { messageOf } from "./reason.ts";
import {
  publishedIds,
  reporting,
  withStoreToRead,
  withStoreToWrite,
  type WritingOptions,
} from "./stores.ts";
import { readToken, tokenOption } from "./token.ts";

interface CopyOptions extends WritingOptions {
  readonly tokenFile?: string;
  readonly maxSize?: number;
  readonly ifMissing?: boolean;
  readonly json?: boolean;
}

/** Adds the command. */
export function registerCopy(program: Command): void {
  program.command("copy")
    .summary("copy a snapshot from a server or another store")
    .description(
      "Copies a snapshot into a store and prints its ID there. From a server " +
        "(see serve) it resumes when the line breaks. Every byte is checked, " +
        "and nothing is left of a copy that fails. Where FROM has the archives " +
        "of backup, one is copied as it is, or into DIR/snapshots when that " +
        "directory exists.",
    )
    .argument(
      "<FROM>",
      "the address of a server, http:// or https://; a store's directory, or " +
        "s3://BUCKET/PREFIX",
    )
    .argument(
      "<DIR>",
      "the store's directory, made when it is missing; or s3://BUCKET/PREFIX",
      parsePath,
    )
    .argument("[ID]", "the snapshot, or latest, which is the default")
    .option(
      "--if-missing",
      "copy nothing when the store has a snapshot of the same index, term, " +
        "size and CRC, and print the ID of that one",
    )
    .addOption(tokenOption())
    .option(
      "--max-size <BYTES>",
      "reject a larger state before any of it is read",
      parseSize,
    )
    .option(
      "--retain <N>",
      "how many snapshots to keep: older ones are deleted, and named on " +
        "stderr (default: all are kept)",
      parseRetain,
    )
    .addOption(hostIdOption())
    .option("--json", "print the snapshot as an object")
    .action(async (
      from: string,
      directory: string,
      id: string | undefined,
      options: CopyOptions,
    ) => {
      const archives = isServer(from)
        ? undefined
        : await findArchives(parsePath(from));
      if (archives !== undefined) {
        return await copyFromArchives(archives, directory, {
          ...options,
          name: id,
        });
      }
      const meta = await copy(from, directory, { id, options });
      await (options.json === true ? printJson(meta) : print(meta.id));
    });
}

async function copy(
  from: string,
  directory: string,
  { id, options }: {
    readonly id: string | undefined;
    readonly options: CopyOptions;
  },
): Promise<SnapshotMeta> {
  const { tokenFile, maxSize, ifMissing, retain, hostId } = options;
  return await withInterrupts((signal) =>
    withSource(from, tokenFile, async (source, newestId) => {
      const chosen = id === undefined || id === "latest"
        ? await newestId()
        : id;
      const progress = startProgress("Copying");
      const onProgress = ({ done, total }: { done: number; total: number }) =>
        progress.update(done, total);
      try {
        return await withStoreToWrite(
          directory,
          { ...(retain === undefined ? {} : { retain }), hostId },
          async (target) => {
            const how = { signal, onProgress, ifMissing, maxSize };
            const meta = await copySnapshot(source, chosen, target, how);
            progress.stop();
            await warnIfNotNewest(target, meta);
            return meta;
          },
        );
      } finally {
        progress.stop();
      }
    })
  );
}

function isServer(from: string): boolean {
  return /^https?:/i.test(from);
}

/** The use of a source; `newestId` is called when no ID is given. */
type Use<T> = (
  source: SnapshotReader,
  newestId: () => Promise<string>,
) => Promise<T>;

async function withSource<T>(
  from: string,
  tokenFile: string | undefined,
  use: Use<T>,
): Promise<T> {
  if (isServer(from)) return await withServer(from, tokenFile, use);
  const { directory, id } = await findStore(parsePath(from));
  return await withStoreToRead(
    directory,
    // A bad newest snapshot is not replaced by an older one.
    (store) =>
      use(
        store,
        async () => id ?? requireOne(await publishedIds(store), from),
      ),
  );
}

async function withServer<T>(
  url: string,
  tokenFile: string | undefined,
  use: Use<T>,
): Promise<T> {
  const token = await readToken(tokenFile);
  const headers: Record<string, string> = token === undefined
    ? {}
    : { authorization: `Bearer ${token}` };
  const remote = await open(url, headers);
  try {
    return await use(remote, async () => {
      const listed = await remote.list();
      return requireOne(listed.map(({ id }) => id), url);
    });
  } catch (error) {
    if (!isSnapshotError(error, "ERR_STORE_ACCESS")) throw error;
    throw new CommandError(messageOf(error), {
      cause: error,
      exitCode: NOT_CHECKED,
    });
  } finally {
    await remote.close();
  }
}

/** @throws {CommandError} when the address or the token can't be used. */
async function open(url: string, headers: Record<string, string>) {
  try {
    return await openHttpSnapshotStore(url, {
      headers,
      ...reporting,
      order: currentOrder(),
    });
  } catch (error) {
    throw new CommandError(messageOf(error), { cause: error, exitCode: 2 });
  }
}

function requireOne(ids: readonly string[], from: string): string {
  if (ids[0] !== undefined) return ids[0];
  throw new CommandError(`There is no snapshot in ${from}`);
}
