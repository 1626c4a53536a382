import assert from "node:assert/strict";
import { it } from "node:test";
import { MemoryFile } from "../../../src/fs/memory/file.ts";

it("MemoryFile never changes the synced content that it was made of", () => {
  const synced = new Uint8Array([1, 2, 3]);
  const file = new MemoryFile(synced);
  file.write(new Uint8Array([9]), 1);
  assert.deepEqual([...file.content()], [1, 9, 3]);
  assert.deepEqual([...synced], [1, 2, 3]);
  assert.deepEqual([...file.crashed(() => false).content()], [1, 2, 3]);
});
