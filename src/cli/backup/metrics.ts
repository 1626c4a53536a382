/** An agent's HTTP server: its health, and metrics for Prometheus. */

import { printable } from "../../../mod.ts";
import type { BackupStatus } from "./status.ts";

/** Answers `GET /healthz` and `GET /metrics`. */
export function statusHandler(
  status: BackupStatus,
  ageMsMax: number,
): (request: Request) => Promise<Response> {
  // deno-lint-ignore require-await -- as the server wants it
  return async ({ method, url }) => {
    const isRead = method === "GET" || method === "HEAD";
    const body = (text: string) => method === "HEAD" ? null : text;
    const { pathname } = new URL(url);
    if (!isRead) return new Response("Method not allowed\n", { status: 405 });
    if (pathname === "/healthz") {
      const health = healthOf(status, ageMsMax);
      return new Response(body(`${JSON.stringify(health)}\n`), {
        status: health.status === "ok" ? 200 : 503,
        headers: { "content-type": "application/json" },
      });
    }
    if (pathname === "/metrics") {
      return new Response(body(metricsOf(status)), {
        headers: { "content-type": "text/plain; version=0.0.4" },
      });
    }
    return new Response(body("Not found\n"), { status: 404 });
  };
}

function healthOf(status: BackupStatus, ageMsMax: number) {
  const { newest, ageMs, role, lastFailure } = status;
  const isOk = ageMs !== undefined && ageMs <= ageMsMax;
  return {
    status: isOk ? "ok" : newest === undefined ? "no good backup" : "too old",
    role,
    newest: newest?.name ?? null,
    ageSeconds: seconds(ageMs) ?? null,
    ageSecondsMax: ageMsMax / 1000,
    lastFailure: lastFailure === undefined ? null : printable(lastFailure),
  };
}

interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: "gauge" | "counter";
  readonly values: Readonly<Record<string, number | undefined>>;
}

function metricsOf(status: BackupStatus): string {
  const { newest, runs } = status;
  const gauge = (name: string, help: string, value: number | undefined) =>
    ({ name, help, type: "gauge", values: { "": value } }) as const;
  const metrics: Metric[] = [
    gauge(
      "active",
      "1 if this agent makes backups, 0 if it waits for another one.",
      status.role === "active" ? 1 : 0,
    ),
    gauge(
      "last_success_timestamp_seconds",
      "When the last run ended well, also one that found nothing new.",
      seconds(status.succeededAt),
    ),
    gauge(
      "last_duration_seconds",
      "How long that run took.",
      seconds(status.durationMs),
    ),
    gauge(
      "newest_age_seconds",
      "Age of the newest backup that was read back and is good, or of the last " +
        "look that found nothing newer.",
      seconds(status.ageMs),
    ),
    gauge("newest_size_bytes", "Length of that backup.", newest?.size),
    gauge(
      "failures_in_a_row",
      "Failures since the last success.",
      status.failuresInARow,
    ),
    {
      name: "runs_total",
      help: "Runs by their outcome.",
      type: "counter",
      values: Object.fromEntries(
        Object.entries(runs).map((
          [outcome, count],
        ) => [`{outcome="${outcome}"}`, count]),
      ),
    },
  ];
  return metrics.flatMap(linesOf).map((line) => `${line}\n`).join("");
}

/** An unknown value has no sample. */
function linesOf({ name, help, type, values }: Metric): string[] {
  const full = `raft_snapshots_backup_${name}`;
  const samples = Object.entries(values).flatMap(([labels, value]) =>
    value === undefined ? [] : [`${full}${labels} ${value}`]
  );
  if (samples.length === 0) return [];
  return [`# HELP ${full} ${help}`, `# TYPE ${full} ${type}`, ...samples];
}

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1000;
}
