/** Says who has the lock of a store. */

import { printable, type StoreLock } from "../../mod.ts";
import { formatAge } from "./format.ts";

const STATES: Readonly<Record<StoreLock["holder"], string>> = {
  own: "alive",
  alive: "alive",
  dead: "which has ended; the next program takes the lock over",
  unknown: "which can't be seen from here",
};

/** Such as `process 12 on host a (node 24) since 2026-..., alive`. */
export function describeHolder(
  { owner, holder }: StoreLock,
  now: Date = new Date(),
): string {
  if (owner === undefined) return `an unknown holder, ${STATES[holder]}`;
  const { pid, host, runtime } = owner;
  const since = new Date(owner.since);
  const time = Number.isNaN(since.getTime())
    ? "an unknown time"
    : `${since.toISOString()} (${formatAge(since, now)})`;
  return `process ${pid} on host ${printable(host ?? "(unknown)")} ` +
    `(${printable(runtime)}) since ${time}, ${STATES[holder]}`;
}

/** As JSON. */
export function holderJson({ owner, holder, hint }: StoreLock) {
  const since = new Date(owner?.since ?? NaN);
  return {
    holder,
    pid: owner?.pid ?? null,
    host: owner?.host ?? null,
    runtime: owner?.runtime ?? null,
    since: Number.isNaN(since.getTime()) ? null : since.toISOString(),
    hint: hint ?? null,
  };
}
