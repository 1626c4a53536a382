/**
 * Puts the commands together, runs one, and turns its outcome into an exit code.
 * Each command is a file of its own that registers itself here.
 */

import { Command } from "commander";
import { registerBackup } from "./backup.ts";
import { addBucketOptions } from "./buckets.ts";
import { registerCat } from "./cat.ts";
import { registerClean } from "./clean.ts";
import { registerCopy } from "./copy.ts";
import { registerDelete } from "./delete.ts";
import { registerDoctor } from "./doctor.ts";
import { registerExport } from "./export.ts";
import { reportError } from "./failure.ts";
import { registerCompletion, registerMan } from "./generate.ts";
import { registerImport } from "./import.ts";
import { registerInspect } from "./inspect.ts";
import { registerList } from "./list.ts";
import { addOrderOption } from "./order.ts";
import { write } from "./output.ts";
import { registerPrune } from "./prune.ts";
import { addQuietOption } from "./quiet.ts";
import { registerRestoreDrill } from "./restore_drill.ts";
import { registerSave } from "./save.ts";
import { registerSeal } from "./seal.ts";
import { registerServe } from "./serve.ts";
import { registerUnlock } from "./unlock.ts";
import { registerVerify } from "./verify.ts";
import { VERSION } from "./version.ts";

/** Each adds one command to the program. */
const COMMANDS: readonly ((program: Command) => void)[] = [
  registerSave,
  registerList,
  registerCat,
  registerVerify,
  registerInspect,
  registerSeal,
  registerDoctor,
  registerPrune,
  registerDelete,
  registerClean,
  registerUnlock,
  registerExport,
  registerImport,
  registerCopy,
  registerServe,
  registerBackup,
  registerRestoreDrill,
  registerCompletion,
  (program) => registerMan(program, NOTES),
];

const NOTES = `
DIR is the directory that the store was opened with: the snapshots are in
DIR/snapshots, as HashiCorp Raft's SnapshotStore lays them out. A program's data
directory above it, snapshots itself, one snapshot in it, or its state.bin are
understood as well. latest in the place of an ID is the newest snapshot.

Commands that only read (doctor, list, inspect, verify, cat, export, serve,
restore-drill) take no lock and change nothing in DIR, and so may run beside a
live Raft node. save, import, copy, seal, prune, delete, clean and unlock change
DIR, and take its lock, so that only one program at a time writes. Go's store
has no lock. save, import, copy and clean also remove unfinished snapshots;
those of another program, such as a Go server, only when nothing in them has
changed for an hour. Files that root writes belong to the owner of the
directory.

s3://BUCKET/PREFIX in the place of DIR is a store in object storage. Any number
of programs may write to it, and there is no lock. The options above, before or
after the command, say how to reach it; without them the variables
AWS_ENDPOINT_URL_S3, AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY
are used.

FILE in the place of DIR is an archive (.snap) of Consul, Nomad or Vault; - is
an archive on stdin. doctor, list, verify, prune, copy and restore-drill also
take a directory or bucket that backup has filled with archives.

With --json one JSON document is printed, in which a snapshot is its metadata
as JSON.stringify() writes it. index, term and configurationIndex are strings,
because many programs round integers of 64 bits. crc is a string of 16
hexadecimal digits, createdAt is a time in ISO 8601.

Exit codes:
  0    done, and every snapshot that was looked at is good
  1    a snapshot is bad or missing, or the work failed
  2    the command line is wrong: an option, an argument, a number, an ID
  3    a snapshot, the store or FILE could not be read or checked, and none is
       known to be bad: a missing permission, a disk error, an unknown version
  130  interrupted by Ctrl-C (129 by SIGHUP, 143 by SIGTERM)
  141  the reader of the output closed it before its end`;

/** Runs one command line and gives its exit code; never rejects. */
export async function run(args: readonly string[]): Promise<number> {
  try {
    await parse(args);
    return 0;
  } catch (error) {
    return reportError(error);
  }
}

/** Runs a command. Help and the version wait for stdout as all output does. */
async function parse(args: readonly string[]): Promise<void> {
  let help = "";
  const program = makeProgram((text) => help += text);
  try {
    await program.parseAsync(args, { from: "user" });
  } finally {
    if (help !== "") await write(new TextEncoder().encode(help));
  }
}

function makeProgram(writeOut: (text: string) => void): Command {
  const program = new Command("raft-snapshots")
    .description("Writes, lists, reads, checks and moves Raft snapshots.")
    .version(VERSION)
    .exitOverride()
    // A usage error comes to reportError() as an exception: say it there, once.
    .configureOutput({ outputError: () => {}, writeOut })
    .addHelpText("after", NOTES);
  addQuietOption(program);
  addOrderOption(program);
  addBucketOptions(program);
  for (const register of COMMANDS) register(program);
  return program;
}
