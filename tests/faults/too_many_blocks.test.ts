import assert from "node:assert/strict";
import { it } from "node:test";
import type { FileHandle, FileStat, OpenMode } from "@raft/snapshots";
import { MemoryFileSystem } from "@raft/snapshots/testing";
import { BASE, INIT, StoreFixture } from "../support/store_fixture.ts";
import { isFullRun } from "../support/full_run.ts";

const MIB = 1024 * 1024;

/** At 8 bytes for each, those of 4 GiB and the header are just over 64 MiB. */
const BLOCK_SIZE = 512;
const STATE_SIZE = 4096 * MIB;

/** A disk that keeps no states, only their lengths: they are all zeros. */
class ZerosDisk extends MemoryFileSystem {
  readonly #sizes = new Map<string, number>();

  override async open(
    path: string,
    how: OpenMode,
    mode?: number,
  ): Promise<FileHandle> {
    const file = await super.open(path, how, mode);
    // The same file before and after it is published.
    const name = path.replace(".tmp/", "/");
    if (!name.endsWith("/state.bin")) return file;
    const size = () => this.#sizes.get(name) ?? 0;
    return {
      stat: () =>
        Promise.resolve({ kind: "file", size: size(), modifiedMs: 0 }),
      read: (buffer, position) => {
        const count = Math.min(buffer.length, Math.max(size() - position, 0));
        buffer.fill(0, 0, count);
        return Promise.resolve(count);
      },
      write: (bytes, position) => {
        this.#sizes.set(name, position + bytes.length);
        return Promise.resolve(bytes.length);
      },
      sync: () => file.sync(),
      close: () => file.close(),
    };
  }

  override async stat(path: string): Promise<FileStat> {
    const stat = await super.stat(path);
    return { ...stat, size: this.#sizes.get(path) ?? stat.size };
  }
}

it(
  "a state with more blocks than blocks.crc64 may list is published without that file",
  {
    skip: isFullRun ? false : "takes half a minute: part of the full run",
  },
  async () => {
    const fixture = new StoreFixture(new ZerosDisk());
    const store = await fixture.open({ blockSize: BLOCK_SIZE });
    const sink = await store.create(INIT);
    const writer = sink.getWriter();
    const chunk = new Uint8Array(MIB);
    for (let at = 0; at < STATE_SIZE; at += MIB) await writer.write(chunk);
    await writer.close();
    assert.equal(sink.meta.size, STATE_SIZE);
    const parts = await fixture.disk.readDirectory(
      `${BASE}/snapshots/${sink.id}`,
    );
    assert.deepEqual(parts.map(({ name }) => name).sort(), [
      "meta.json",
      "state.bin",
    ]);
    // seal() has the same limit, and reports it.
    await assert.rejects(store.seal(sink.id), {
      name: "SnapshotError",
      message: `Cannot seal snapshot ${sink.id} in 8388608 blocks: ` +
        "expected fewer; open the store with a larger blockSize",
    });
    await store.close();
    assert.equal(fixture.openHandles, 0);

    const reopened = await fixture.open();
    const { ok, sealed } = await reopened.verify(sink.id);
    assert.deepEqual({ ok, sealed }, { ok: true, sealed: false });
    await reopened.seal(sink.id);
    assert.equal((await reopened.verify(sink.id)).sealed, true);
    await reopened.close();
  },
);
