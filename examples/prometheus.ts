/**
 * The events of a store as metrics for Prometheus: `onEvent` counts them, and a
 * server hands out the registry's metrics.
 *
 * ```ts
 * const prometheus = new Registry();
 * const onEvent = snapshotMetrics(prometheus);
 * const store = await openFileSnapshotStore(directory, { onEvent });
 * // ... and on GET /metrics:
 * new Response(await prometheus.metrics());
 * ```
 */

import type { StoreEvent } from "@raft/snapshots";
import { Counter, Gauge, type Registry } from "prom-client";

/**
 * Adds metrics to the registry; returns a function for the option `onEvent`.
 */
export function snapshotMetrics(
  prometheus: Registry,
): (event: StoreEvent) => void {
  const metric = (name: string, help: string) => ({
    name: `raft_snapshot_${name}`,
    help,
    registers: [prometheus],
  });
  const events = new Counter({
    ...metric("events_total", "Events that the store has reported"),
    labelNames: ["type"],
  });
  const fallbacks = new Counter(
    metric("fallbacks_total", "Snapshots that restore() has passed over"),
  );
  const lastPublished = new Gauge(
    metric("last_published_seconds", "When a snapshot was last published"),
  );
  const size = new Gauge(metric("size_bytes", "Size of that snapshot"));
  return (event) => {
    events.inc({ type: event.type });
    if (event.type === "restored") fallbacks.inc(event.skipped.length);
    if (event.type !== "published") return;
    lastPublished.setToCurrentTime();
    size.set(event.meta.size);
  };
}
