/**
 * openHttpSnapshotStore() and a certificate that is not trusted.
 */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import { StoreAccessError, type StoreEvent } from "@raft/snapshots";
import { openHttpSnapshotStore } from "@raft/snapshots/http";
import { Log } from "../support/store_fixture.ts";

const tlsFile = (name: string) =>
  readFile(new URL(`../fixtures/tls/${name}.pem`, import.meta.url));

describe("a server whose certificate is not trusted", () => {
  it("is an error at once: another attempt would end no better", async () => {
    const server = createServer(
      { cert: await tlsFile("cert"), key: await tlsFile("key") },
      (_, outgoing) => outgoing.end(),
    );
    await new Promise<void>((resolve) =>
      server.listen(0, "127.0.0.1", resolve)
    );
    const { port } = server.address() as AddressInfo;
    const events: StoreEvent[] = [];
    const remote = await openHttpSnapshotStore(`https://127.0.0.1:${port}`, {
      logger: new Log(),
      retry: { budgetMs: 2_000, pauseMs: 1 },
      onEvent: (event) => void events.push(event),
    });
    try {
      await assert.rejects(remote.list(), (error) => {
        assert.ok(error instanceof StoreAccessError);
        assert.match(error.message, /certificate.*docs\/http\.md/);
        return true;
      });
      assert.deepEqual(events, []);
    } finally {
      await remote.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });
});
