/**
 * The suite for every store, on a store that is written where it is and read
 * over HTTP.
 */

import { describe, it } from "node:test";
import type { SnapshotStore } from "@raft/snapshots";
import { openHttpSnapshotStore, snapshotHandler } from "@raft/snapshots/http";
import { openSnapshotStore } from "@raft/snapshots/backend";
import {
  snapshotStoreConformance,
  type StoreToCheck,
} from "@raft/snapshots/testing";
import { EditableBackend } from "../store/editable_backend.ts";
import { Log } from "../support/store_fixture.ts";
import { SERVER } from "./served.ts";

const logger = new Log();
const retain = 3;

/**
 * The tests that only a store passes which has read its own snapshots: here the
 * other store has found them corrupt, and this one can only read.
 */
const NOT_OVER_HTTP: readonly string[] = [
  "inspect() reports a snapshot in quarantine",
  "restore() falls back to an older snapshot, and quarantines the corrupt one",
  "restore() passes over each corrupt snapshot",
  "a corrupt snapshot does not count as one that is retained",
];

async function makeStore(): Promise<StoreToCheck> {
  const backend = new EditableBackend();
  const options = { blockSize: 4096, retain, logger };
  const local = await openSnapshotStore(backend, options);
  const handler = snapshotHandler(local, {
    authorize: () => true,
    maxTransfers: 16,
    logger,
  });
  const remote = await openHttpSnapshotStore(SERVER, {
    fetch: (url, init) => handler(new Request(url, init)),
    retry: { pauseMs: 1 },
    logger,
  });
  const close = async () => {
    await remote.close();
    await local.close();
  };
  const store: SnapshotStore = {
    create: (init, options) => local.create(init, options),
    save: (init, state, options) => local.save(init, state, options),
    seal: (id, options) => local.seal(id, options),
    reap: () => local.reap(),
    delete: (id) => local.delete(id),
    clean: (options) => local.clean(options),
    inspect: () => local.inspect(),
    list: remote.list.bind(remote),
    stat: (id) => remote.stat(id),
    header: (id) => remote.header(id),
    open: (id, options) => remote.open(id, options),
    restore: (restore) => remote.restore(restore),
    verify: (id, options) => remote.verify(id, options),
    close,
    [Symbol.asyncDispose]: close,
  };
  return {
    store,
    corrupt: (id) => backend.corrupt(id),
    unseal: (id) => backend.removePart(id, "blocks.crc64"),
  };
}

describe("a store that is read over HTTP", () => {
  const checks = snapshotStoreConformance(makeStore, {
    retain,
    damages: ["corrupt", "unseal"],
  });
  for (const { name, run } of checks) {
    if (!NOT_OVER_HTTP.includes(name)) it(name, run);
  }
});
