/**
 * Begins a snapshot: claims an ID that no snapshot has had.
 *
 * @module
 */

import { toSnapshotError } from "../backend/errors.ts";
import { SnapshotError } from "../errors.ts";
import type { InitialMeta } from "../snapshot/init.ts";
import type { ExpectedState } from "../snapshot/types.ts";
import { encodeProvisionalMeta } from "../snapshot/meta/provisional.ts";
import type { IdClock } from "./id_clock.ts";
import type { StoreParts } from "./parts.ts";
import { SnapshotWriter } from "./snapshot_writer.ts";

/** A backend that says "taken" more often than this is at fault. */
const TRIES_MAX = 1000;

/** A request to begin a snapshot. */
export interface Beginning {
  readonly init: InitialMeta;
  /** The expected size and CRC of its state. */
  readonly expected: ExpectedState | undefined;
}

/**
 * Claims an ID, and begins the snapshot.
 *
 * @throws {RangeError} when the clock is wrong, or the metadata is too long.
 * @throws {SnapshotError} when the backend can't begin the snapshot.
 */
export async function beginSnapshot(
  parts: StoreParts,
  ids: IdClock,
  { init, expected }: Beginning,
): Promise<SnapshotWriter> {
  try {
    const taken = await parts.backend.takenIds();
    let tries = 0;
    for (const id of ids.candidates(init, taken)) {
      const meta = { ...init, id };
      const provisional = encodeProvisionalMeta(meta);
      const pending = await parts.backend.begin(id, provisional, {
        expectedSize: expected?.size,
      });
      if (pending !== "taken") {
        return new SnapshotWriter(parts, pending, { meta, expected });
      }
      if (++tries === TRIES_MAX) break;
    }
    throw new SnapshotError(
      `Cannot create a snapshot in ${parts.backend.place}: ` +
        `${tries} IDs in a row are taken, expected a free one`,
    );
  } catch (error) {
    if (error instanceof RangeError) throw error;
    throw toSnapshotError("create a snapshot", error);
  }
}
