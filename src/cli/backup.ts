/**
 * `backup --consul --to DIR`: keeps the snapshots of Consul, Nomad or Vault.
 */

import { type Command, InvalidArgumentError } from "commander";
import { isStore, openArchives } from "./archives/open.ts";
import { hostIdOption, parseDuration, parsePath } from "./arguments.ts";
import {
  cleanUp,
  describeResult,
  runAgent,
  waitForLease,
} from "./backup/agent.ts";
import { statusHandler } from "./backup/metrics.ts";
import {
  type BackupResult,
  type BackupTask,
  makeFirstBackup,
} from "./backup/run.ts";
import {
  addSourceOptions,
  readSourceSettings,
  type SourceFlags,
} from "./backup/source_options.ts";
import { BackupStatus } from "./backup/status.ts";
import { CommandError, NOT_CHECKED } from "./failure.ts";
import { startServer } from "./http_server.ts";
import { withInterrupts } from "./interrupt.ts";
import { print, printJson } from "./output.ts";
import { systemReason } from "./reason.ts";
import {
  addRetentionOptions,
  policyOf,
  type RetentionFlags,
} from "./retention_flags.ts";

interface BackupFlags extends SourceFlags, RetentionFlags {
  readonly to: string;
  readonly every?: number;
  readonly listen?: { readonly host: string; readonly port: number };
  readonly maxAge?: number;
  readonly hostId?: string;
  readonly json?: boolean;
}

/** A killed agent keeps its lease for less than that. */
const LEASE_WAIT_MS = 60_000;

/** Adds the command. */
export function registerBackup(program: Command): void {
  const command = program.command("backup")
    .summary("back up a running Consul, Nomad or Vault")
    .description(
      "Takes a snapshot from a running cluster, checks every byte of it, and " +
        "keeps the archive as it came, under the name INDEX-UNIXMS.snap. The " +
        "archive gets its name when it is complete; then it is read back. A " +
        "backup that fails leaves nothing, and removes nothing. With --every " +
        "backup runs until SIGTERM or SIGINT. Several agents may share a " +
        "destination; one of them works at a time.",
    )
    .requiredOption(
      "--to <DIR>",
      "the directory for the archives, made when it is missing; or " +
        "s3://BUCKET/PREFIX",
      parsePath,
    );
  addSourceOptions(command);
  command.option(
    "--every <DURATION>",
    "make a backup each time that so much time has passed, such as 1h",
    parseDuration,
  );
  addRetentionOptions(command)
    .option(
      "--listen <HOST:PORT>",
      "answer GET /healthz and GET /metrics there (with --every)",
      parseListen,
    )
    .option(
      "--max-age <DURATION>",
      "/healthz fails when the newest good backup is older (default: three " +
        "times --every)",
      parseDuration,
    )
    .addOption(hostIdOption())
    .option("--json", "print the backup as an object (without --every)")
    .action(backup);
}

const ASK_ONCE = { stallTimeoutMs: 3_000, retry: { budgetMs: 0 } } as const;

/** Rethrows an error that is not about a place that can't be read. */
function isUnread(error: unknown): false {
  if (error instanceof CommandError && error.exitCode === NOT_CHECKED) {
    return false;
  }
  throw error;
}

async function backup(flags: BackupFlags): Promise<void> {
  const { every, listen, maxAge, json } = flags;
  const source = readSourceSettings(flags);
  if (every === undefined && (listen ?? maxAge) !== undefined) {
    throw new InvalidArgumentError("--listen and --max-age need --every");
  }
  if (every !== undefined && json === true) {
    throw new InvalidArgumentError("--json is for a single backup");
  }
  // A bucket that does not answer at once is reported, or waited for, below.
  if (await isStore(flags.to, ASK_ONCE).catch(isUnread)) {
    throw new CommandError(
      `Cannot keep archives in ${flags.to}: found a store of snapshots there, ` +
        "expected a directory of their own",
      { exitCode: 2 },
    );
  }
  const store = await openArchives(flags.to, { hostId: flags.hostId });
  const task = { source, store, policy: policyOf(flags) };
  // Before anything is made: a wrong file is an error of the command line.
  await Promise.all([source.readToken(), source.readTls()]);
  if (every === undefined) await backUpOnce(task, json === true);
  else if (every === 0) throw new InvalidArgumentError("--every must not be 0");
  else await backUpAlways(task, every, flags);
}

async function backUpOnce(task: BackupTask, json: boolean): Promise<void> {
  await withInterrupts(async (ending) => {
    const startedAt = Date.now();
    const waitMsMax = LEASE_WAIT_MS;
    const lease = await waitForLease(task, ending, { waitMsMax });
    try {
      const signal = AbortSignal.any([ending, lease.signal]);
      const result = await makeFirstBackup(task, signal);
      if (json) await printJson(resultJson(task, result));
      else await print(describeResult(result, Date.now() - startedAt));
      await cleanUp(task, result, signal);
    } finally {
      await lease.release();
    }
  });
}

function resultJson(
  { store }: BackupTask,
  { outcome, backup }: BackupResult,
) {
  const { name, index, term, size, createdAt } = backup;
  return {
    outcome,
    place: store.place,
    name,
    index: String(index),
    term: String(term),
    size,
    createdAt,
  };
}

async function backUpAlways(
  task: BackupTask,
  everyMs: number,
  { listen, maxAge = 3 * everyMs }: BackupFlags,
): Promise<void> {
  const status = new BackupStatus();
  await withInterrupts(async (signal) => {
    const server = listen === undefined
      ? undefined
      : await startServer(statusHandler(status, maxAge), {
        ...listen,
        tls: undefined,
      }).catch((error) => {
        throw new CommandError(
          `Cannot listen on ${listen.host}, port ${listen.port}: ${
            systemReason(error)
          }`,
          { cause: error },
        );
      });
    if (server !== undefined) await print(`Listening on ${server.url}`);
    try {
      await runAgent(task, { everyMs, status, signal });
    } finally {
      await server?.drain();
    }
  });
}

function parseListen(text: string): { host: string; port: number } {
  const [, ipv6, name, digits] = /^(?:\[([\da-f:.]+)\]|([^:[\]]+)):(\d{1,5})$/i
    .exec(text) ?? [];
  const host = ipv6 ?? name;
  const port = Number(digits);
  if (host !== undefined && port <= 65_535) return { host, port };
  throw new InvalidArgumentError("Expected HOST:PORT such as 127.0.0.1:9402.");
}
