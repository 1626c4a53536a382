/**
 * Stores of archives in each kind of place, for tests that are the same for all.
 */

import { openFileArchiveStore } from "@raft/snapshots/archive";
import type { ArchiveStore } from "@raft/snapshots/archive";
import { S3ArchiveStore } from "../../src/archive_store/s3_archive_store.ts";
import { makeBucket, QUICK } from "../support/s3/bucket.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";

/** A place with nothing in it. */
export interface ArchivePlace {
  readonly name: string;
  /** Gives a way to open the same place again. */
  readonly open: () => Promise<() => ArchiveStore>;
}

/** A directory. */
export const DIRECTORY: ArchivePlace = {
  name: "a directory",
  open: async () => {
    const directory = `${await temporaryDirectory()}/new/backups`;
    return () => openFileArchiveStore(directory);
  },
};

/** A bucket, of a real server where the environment names one. */
export const BUCKET: ArchivePlace = {
  name: "a bucket",
  open: () => {
    const bucket = makeBucket({ partSizeMin: 0 });
    const { location, endpoint, credentials, fetch } = bucket;
    const options = { endpoint, credentials, fetch };
    const tuning = { retry: QUICK };
    return Promise.resolve(() => new S3ArchiveStore(location, options, tuning));
  },
};

/** Puts bytes there; gives the name. */
export async function put(
  store: ArchiveStore,
  index: bigint,
  unixMs: number,
  bytes: Uint8Array | string = "archive",
): Promise<string> {
  const sink = await store.create({ index, createdAt: new Date(unixMs) });
  const writer = sink.getWriter();
  const chunk = typeof bytes === "string"
    ? new TextEncoder().encode(bytes)
    : bytes;
  for (let at = 0; at < chunk.length; at += 100_000) {
    await writer.write(chunk.subarray(at, at + 100_000));
  }
  await writer.close();
  return sink.archiveName;
}

/** All bytes of an archive. */
export async function readAll(
  store: ArchiveStore,
  name: string,
): Promise<Uint8Array> {
  const stream = await store.open(name);
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
