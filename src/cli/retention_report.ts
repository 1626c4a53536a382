/** The report that `prune` of snapshots and `prune` of archives have in common. */

import type { RetentionDecision } from "../../mod.ts";
import { NOT_CHECKED } from "./failure.ts";
import { type Finding, stateOf } from "./finding.ts";
import { alignColumns, formatSize } from "./format.ts";

/** The fields of an item that are shown. */
interface ShownItem {
  readonly name: string;
  readonly size: number;
  readonly time: Date;
}

/** A line for each decision. */
export function describeDecisions<T>(
  decisions: readonly RetentionDecision<T>[],
  show: (item: T) => ShownItem,
): string[] {
  const rows = decisions.map(({ item, keep, reasons }) => {
    const { name, size, time } = show(item);
    return [
      keep ? "keep" : "remove",
      name,
      formatSize(size),
      time.toISOString(),
      reasons.join(", "),
    ];
  });
  return alignColumns(rows, ["left", "left", "right", "left", "left"]);
}

/** The exit code for findings that are bad, or could not be checked. */
export function exitCodeOf(findings: readonly Finding[]): number {
  return findings.some((finding) => stateOf(finding) === "bad")
    ? 1
    : NOT_CHECKED;
}
