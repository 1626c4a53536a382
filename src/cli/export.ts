/** `export DIR ID FILE`: makes an archive of a snapshot. */

import process from "node:process";
import { type Command, InvalidArgumentError } from "commander";
import { exportArchive } from "../archive/mod.ts";
import type { SnapshotStore } from "../../mod.ts";
import { checkArchive } from "./archive_file.ts";
import { parseLevel, parsePath } from "./arguments.ts";
import { writeAtomically } from "./atomic_file.ts";
import { CommandError } from "./failure.ts";
import { formatCrc, formatSize } from "./format.ts";
import { withInterrupts } from "./interrupt.ts";
import { print, printJson, warn, write } from "./output.ts";
import { findStore } from "./place.ts";
import { type ProgressBar, startProgress } from "./progress.ts";
import { requireStdout } from "./stdout.ts";
import { resolveId, withStoreToRead } from "./stores.ts";

interface ExportOptions {
  readonly level: number;
  readonly json?: boolean;
}

/** Adds the command. */
export function registerExport(program: Command): void {
  program.command("export")
    .summary("make an archive for Consul, Nomad or Vault")
    .description(
      "Makes an archive of a snapshot (.snap) as Consul, Nomad and Vault " +
        "write and restore it. FILE gets its name when the archive is " +
        "complete, checked and on the disk, and replaces an older FILE, which " +
        "an error leaves unchanged.\n\n" +
        "A snapshot that was imported from Vault is exported with the sums that " +
        "Vault has sealed (SHA256SUMS.sealed). Where they are missing, export " +
        "warns: an ordinary restore then crashes Vault, and only " +
        "`vault operator raft snapshot restore -force` takes the archive.",
    )
    .argument("<DIR>", "the store's directory", parsePath)
    .argument("<ID>", "the snapshot, or latest")
    .argument("<FILE>", "the archive; stdout when it is -", parsePath)
    .option(
      "--level <N>",
      "the level of compression, 1 to 9; 0 only stores",
      parseLevel,
      6,
    )
    .option("--json", "print the snapshot as an object")
    .action(exportSnapshot);
}

async function exportSnapshot(
  path: string,
  named: string,
  file: string,
  { level, json = false }: ExportOptions,
): Promise<void> {
  const { directory } = await findStore(path, named);
  if (file === "-") return await exportToStdout(directory, named, level, json);
  const { id, meta, crc, fileSize } = await withInterrupts((signal) =>
    withStoreToRead(directory, async (store) => {
      const id = await resolveId(store, directory, named);
      const progress = startProgress(`Exporting ${id}`);
      const archive = exportWith(store, id, { level, signal, progress });
      try {
        const check = (temporary: string) => {
          progress.stop();
          return checkArchive(temporary, { name: file, signal });
        };
        return { id, ...await writeAtomically(file, archive, { check }) };
      } finally {
        progress.stop();
      }
    })
  );
  if (json) {
    const snapshot = { ...meta.toJSON(), crc: formatCrc(crc) };
    await printJson({ ...snapshot, file, fileSize });
  } else await print(`exported ${id} to ${file} (${formatSize(fileSize)})`);
}

async function exportToStdout(
  directory: string,
  named: string,
  level: number,
  json: boolean,
): Promise<void> {
  if (json) {
    throw new InvalidArgumentError(
      "Cannot use --json: stdout takes the archive",
    );
  }
  if (process.stdout.isTTY) {
    throw new CommandError("Cannot write an archive to a terminal");
  }
  requireStdout();
  await withStoreToRead(directory, async (store) => {
    const id = await resolveId(store, directory, named);
    const progress = startProgress(`Exporting ${id}`);
    try {
      for await (const chunk of exportWith(store, id, { level, progress })) {
        await write(chunk);
      }
    } finally {
      progress.stop();
    }
  });
}

function exportWith(
  store: SnapshotStore,
  id: string,
  { progress, ...options }: {
    readonly level: number;
    readonly progress: ProgressBar;
    readonly signal?: AbortSignal;
  },
): ReadableStream<Uint8Array> {
  return exportArchive(store, id, {
    ...options,
    onWarning: warn,
    onProgress: ({ done, total }) => progress.update(done, total),
  });
}
