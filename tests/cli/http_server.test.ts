/**
 * The server of `raft-snapshots serve`.
 */

import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { get } from "node:https";
import { connect } from "node:net";
import { describe, it } from "node:test";
import { startServer } from "../../src/cli/http_server.ts";
import { until } from "../support/store_fixture.ts";

const tlsFile = (name: string) =>
  readFile(new URL(`../fixtures/tls/${name}.pem`, import.meta.url), "utf8");

describe("a server that is drained", () => {
  it("does not wait for a client that has only connected", async () => {
    const tls = { cert: await tlsFile("cert"), key: await tlsFile("key") };
    const answer = () => Promise.resolve(new Response("answer"));
    const options = { host: "127.0.0.1", port: 0, tls };
    const server = await startServer(answer, options);
    const port = Number(new URL(server.url).port);
    const silent = connect(port, "127.0.0.1");
    silent.on("error", () => {});
    await once(silent, "connect");
    // Connections are accepted in their order: the silent one has been by now.
    const ca = await tlsFile("ca");
    const status = await new Promise((resolve, reject) => {
      const request = get({ host: "127.0.0.1", port, ca }, (response) => {
        response.resume();
        response.once("end", () => resolve(response.statusCode));
      });
      request.once("error", reject);
    });
    assert.equal(status, 200);
    let isDrained = false;
    const drained = server.drain().then(() => isDrained = true);
    await until(() => isDrained, "the server is drained");
    await drained;
    silent.destroy();
  });
});
