/** `doctor DIR` where DIR has archives. */

import type { ArchiveStore, StoredArchive } from "../../archive/mod.ts";
import { printable } from "../../../mod.ts";
import { CommandError, NOT_CHECKED } from "../failure.ts";
import {
  describeFinding,
  type Finding,
  findingJson,
  type FindingState,
  stateOf,
} from "../finding.ts";
import { alignColumns, formatSize, formatTime } from "../format.ts";
import { formatMetrics } from "../prometheus.ts";
import { checkArchives } from "./check.ts";
import { archiveJson } from "./list.ts";
import { reading } from "./open.ts";

/** The results of `doctor`, for its several outputs. */
export interface Diagnosis {
  /** The problem that makes the exit code other than 0, if any. */
  readonly problem: CommandError | undefined;
  /** Metrics for Prometheus. */
  readonly metrics: (exitCode: number) => string;
  readonly json: (exitCode: number) => Record<string, unknown>;
  /** Lines for a terminal, in which text from outside is escaped. */
  readonly lines: () => string[];
}

interface DoctorFlags {
  /** Whether nothing is read. */
  readonly quick: boolean;
  readonly maxAge?: number;
}

/** The state of the archives. */
interface Health {
  readonly place: string;
  readonly now: Date;
  readonly archives: readonly StoredArchive[];
  /** The results for the archives that were read. */
  readonly findings: readonly Finding[];
  readonly isRead: boolean;
  /** The newest that is good; the newest at all where none was read. */
  readonly newest: StoredArchive | undefined;
}

/** Finds which archives are good, and how old the newest of them is. */
export async function diagnoseArchives(
  store: ArchiveStore,
  { quick, maxAge, signal }: DoctorFlags & { readonly signal: AbortSignal },
): Promise<Diagnosis> {
  const now = new Date();
  const archives = await reading(() => store.list());
  // They are printed with the rest.
  const findings = quick
    ? []
    : await checkArchives(store, [], { json: true, signal });
  const good = new Set(
    findings.filter((each) => stateOf(each) === "ok").map(({ id }) => id),
  );
  const newest = archives.find(({ name }) => quick || good.has(name));
  const { place } = store;
  const health = { place, now, archives, findings, newest, isRead: !quick };
  return {
    problem: findProblem(health, maxAge),
    metrics: (exitCode) => metricsOf(health, exitCode),
    json: (exitCode) => toJson(health, exitCode === 0),
    lines: () => toLines(health),
  };
}

function countOf({ findings }: Health, state: FindingState): number {
  return findings.filter((each) => stateOf(each) === state).length;
}

function findProblem(
  health: Health,
  maxAge: number | undefined,
): CommandError | undefined {
  const { findings, newest, now } = health;
  const of = `of ${findings.length} archives`;
  const [bad, unchecked] = [
    countOf(health, "bad"),
    countOf(health, "unchecked"),
  ];
  if (bad > 0) return new CommandError(`${bad} ${of} are bad`);
  if (unchecked > 0) {
    return new CommandError(`${unchecked} ${of} could not be checked`, {
      exitCode: NOT_CHECKED,
    });
  }
  if (maxAge === undefined) return undefined;
  const ageMs = now.getTime() - (newest?.createdAt.getTime() ?? -Infinity);
  if (ageMs <= maxAge) return undefined;
  return new CommandError(
    newest === undefined
      ? "found no good archive: --max-age needs one"
      : `the newest good archive is too old: taken ${
        formatTime(newest.createdAt, now)
      }`,
  );
}

function toJson(
  { place, now, archives, findings, newest }: Health,
  ok: boolean,
): Record<string, unknown> {
  return {
    place,
    checkedAt: now.toISOString(),
    ok,
    newest: newest === undefined ? null : {
      ...archiveJson(newest),
      ageSeconds: Math.round(
        (now.getTime() - newest.createdAt.getTime()) / 1000,
      ),
    },
    archives: archives.map(archiveJson),
    checked: findings.map(findingJson),
    usedBytes: usedBytesOf(archives),
  };
}

function toLines(health: Health): string[] {
  const { place, now, archives, findings, newest, isRead } = health;
  const width = Math.max(0, ...findings.map(({ id }) => id.length));
  const rows: [string, string][] = [
    ["place", printable(place)],
    [
      isRead ? "newest good" : "newest",
      newest === undefined
        ? "none"
        : `${newest.name}, taken ${formatTime(newest.createdAt, now)}`,
    ],
    ["archives", String(archives.length)],
    ["space", `${formatSize(usedBytesOf(archives))} used`],
  ];
  return [
    ...findings.flatMap((finding) => describeFinding(finding, width)),
    ...alignColumns(rows, ["left", "left"]),
  ];
}

function metricsOf(health: Health, exitCode: number): string {
  const { place, now, archives, newest, isRead } = health;
  const time = newest && newest.createdAt.getTime() / 1000;
  return formatMetrics(place, [
    {
      name: "archives",
      help: "Archives by their state.",
      values: isRead
        ? [
          [countOf(health, "ok"), { state: "good" }],
          [countOf(health, "bad"), { state: "bad" }],
          [countOf(health, "unchecked"), { state: "unchecked" }],
        ]
        : [[archives.length, { state: "not read" }]],
    },
    {
      name: "newest_good_timestamp_seconds",
      help: "When the newest good archive was taken.",
      values: [[isRead ? time : undefined]],
    },
    {
      name: "newest_timestamp_seconds",
      help: "When the newest archive was taken.",
      values: [[archives[0] && archives[0].createdAt.getTime() / 1000]],
    },
    {
      name: "used_bytes",
      help: "The length of all archives.",
      values: [[usedBytesOf(archives)]],
    },
    {
      name: "doctor_exit_code",
      help: "0 good, 1 bad, 3 not checked.",
      values: [[exitCode]],
    },
    {
      name: "doctor_timestamp_seconds",
      help: "When the archives were examined.",
      values: [[now.getTime() / 1000]],
    },
  ]);
}

function usedBytesOf(archives: readonly StoredArchive[]): number {
  return archives.reduce((sum, { size }) => sum + size, 0);
}
