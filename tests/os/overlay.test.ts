/**
 * A store that comes with an image: on a real overlayfs, whose lower layer has
 * directories that can't be renamed.
 */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, rmSync, truncateSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { openFileSnapshotStore, type SnapshotStore } from "@raft/snapshots";
import { nodeFileSystem } from "../../src/fs/node/file_system.ts";
import { silent } from "../crash/recovery.ts";
import { save } from "../support/store_fixture.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";

function isDone(command: string, ...args: string[]): boolean {
  return spawnSync(command, args).status === 0;
}

/** Why no overlay can be mounted, or `false` when one can. */
function whyNoOverlay(): string | false {
  if (process.platform !== "linux") return "needs Linux";
  if (process.getuid?.() !== 0) return "needs root, to mount an overlayfs";
  const probe = "d=$(mktemp -d) && mount -t tmpfs tmpfs $d && cd $d && " +
    "mkdir l u w m && mount -t overlay overlay -o lowerdir=l,upperdir=u," +
    "workdir=w,redirect_dir=off m; s=$?; cd /; umount -l $d; rmdir $d; exit $s";
  return isDone("unshare", "--mount", "sh", "-c", probe)
    ? false
    : "needs leave to mount an overlayfs";
}

/** Mounts an overlay over a lower layer that `fill` fills. */
async function withOverlay(
  root: string,
  fill: (lower: string) => Promise<void>,
  use: (directory: string) => Promise<void>,
): Promise<void> {
  assert.ok(isDone("mount", "-t", "tmpfs", "tmpfs", root));
  try {
    const [lower, upper, work, merged] = ["lower", "upper", "work", "merged"]
      .map((name) => join(root, name)) as [string, string, string, string];
    for (const path of [lower, upper, work, merged]) mkdirSync(path);
    await fill(lower);
    const options = `lowerdir=${lower},upperdir=${upper},workdir=${work}`;
    const flags = ["-t", "overlay", "overlay", "-o"];
    assert.ok(isDone("mount", ...flags, `${options},redirect_dir=off`, merged));
    await use(merged).finally(() => isDone("umount", "--lazy", merged));
  } finally {
    assert.ok(isDone("umount", "--lazy", root));
  }
}

function names(directory: string): string[] {
  return readdirSync(join(directory, "snapshots"))
    .filter((name) => !name.startsWith(".lock"));
}

async function ids(store: SnapshotStore): Promise<string[]> {
  return (await store.list()).map(({ id }) => id);
}

const quiet = { logger: silent };

describe("a store on the lower layer of an overlayfs", () => {
  const skip = whyNoOverlay();

  it("can be reaped, deleted from and sealed", { skip }, async (t) => {
    const made: string[] = [];
    await withOverlay(await temporaryDirectory(t), async (lower) => {
      const store = await openFileSnapshotStore(lower, { retain: 9 });
      for (const index of [1, 2, 3, 4, 5]) {
        made.push(await save(store, "state", { index }));
      }
      await store.close();
      const [, , , unsealed = ""] = made;
      rmSync(join(lower, "snapshots", unsealed, "blocks.crc64"));
    }, async (directory) => {
      const [, , third = "", fourth = "", fifth = ""] = made;
      const path = join(directory, "snapshots", fifth);
      await assert.rejects(nodeFileSystem.rename(path, `${path}.tmp`), {
        code: "EXDEV",
      });
      const store = await openFileSnapshotStore(directory, { retain: 3 });
      await store.reap();
      assert.deepEqual(names(directory).sort(), [third, fourth, fifth].sort());
      await store.seal(fourth);
      assert.ok((await store.verify(fourth)).sealed);
      await store.delete(fifth);
      const next = await save(store, "next", { index: 6 });
      assert.deepEqual(await ids(store), [next, fourth, third]);
      await store.delete(next);
      await store.close();
      assert.deepEqual(names(directory).sort(), [third, fourth].sort());
    });
  });

  it(
    "quarantines its corrupt snapshots, two at most",
    { skip },
    async (t) => {
      const made: string[] = [];
      await withOverlay(await temporaryDirectory(t), async (lower) => {
        const store = await openFileSnapshotStore(lower, { retain: 9 });
        for (const index of [1, 2, 3, 4]) {
          made.push(await save(store, "state", { index }));
        }
        await store.close();
        for (const id of made.slice(1)) {
          truncateSync(join(lower, "snapshots", id, "state.bin"), 2);
        }
      }, async (directory) => {
        const [first = "", , third = "", fourth = ""] = made;
        const store = await openFileSnapshotStore(directory, quiet);
        await store.restore((source) => new Response(source).text());
        assert.deepEqual(await ids(store), [first]);
        await store.close();
        assert.deepEqual(
          names(directory).sort(),
          [first, third, fourth].sort(),
        );
        for (const readOnly of [true, false]) {
          const again = await openFileSnapshotStore(directory, {
            ...quiet,
            readOnly,
          });
          assert.deepEqual(await ids(again), [first]);
          await assert.rejects(again.open(fourth), {
            name: "SnapshotNotFoundError",
          });
          await again.close();
        }
        assert.deepEqual(
          names(directory).sort(),
          [first, third, fourth].sort(),
        );
      });
    },
  );
});
