/**
 * A served store, and the same over a line without a network.
 */

import {
  copySnapshot,
  MemorySnapshotStore,
  type SnapshotReader,
} from "@raft/snapshots";
import {
  type HttpSnapshotStoreOptions,
  openHttpSnapshotStore,
  type SnapshotHandlerOptions,
} from "@raft/snapshots/http";
import { Log } from "../support/store_fixture.ts";
import { FaultyLine } from "./faulty_line.ts";
import { Served, SERVER, STATE } from "./served.ts";

/** A store that is served, and one of the same over a line. */
export interface Setup {
  readonly served: Served;
  readonly line: FaultyLine;
  readonly remote: SnapshotReader;
  readonly id: string;
}

/** Serves a state, and opens it over a line that a test makes fail. */
export async function connect(
  options: HttpSnapshotStoreOptions = {},
  handlerOptions: Partial<SnapshotHandlerOptions> = {},
  state: Uint8Array = STATE,
): Promise<Setup> {
  const served = await Served.make(handlerOptions, state);
  const line = new FaultyLine(served.handler);
  const remote = await openHttpSnapshotStore(SERVER, {
    fetch: line.fetch,
    logger: new Log(),
    retry: { budgetMs: 60_000, pauseMs: 1, pauseMsMax: 2 },
    ...options,
  });
  return { served, line, remote, id: served.id };
}

/** Takes the snapshot over; resolves to the state that came. */
export async function install(
  { remote, id }: Pick<Setup, "remote" | "id">,
): Promise<Uint8Array> {
  const local = new MemorySnapshotStore();
  const meta = await copySnapshot(remote, id, local);
  const source = await local.open(meta.id);
  return new Uint8Array(await new Response(source).arrayBuffer());
}
