/** Buckets in the place of a store's directory: `s3://bucket/prefix`. */

import { exec } from "node:child_process";
import { promisify } from "node:util";
import { type Command, InvalidArgumentError, Option } from "commander";
import { type SnapshotStore, StoreAccessError } from "../../mod.ts";
import type {
  ArchiveStore,
  HasS3SnapshotsOptions,
  S3Credentials,
  S3SnapshotStoreOptions,
} from "../s3_snapshot_store.ts";
import { CommandError } from "./failure.ts";
import { messageOf } from "./reason.ts";

/** Whether a store is in a bucket. */
export function isBucket(place: string): boolean {
  return /^s3:/i.test(place);
}

/** The options of the command line that are about buckets. */
interface BucketFlags {
  readonly endpoint?: string;
  readonly region?: string;
  readonly pathStyle?: boolean;
  readonly conditionalWrites?: S3SnapshotStoreOptions["conditionalWrites"];
  readonly credentialsCommand?: string;
}

/** Of the command that runs: they may stand before it or after it. */
let flags: BucketFlags = {};

/** Adds the options, which every command takes. */
export function addBucketOptions(program: Command): void {
  program
    .option("--endpoint <URL>", "the server of s3://bucket/prefix")
    .option("--region <NAME>", "the region of the bucket")
    .option("--path-style", "put the bucket into the path of URLs")
    .option("--no-path-style", "put the bucket into the host of URLs")
    .addOption(
      new Option(
        "--conditional-writes <HEADER>",
        "the header that keeps the server from replacing an object",
      ).choices(["if-none-match", "x-goog-if-generation-match", "none"]),
    )
    .option(
      "--credentials-command <COMMAND>",
      "prints the keys as JSON, as credential_process of the AWS tools does",
      parseCommand,
    )
    .hook("preAction", () => {
      flags = program.opts<BucketFlags>();
    });
}

function parseCommand(command: string): string {
  if (command.trim() !== "") return command;
  throw new InvalidArgumentError("Found nothing, expected a command.");
}

type S3 = typeof import("../s3_snapshot_store.ts");

/** Uses a bucket; a wrong place or option is a usage error. */
async function withBuckets<T>(use: (s3: S3) => T | Promise<T>): Promise<T> {
  // Loaded only then: most command lines have no bucket.
  const s3 = await import("../s3_snapshot_store.ts");
  try {
    return await use(s3);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new CommandError(messageOf(error), { cause: error, exitCode: 2 });
  }
}

/** Opens the store in a bucket as the command line says. */
export function openBucket(
  place: string,
  options: S3SnapshotStoreOptions,
): Promise<SnapshotStore> {
  const all = { ...bucketOptions(), ...options };
  return withBuckets((s3) => s3.openS3SnapshotStore(place, all));
}

/** Whether there is a store of snapshots in a bucket; one request. */
export function hasSnapshots(
  place: string,
  options: Pick<HasS3SnapshotsOptions, "retry" | "stallTimeoutMs"> = {},
): Promise<boolean> {
  const all = { ...bucketOptions(), ...options };
  return withBuckets((s3) => s3.hasS3Snapshots(place, all));
}

/** Opens the archives in a bucket as the command line says. */
export function openArchiveBucket(place: string): Promise<ArchiveStore> {
  return withBuckets((s3) => s3.openS3ArchiveStore(place, bucketOptions()));
}

function bucketOptions() {
  const { credentialsCommand, endpoint, region, conditionalWrites } = flags;
  return {
    endpoint,
    region,
    conditionalWrites,
    pathStyle: flags.pathStyle,
    credentials: credentialsCommand === undefined
      ? undefined
      : () => runCredentialsCommand(credentialsCommand),
  };
}

/** The store waits a little longer; no provider prints more. */
const COMMAND_MS_MAX = 25_000;
const COMMAND_BYTES_MAX = 1024 * 1024;

/** Runs the command; its output is never shown, because it has the keys. */
async function runCredentialsCommand(command: string): Promise<S3Credentials> {
  let printed: string;
  try {
    const { stdout } = await promisify(exec)(command, {
      timeout: COMMAND_MS_MAX,
      maxBuffer: COMMAND_BYTES_MAX,
      windowsHide: true,
    });
    printed = stdout;
  } catch (error) {
    throw refusal(
      `the command ${endOf(error)}; run it by hand to see why, because its ` +
        "output is not shown",
    );
  }
  return readCredentials(printed);
}

/** How the command ended. */
function endOf(error: unknown): string {
  const { code, signal } = (error ?? {}) as {
    readonly code?: unknown;
    readonly signal?: unknown;
  };
  return signal ? `was ended by ${signal}` : `ended with exit code ${code}`;
}

function readCredentials(printed: string): S3Credentials {
  let found: Readonly<Record<string, unknown>>;
  try {
    found = JSON.parse(printed);
  } catch {
    throw refusal("found something else, expected JSON");
  }
  const { Version, AccessKeyId, SecretAccessKey } = found ?? {};
  if (Version !== 1) {
    throw refusal('found JSON without "Version": 1, expected it');
  }
  const { SessionToken, Expiration } = found;
  // Some programs write a field that they have no value for.
  const expiration = (Expiration ?? undefined) === undefined
    ? undefined
    : new Date(String(Expiration));
  if (expiration !== undefined && Number.isNaN(expiration.getTime())) {
    throw refusal("found an Expiration that is not a time");
  }
  // The store checks the types.
  return {
    accessKeyId: AccessKeyId as string,
    secretAccessKey: SecretAccessKey as string,
    sessionToken: (SessionToken || undefined) as string | undefined,
    expiration,
  };
}

function refusal(how: string): StoreAccessError {
  return new StoreAccessError(
    `Cannot get credentials from --credentials-command: ${how}`,
  );
}
