/**
 * Both stores use one directory, one after the other.
 *
 * @module
 */

import assert from "node:assert/strict";
import { it } from "node:test";
import type { Server } from "@raft/snapshots";
import { freshSeed, type Random, random } from "../support/random.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import { type Ask, describeWithGo } from "./go_program.ts";
import { type Case, hostileText, SUFFRAGES } from "./matrix.ts";
import {
  caseForGo,
  readOut,
  RETAIN_ALL,
  sha256,
  wellFormed,
  withoutCrc,
  withStore,
  writeCase,
} from "./states.ts";
import { metaFromWire } from "./wire.ts";

const STEPS = 100;

function randomServer(random: Random): Server {
  return {
    suffrage: random.pick(SUFFRAGES),
    id: hostileText(random),
    address: hostileText(random),
  };
}

/** A snapshot of few terms and indices, so that some have both in common. */
function randomCase(random: Random): Case {
  return wellFormed({
    name: "random",
    index: BigInt(random.integer(5)),
    term: BigInt(random.integer(3)),
    configuration: {
      servers: Array.from(
        { length: random.integer(3) },
        () => randomServer(random),
      ),
    },
    configurationIndex: BigInt(random.integer(5)),
    content: { seed: random.integer(2 ** 32), length: random.integer(20_000) },
  });
}

/** Lets one of the stores do one thing; resolves to a line for the log. */
async function step(ask: Ask, base: string, random: Random): Promise<string> {
  const retain = 1 + random.integer(6);
  const one = randomCase(random);
  const args = { ...caseForGo(one), base, retain };
  const what = random.pick(STEP_NAMES);
  switch (what) {
    case "Go creates":
      return `${what} ${(await ask("store.create", args)).id}, keeps ${retain}`;
    case "Go cancels":
      return `${what} ${(await ask("store.cancel", args)).id}`;
    case "Go is killed":
      return `${what} at ${(await ask("store.abandon", args)).id}`;
    case "Go reaps":
      await ask("store.reap", { base, retain });
      return `${what}, keeps ${retain}`;
    default:
      return await withStore(base, async (store) => {
        if (what === "TypeScript reaps") {
          await store.reap();
          return `${what}, keeps ${retain}`;
        }
        if (what === "TypeScript creates") {
          return `${what} ${(await writeCase(store, one)).id}, keeps ${retain}`;
        }
        if (what === "TypeScript cancels") {
          const sink = await store.create(one);
          await sink.cancel();
          return `${what} ${sink.id}`;
        }
        const metas = await store.list();
        if (metas.length === 0) return `${what} nothing`;
        const { id } = random.pick(metas);
        await store.delete(id);
        return `${what} ${id}`;
      }, { retain });
  }
}

const STEP_NAMES = [
  "Go creates",
  "Go creates",
  "Go creates",
  "TypeScript creates",
  "TypeScript creates",
  "TypeScript creates",
  "Go cancels",
  "TypeScript cancels",
  "Go is killed",
  "Go reaps",
  "TypeScript reaps",
  "TypeScript deletes",
] as const;

/** Checks that both list the same snapshots and read the same state in one. */
async function checkBoth(
  ask: Ask,
  base: string,
  random: Random,
): Promise<void> {
  const go = { base, retain: RETAIN_ALL };
  const listed = (await ask("store.list", go)).map((wire) => {
    const meta = metaFromWire(wire);
    assert.ok(meta !== undefined);
    return withoutCrc(meta);
  });
  await withStore(base, async (store) => {
    const metas = await store.list();
    assert.deepEqual(metas.map(withoutCrc), listed);
    if (metas.length === 0) return;
    const { id } = random.pick(metas);
    const opened = await ask("store.open", { ...go, id });
    const read = await readOut(await store.open(id));
    assert.equal(sha256(read), opened.sha256);
  }, { readOnly: true });
}

describeWithGo(
  "Go's store and ours, which use one directory in turns,",
  (ask) => {
    it(`agree after each of ${STEPS} random steps`, async (t) => {
      const base = await temporaryDirectory(t);
      const seed = freshSeed();
      console.log(`seed ${seed}`);
      const randomness = random(seed);
      const done: string[] = [];
      for (let n = 0; n < STEPS; n++) {
        try {
          done.push(await step(ask, base, randomness));
          await checkBoth(ask, base, randomness);
        } catch (error) {
          throw new Error(`seed ${seed}, after:\n${done.join("\n")}`, {
            cause: error,
          });
        }
      }
    });

    it("leave the same snapshots when they reap", async (t) => {
      const both = [await temporaryDirectory(t), await temporaryDirectory(t)];
      const seed = freshSeed();
      console.log(`seed ${seed}`);
      const randomness = random(seed);
      const cases = Array.from({ length: 12 }, (_, i) => ({
        ...randomCase(randomness),
        index: BigInt(i),
      }));
      const left: string[][] = [];
      for (const [n, base] of both.entries()) {
        for (const one of cases) {
          await withStore(base, (store) => writeCase(store, one), {
            clock: () => 1_795_361_690_419,
          });
        }
        if (n === 0) await ask("store.reap", { base, retain: 4 });
        else await withStore(base, (store) => store.reap(), { retain: 4 });
        const metas = await withStore(base, (store) => store.list());
        left.push(metas.map(({ id }) => id));
      }
      assert.equal(left[0]?.length, 4);
      assert.deepEqual(left[0], left[1]);
    });
  },
);
