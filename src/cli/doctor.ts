/** `doctor DIR`: whether a store is healthy, and which snapshot a start restores. */

import { type Command, InvalidArgumentError, Option } from "commander";
import { printable, type SnapshotMeta } from "../../mod.ts";
import { diagnoseArchives, type Diagnosis } from "./archives/doctor.ts";
import { findArchives } from "./archives/open.ts";
import { hostIdOption, parseDuration, parsePath } from "./arguments.ts";
import { writeAtomically } from "./atomic_file.ts";
import { CommandError, NOT_CHECKED } from "./failure.ts";
import { describeFinding, findingJson } from "./finding.ts";
import { alignColumns, counted, formatSize, formatTime } from "./format.ts";
import { countOf, examine, type Health } from "./health.ts";
import { withInterrupts } from "./interrupt.ts";
import { describeHolder, holderJson } from "./lock_holder.ts";
import { takenTime } from "./order.ts";
import { print, printJson, printPainted } from "./output.ts";
import { findStore } from "./place.ts";
import { prometheusText } from "./prometheus.ts";
import { type LockingOptions, withStoreToRead } from "./stores.ts";
import { summarize } from "./unfinished.ts";

interface DoctorOptions extends LockingOptions {
  readonly quick?: boolean;
  readonly maxAge?: number;
  readonly json?: true;
  readonly prometheus?: string;
}

/** Adds the command. */
export function registerDoctor(program: Command): void {
  program.command("doctor")
    .summary("tell whether a store is healthy")
    .description(
      "Reads all snapshots of a store and tells which are good, which one a " +
        "start would restore, from which index the log must be there, which " +
        "files a crash has left, and who has the lock. It takes no lock and changes nothing. " +
        "The exit code is 1 when a snapshot is bad or the newest good one is " +
        "older than --max-age, and 3 when something could not be checked.",
    )
    .argument("<DIR>", "the store's directory", parsePath)
    .option("--quick", "read the metadata only, not the states")
    .addOption(
      new Option(
        "--max-age <DURATION>",
        "how old the newest good snapshot may be, such as 90m, 26h or 7d",
      ).argParser(parseDuration),
    )
    .option("--json", "print the results as an object")
    .addOption(
      new Option(
        "--prometheus <FILE>",
        "write metrics for the node_exporter's directory of text files; - is " +
          "stdout",
      ).argParser(parsePath),
    )
    .addOption(hostIdOption())
    .action(doctor);
}

async function doctor(path: string, options: DoctorOptions): Promise<void> {
  const { json, prometheus, quick = false } = options;
  if (json && prometheus === "-") {
    throw new InvalidArgumentError(
      "Cannot print JSON and metrics: stdout takes one of them",
    );
  }
  const archives = await findArchives(path);
  const diagnosis = archives === undefined
    ? await diagnoseStore(path, options)
    : await withInterrupts((signal) =>
      diagnoseArchives(archives, { ...options, quick, signal })
    );
  const { problem } = diagnosis;
  const exitCode = problem?.exitCode ?? 0;
  if (prometheus !== undefined) {
    await writeMetrics(prometheus, diagnosis.metrics(exitCode));
  }
  if (json) await printJson(diagnosis.json(exitCode));
  else if (prometheus !== "-") await printPainted(...diagnosis.lines());
  if (problem !== undefined) throw problem;
}

async function diagnoseStore(
  path: string,
  options: DoctorOptions,
): Promise<Diagnosis> {
  const { quick = false, hostId } = options;
  const { directory } = await findStore(path);
  const health = await withInterrupts((signal) =>
    withStoreToRead(
      directory,
      (store) => examine(store, directory, { read: !quick, signal }),
      { hostId },
    )
  );
  return {
    problem: findProblem(health, options),
    metrics: (exitCode) => prometheusText(health, exitCode),
    json: (exitCode) => toJson(health, exitCode),
    lines: () => toLines(health),
  };
}

/** The problem that makes the exit code other than 0, if any. */
function findProblem(
  health: Health,
  { maxAge }: DoctorOptions,
): CommandError | undefined {
  const { findings, restored, now } = health;
  const [bad, unchecked] = [
    countOf(health, "bad"),
    countOf(health, "unchecked"),
  ];
  const of = `of ${findings.length} snapshots`;
  if (bad > 0) return new CommandError(`${bad} ${of} are bad`);
  if (unchecked > 0) {
    return new CommandError(`${unchecked} ${of} could not be checked`, {
      exitCode: NOT_CHECKED,
    });
  }
  if (maxAge === undefined) return undefined;
  if (restored === undefined) {
    return new CommandError("found no good snapshot: --max-age needs one");
  }
  const taken = takenTime(restored);
  if (now.getTime() - taken.getTime() <= maxAge) return undefined;
  return new CommandError(
    `the newest good snapshot is too old: taken ${formatTime(taken, now)}`,
  );
}

async function writeMetrics(file: string, text: string): Promise<void> {
  if (file === "-") return await print(...text.trimEnd().split("\n"));
  const bytes = async function* () {
    yield new TextEncoder().encode(text);
  };
  // The exporter, which may be another user, must never see a part of it.
  await writeAtomically(file, bytes(), {
    check: () => Promise.resolve(),
    mode: 0o644,
  });
}

function toJson(health: Health, exitCode: number): Record<string, unknown> {
  const { findings, newest, restored, now, inspection } = health;
  const { lock, unfinished, foreignCount } = inspection;
  return {
    place: health.place,
    checkedAt: now.toISOString(),
    ok: exitCode === 0,
    newest: newest === undefined ? null : {
      ...newest.toJSON(),
      ageSeconds: ageSeconds(newest, now),
    },
    restores: restored === undefined ? null : {
      id: restored.id,
      index: String(restored.index),
      logFrom: String(restored.index + 1n),
      ageSeconds: ageSeconds(restored, now),
    },
    statesRead: health.isRead,
    snapshots: findings.map(findingJson),
    quarantined: health.quarantined,
    unfinished,
    foreignCount,
    lock: lock === undefined ? null : holderJson(lock),
    usedBytes: health.usedBytes,
    freeBytes: health.freeBytes ?? null,
  };
}

function ageSeconds(meta: SnapshotMeta, now: Date): number {
  return Math.round((now.getTime() - takenTime(meta).getTime()) / 1000);
}

function toLines(health: Health): string[] {
  const { findings, newest, restored, now, inspection } = health;
  const { lock, unfinished, foreignCount } = inspection;
  const idWidth = Math.max(0, ...findings.map(({ id }) => id.length));
  const left = unfinished.filter(({ mayBeUnderWay }) => !mayBeUnderWay);
  const sealed = findings.filter(({ report }) => report?.sealed).length;
  const free = health.freeBytes === undefined
    ? ""
    : `, ${formatSize(health.freeBytes)} free`;
  const rows: [string, string][] = [
    ["place", health.place],
    [
      "newest",
      newest === undefined
        ? findings[0]?.id ?? "none"
        : `${newest.id}, taken ${formatTime(takenTime(newest), now)}`,
    ],
    ["a start", describeStart(restored, findings.length)],
    ...(health.isRead
      ? [["sealed", `${sealed} of ${findings.length}`] as [string, string]]
      : []),
    ["lock", lock === undefined ? "none" : describeHolder(lock, now)],
    ["quarantined", namesOf(health.quarantined.map(({ name }) => name))],
    ["left by a crash", left.length === 0 ? "none" : summarize(left)],
    [
      "not snapshots",
      foreignCount === 0 ? "none" : counted(foreignCount, "name"),
    ],
    ["space", `${formatSize(health.usedBytes)} used${free}`],
  ];
  return [
    ...findings.flatMap((finding) => describeFinding(finding, idWidth)),
    ...alignColumns(rows.map(printableRow), ["left", "left"]),
  ];
}

function printableRow([name, value]: readonly [string, string]): string[] {
  return [name, printable(value)];
}

function describeStart(
  restored: SnapshotMeta | undefined,
  count: number,
): string {
  if (restored !== undefined) {
    return `restores ${restored.id}, and needs the log from index ` +
      `${restored.index + 1n}`;
  }
  return count === 0
    ? "finds no snapshot, and needs the log from index 1"
    : "fails: not one snapshot is good";
}

function namesOf(names: readonly string[]): string {
  return names.length === 0 ? "none" : names.join(", ");
}
