/**
 * The restore of the demo's state, beside the shortest loop that does the same.
 *
 * @module
 */

import { openFileSnapshotStore } from "@raft/snapshots";
import { KeyValueStore } from "../../examples/key_value_store.ts";
import { byTurns, INIT, timed } from "./common.ts";

/** The demo's restore, and a loop that fills such a map from one buffer. */
export async function restoreBoth(
  directory: string,
  bytes: number,
): Promise<number[]> {
  const machine = new KeyValueStore();
  for (let i = 0; i < Math.max(1, bytes / 32); i++) {
    machine.apply({ op: "set", key: `key ${i}`, value: `value ${i}` });
  }
  const state = await new Response(machine.snapshot()).arrayBuffer();
  const store = await openFileSnapshotStore(directory, { retain: 1 });
  await store.save({ index: 1n, ...INIT }, state);
  const figures = await byTurns([
    () =>
      timed(() =>
        store.restore((source) => source.pipeTo(machine.restore()), {
          reuseBuffers: true,
        })
      ),
    () => timed(() => Promise.resolve(fillMap(new Uint8Array(state)))),
  ]);
  await store.close();
  return figures;
}

/** The shortest loop that decodes a state of `key_value_codec.ts`. */
function fillMap(state: Uint8Array): Map<string, string> {
  const map = new Map<string, string>();
  const decoder = new TextDecoder();
  const view = new DataView(state.buffer);
  const number = () => view.getUint32((at += 4) - 4, true);
  let at = 0;
  const count = number();
  while (map.size < count) {
    const entries = number();
    const size = number();
    const end = at + 8 * entries + size;
    const text = decoder.decode(state.subarray(end - size, end));
    for (let i = 0, from = 0; i < entries; i++) {
      const key = text.slice(from, from += number());
      map.set(key, text.slice(from, from += number()));
    }
    at = end;
  }
  return map;
}
