/**
 * Checks of `inspect()` and `clean()`.
 *
 * @module
 */

import { assertEqual, assertRejects } from "./assertions.ts";
import {
  type Check,
  checkEveryStore,
  checkStoresOfMany,
  checkStoresThatKeep,
} from "./check.ts";
import { encode, INIT, publish, readText, restoreText } from "./snapshots.ts";

/** The checks. */
export const inspectingChecks: readonly Check[] = [
  checkEveryStore(
    "inspect() of an empty store reports no snapshot",
    async (store) => {
      const { unfinished, quarantined, foreign } = await store.inspect();
      assertEqual([unfinished, quarantined], [[], []], "snapshots");
      assertEqual(foreign, [], "names of other programs");
    },
  ),

  checkStoresThatKeep(
    "inspect() reports an unfinished snapshot from its begin to its end",
    async (store) => {
      const sink = await store.create(INIT);
      const writer = sink.getWriter();
      await writer.write(encode("half"));
      const [begun, ...others] = (await store.inspect()).unfinished;
      assertEqual(
        [begun?.id, begun?.state, begun?.mayBeUnderWay],
        [sink.id, "writing", true],
        "unfinished snapshot",
      );
      assertEqual(others, [], "other unfinished snapshots");
      await writer.close();
      const published = (await store.inspect()).unfinished;
      assertEqual(published, [], "unfinished once it is published");
      const cancelled = await store.create(INIT);
      await cancelled.cancel();
      const left = (await store.inspect()).unfinished;
      assertEqual(left, [], "unfinished once another is cancelled");
    },
  ),

  checkStoresOfMany(
    "inspect() reports a snapshot in quarantine",
    async (store, { corrupt }) => {
      await publish(store, "good", { index: 1n });
      const bad = await publish(store, "bad", { index: 2n });
      await corrupt(bad);
      await restoreText(store);
      const { quarantined, unfinished } = await store.inspect();
      assertEqual(quarantined.map(({ id }) => id), [bad], "quarantined");
      assertEqual(unfinished, [], "unfinished");
    },
    ["corrupt"],
  ),

  checkStoresThatKeep(
    "clean() keeps published snapshots and those that are being written",
    async (store) => {
      const id = await publish(store, "published");
      const sink = await store.create({ ...INIT, index: 20n });
      const { removed, left, failed } = await store.clean({ olderThanMs: 0 });
      assertEqual([removed, failed], [[], []], "removed, and failed");
      assertEqual(left.map((each) => each.id), [sink.id], "left");
      assertEqual(await readText(store, id), "published", "state");
      await sink.close();
      assertEqual(await readText(store, sink.id), "", "the other's state");
    },
  ),

  checkEveryStore(
    "clean() rejects options with wrong values",
    async (store) => {
      const text = "1" as unknown as number;
      const wrongType = store.clean({ olderThanMs: text });
      await assertRejects(wrongType, TypeError, "a text");
      const outOfBounds = store.clean({ olderThanMs: -1 });
      await assertRejects(outOfBounds, RangeError, "a negative number");
    },
  ),
];
