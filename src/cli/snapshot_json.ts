/** What `--json` says of a snapshot. */

import type { SnapshotMeta } from "../snapshot/types.ts";
import { formatCrc, timeOf } from "./format.ts";

/** A snapshot's metadata, ready to be printed. */
export function snapshotJson(meta: SnapshotMeta): Record<string, unknown> {
  return {
    id: meta.id,
    index: meta.index,
    term: meta.term,
    time: timeOf(meta.id) ?? null,
    size: meta.size,
    crc: formatCrc(meta.crc),
    version: meta.version,
    configuration: meta.configuration,
    configurationIndex: meta.configurationIndex,
  };
}
