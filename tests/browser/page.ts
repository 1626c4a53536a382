/**
 * The page for a browser: the exports that load anywhere, and the suite of every
 * store that needs no disk. `scripts/test_runner/browser.ts` bundles this page.
 *
 * @module
 */

import * as snapshots from "@raft/snapshots";
import * as backend from "@raft/snapshots/backend";
import * as checksums from "@raft/snapshots/crc64";
import * as http from "@raft/snapshots/http";
import * as s3 from "@raft/snapshots/s3";
import * as testing from "@raft/snapshots/testing";
import { mapBackend } from "../../examples/map_backend.ts";

/** The result of a check. */
export interface PageResult {
  /** The requirement, as a sentence. */
  readonly name: string;
  /** Why it is not, if it is not. */
  readonly fault?: string;
}

const { MemorySnapshotStore, openFileSnapshotStore } = snapshots;
const { MemoryFileSystem, snapshotStoreConformance } = testing;

function assert(condition: boolean, found: unknown): void {
  if (!condition) throw new Error(`found ${String(found)}`);
}

const own: readonly testing.ConformanceCheck[] = [
  {
    name: "a page > has every export of the modules that load anywhere",
    run() {
      const all = [snapshots, backend, checksums, http, s3, testing];
      for (const exported of all) {
        const missing = Object.entries(exported)
          .filter(([, value]) => value === undefined);
        assert(missing.length === 0, missing);
      }
      return Promise.resolve();
    },
  },
  {
    name: "a page > computes the CRC-64 that Go computes",
    run() {
      const crc = checksums.crc64(new TextEncoder().encode("123456789"));
      assert(crc === 0x995dc9bbdf1939fan, crc.toString(16));
      return Promise.resolve();
    },
  },
  {
    name: "a page > reads the snapshots of a server, and checks them",
    async run() {
      const served = new MemorySnapshotStore();
      const state = new TextEncoder().encode("the state");
      const init = { index: 1, term: 1, configurationIndex: 1 };
      const configuration = { servers: [] };
      const { id } = await served.save({ ...init, configuration }, state);
      const authorize = http.bearerToken("c2VjcmV0");
      const handler = http.snapshotHandler(served, { authorize });
      const remote = await http.openHttpSnapshotStore("http://server.test", {
        headers: { authorization: "Bearer c2VjcmV0" },
        fetch: (url, init) => handler(new Request(url, init)),
      });
      const text = await new Response(await remote.open(id)).text();
      assert(text === "the state", text);
      await Promise.all([remote.close(), served.close()]);
    },
  },
  {
    name: "a page > is told that it has no files when it opens a directory",
    async run() {
      const error: unknown = await openFileSnapshotStore("/data").then(
        () => "a store",
        (error) => error,
      );
      const isNamed = error instanceof snapshots.StoreAccessError &&
        error.message.includes("process.getBuiltinModule");
      assert(isNamed, error);
    },
  },
];

/** The suite, for stores of one kind. */
function suiteOf(
  kind: string,
  makeStore: testing.MakeStore,
): testing.ConformanceCheck[] {
  return snapshotStoreConformance(makeStore)
    .map(({ name, run }) => ({ name: `${kind} > ${name}`, run }));
}

const checks = [
  ...own,
  ...suiteOf("a memory store", () => new MemorySnapshotStore({ retain: 3 })),
  ...suiteOf(
    "a store over a backend of the page",
    () => backend.openSnapshotStore(mapBackend(new Map()), { retain: 3 }),
  ),
  ...suiteOf("a file store in memory", () =>
    openFileSnapshotStore("/data", {
      retain: 3,
      fileSystem: new MemoryFileSystem(),
    })),
];

/** Runs all checks, one after the other. */
export async function run(): Promise<PageResult[]> {
  const results: PageResult[] = [];
  for (const { name, run } of checks) {
    try {
      await run();
      results.push({ name });
    } catch (error) {
      results.push({ name, fault: String(error) });
    }
  }
  return results;
}
