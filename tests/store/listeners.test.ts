/**
 * Many calls at a time leave no warning: Node prints one for a signal with more
 * than ten listeners.
 */

import assert from "node:assert/strict";
import process from "node:process";
import { it } from "node:test";
import { INIT, letOthersWork, save } from "../support/store_fixture.ts";
import { onEachPlace } from "./places.ts";

onEachPlace("many calls at the same time", (makePlace) => {
  it("add no more than ten listeners to a signal", async () => {
    const warnings: string[] = [];
    const note = (warning: Error) => void warnings.push(warning.message);
    process.on("warning", note);
    const store = await makePlace().open({ retain: 100 });
    for (let index = 1; index <= 20; index++) {
      await save(store, "state", { index });
    }
    const ids = (await store.list()).map(({ id }) => id);
    await Promise.all([
      ...ids.map(() => store.list()),
      ...ids.map((id) => store.verify(id)),
      ...ids.map(async (id) => await (await store.open(id)).cancel()),
      ...ids.map(async () => await (await store.create(INIT)).cancel()),
    ]);
    await store.close();
    await letOthersWork(5);
    process.off("warning", note);
    assert.deepEqual(warnings, []);
  });
});
