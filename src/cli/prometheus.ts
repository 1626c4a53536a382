/** A store's health as metrics, in the text format of Prometheus. */

import { countOf, type Health } from "./health.ts";
import { takenTime } from "./order.ts";

/** One metric: its help, and the values by their labels. */
export interface Metric {
  readonly name: string;
  readonly help: string;
  readonly values: readonly (readonly [
    number | undefined,
    Readonly<Record<string, string>>?,
  ])[];
}

/** Every line of the text, with its end. */
export function prometheusText(health: Health, exitCode: number): string {
  return formatMetrics(health.place, metricsOf(health, exitCode));
}

/** Metrics of a place as text. */
export function formatMetrics(
  place: string,
  metrics: readonly Metric[],
): string {
  return metrics.flatMap(({ name, help, values }) => {
    const full = `raft_snapshots_${name}`;
    const lines = values.flatMap(([value, labels = {}]) =>
      value === undefined
        ? []
        : [`${full}${labelsText({ place, ...labels })} ${value}`]
    );
    return lines.length === 0
      ? []
      : [`# HELP ${full} ${help}`, `# TYPE ${full} gauge`, ...lines];
  }).map((line) => `${line}\n`).join("");
}

function metricsOf(health: Health, exitCode: number): Metric[] {
  const { findings, inspection, newest, restored } = health;
  const { holder } = inspection.lock ?? { holder: "dead" };
  const unsealed = findings.filter(({ report }) => report?.sealed === false);
  return [
    {
      name: "snapshots",
      help: "Snapshots by their state.",
      values: [
        [countOf(health, "ok"), { state: "good" }],
        [countOf(health, "bad"), { state: "bad" }],
        [countOf(health, "unchecked"), { state: "unchecked" }],
        [health.quarantined.length, { state: "quarantined" }],
        [inspection.unfinished.length, { state: "unfinished" }],
      ],
    },
    {
      name: "newest_timestamp_seconds",
      help: "When the newest snapshot was taken.",
      values: [[secondsOf(newest && takenTime(newest))]],
    },
    {
      name: "newest_good_timestamp_seconds",
      help: "When the newest good snapshot was taken.",
      values: [[secondsOf(restored && takenTime(restored))]],
    },
    {
      name: "newest_good_index",
      help: "The last log index in the newest good snapshot.",
      values: [[restored && Number(restored.index)]],
    },
    {
      name: "newest_good_size_bytes",
      help: "The length of the newest good snapshot's state.",
      values: [[restored?.size]],
    },
    {
      name: "unsealed",
      help: "Snapshots without block checksums.",
      values: [[health.isRead ? unsealed.length : undefined]],
    },
    {
      name: "locked",
      help: "Whether a program has the lock.",
      values: [[holder === "dead" ? 0 : 1]],
    },
    {
      name: "used_bytes",
      help: "The length of all states.",
      values: [[health.usedBytes]],
    },
    {
      name: "free_bytes",
      help: "Free bytes of the file system.",
      values: [[health.freeBytes]],
    },
    {
      name: "doctor_exit_code",
      help: "0 good, 1 bad, 3 not checked.",
      values: [[exitCode]],
    },
    {
      name: "doctor_timestamp_seconds",
      help: "When the store was examined.",
      values: [[secondsOf(health.now)]],
    },
  ];
}

function secondsOf(time: Date | undefined): number | undefined {
  return time && time.getTime() / 1000;
}

function labelsText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => {
    const text = value.replaceAll("\\", "\\\\").replaceAll('"', '\\"')
      .replaceAll("\n", "\\n");
    return `${name}="${text}"`;
  });
  return `{${pairs.join(",")}}`;
}
