import assert from "node:assert/strict";
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { describe, it } from "node:test";
import { openFileSnapshotStore } from "@raft/snapshots";
import { report, sample } from "../support/full_run.ts";
import { freshSeed, type Random, random } from "../support/random.ts";
import { runtime } from "../support/runtime.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";

const KILLS = sample(50, 1000);
const script = new URL("./writer.ts", import.meta.url);

/**
 * Starts a process that takes snapshots, and kills it a moment after it has
 * acknowledged some; gives the IDs of those that it acknowledged.
 */
async function acknowledgedUntilKilled(
  directory: string,
  { integer }: Random,
): Promise<string[]> {
  const seed = String(integer(2 ** 31));
  const child = runtime.spawnScript(script, [directory, seed], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  assert.ok(child.stdout);
  const ended = once(child, "exit");
  const patience = integer(4);
  const delayMs = integer(12);
  const acknowledged: string[] = [];
  for await (const id of createInterface(child.stdout)) {
    acknowledged.push(id);
    // A moment of its own choosing: within one of the steps that follow.
    if (acknowledged.length === patience + 1) {
      setTimeout(() => process.kill(child.pid ?? NaN, "SIGKILL"), delayMs);
    }
  }
  const [, signal] = await ended;
  assert.equal(signal, "SIGKILL", "the writer ended by itself");
  return acknowledged;
}

/** Opens the store after a kill, and looks whether it keeps its promises. */
async function checkAfterKill(
  directory: string,
  acknowledged: readonly string[],
): Promise<void> {
  // A writer that was killed before it had made blocks.crc64 leaves files that
  // may be another program's.
  const store = await openFileSnapshotStore(directory, {
    retain: 2,
    foreignTmpAgeMs: 0,
  });
  try {
    const ids = (await store.list()).map(({ id }) => id);
    const newest = acknowledged.at(-1) ?? "";
    assert.ok(ids.includes(newest), `${newest} is gone: ${ids.join(", ")}`);
    for (const id of ids) {
      const { ok, errors } = await store.verify(id);
      assert.ok(ok, errors[0]?.message ?? id);
    }
    const names = await readdir(join(directory, "snapshots"));
    assert.deepEqual(names.filter((name) => name.endsWith(".tmp")), []);
  } finally {
    await store.close();
  }
}

describe("a store whose process is killed", () => {
  it("keeps acknowledged snapshots, and is cleaned up", async (t) => {
    const chance = random(freshSeed());
    const directory = await temporaryDirectory(t);
    let snapshots = 0;
    for (let kills = 0; kills < KILLS; kills++) {
      const acknowledged = await acknowledgedUntilKilled(directory, chance);
      snapshots += acknowledged.length;
      await checkAfterKill(directory, acknowledged);
    }
    report(`kills survived on ${runtime.name}`, KILLS);
    report(`snapshots acknowledged before them on ${runtime.name}`, snapshots);
  });
});
