/**
 * Our store is opened again and again beside a Go server that takes snapshots:
 * each snapshot that Go acknowledges must stay whole.
 *
 * @module
 */

import assert from "node:assert/strict";
import { it } from "node:test";
import { type Logger, openFileSnapshotStore } from "@raft/snapshots";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import { type Ask, describeWithGo } from "./go_program.ts";

/** With so many, dozens break when a sweep does not rename first. */
const ROUNDS = 1500;

/** Opens and closes our store until Go has taken its snapshots. */
async function openBeside(ask: Ask, base: string, foreignTmpAgeMs?: number) {
  const lines: string[] = [];
  const log = (message: string) => void lines.push(message);
  const logger: Logger = { debug: log, info: log, warn: log, error: log };
  let ended = false;
  const taking = ask("store.rounds", {
    base,
    retain: 2,
    index: "1",
    term: "1",
    servers: [],
    configurationIndex: "1",
    content: { seed: 1, length: 64 * 1024 },
    rounds: ROUNDS,
  }).finally(() => ended = true);
  let openings = 0;
  while (!ended) {
    const store = await openFileSnapshotStore(base, {
      logger,
      ...(foreignTmpAgeMs === undefined ? {} : { foreignTmpAgeMs }),
    });
    await store.close();
    openings++;
  }
  const { acknowledged, refused, broken } = await taking;
  // Go writes into a .tmp, so only those count. Our store may also remove an
  // empty directory that Go is about to remove.
  const removed = lines.filter((line) => /^Removed \S+\.tmp/.test(line)).length;
  console.log(
    `${acknowledged} acknowledged, ${refused} refused, ` +
      `${broken.length} broken; ${openings} openings, ${removed} swept`,
  );
  return { acknowledged, refused, broken, removed, lines };
}

describeWithGo("opening our store while Go takes snapshots", (ask) => {
  it("breaks no snapshot and removes no .tmp of Go's", async (t) => {
    const base = await temporaryDirectory(t);
    const found = await openBeside(ask, base);
    assert.deepEqual(found.broken, []);
    assert.deepEqual([found.acknowledged, found.removed], [ROUNDS, 0]);
  });

  it("breaks no snapshot that Go acknowledges, even when it sweeps each .tmp at once", async (t) => {
    const base = await temporaryDirectory(t);
    const found = await openBeside(ask, base, 0);
    assert.deepEqual(found.broken, []);
    assert.ok(found.removed > 0, "no .tmp was swept, so nothing was tested");
    assert.equal(found.acknowledged + found.refused, ROUNDS);
  });
});
