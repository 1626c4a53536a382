/** Two copies of the package in one program, whose classes are not the same. */

import assert from "node:assert/strict";
import { cp, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import {
  isSnapshotError,
  SnapshotCorruptError,
  type SnapshotError,
  SnapshotNotFoundError,
  SnapshotPublishError,
} from "@raft/snapshots";
import { SnapshotArchiveError } from "@raft/snapshots/archive";
import { ChangedBackend, fill } from "./store/changed_backend.ts";
import { INIT } from "./support/store_fixture.ts";
import { temporaryDirectory } from "./support/temporary_directory.ts";

/** The parts of a second copy of the package that the tests use. */
interface Copy {
  readonly isSnapshotError: typeof isSnapshotError;
  readonly MaybePublishedError: new (cause: unknown) => Error;
  readonly SnapshotCorruptError: typeof SnapshotCorruptError;
  readonly SnapshotNotFoundError: typeof SnapshotNotFoundError;
}

const FIGURES = { reason: "crc", expected: 1n, actual: 2n } as const;

/** Copies the sources, or those of the built package, and loads the copy. */
async function secondCopy(t: TestContext): Promise<Copy> {
  const directory = await temporaryDirectory(t);
  const from = new URL("src/", import.meta.resolve("@raft/snapshots"));
  await cp(fileURLToPath(from), directory, { recursive: true });
  await writeFile(join(directory, "package.json"), '{"type":"module"}');
  const names = await readdir(directory);
  const extension = names.includes("errors.ts") ? "ts" : "js";
  const load = (name: string) =>
    import(pathToFileURL(join(directory, `${name}.${extension}`)).href);
  return {
    ...await load("errors"),
    ...await load("is_snapshot_error"),
    ...await load("backend/maybe_published_error"),
  };
}

describe("isSnapshotError()", () => {
  it("recognizes the errors of another copy of the package, and their codes", async (t) => {
    const copy = await secondCopy(t);
    const theirs: unknown = new copy.SnapshotCorruptError("x", FIGURES);
    assert.ok(!(theirs instanceof SnapshotCorruptError));
    assert.ok(isSnapshotError(theirs));
    assert.ok(isSnapshotError(theirs, "ERR_SNAPSHOT_CORRUPT"));
    assert.ok(!isSnapshotError(theirs, "ERR_SNAPSHOT_NOT_FOUND"));
    assert.ok(copy.isSnapshotError(new SnapshotNotFoundError("x")));
  });

  it("narrows an error to the class that has the code", () => {
    const error: unknown = new SnapshotPublishError("x", { published: true });
    assert.ok(isSnapshotError(error, "ERR_SNAPSHOT_PUBLISH"));
    const published: boolean = error.published;
    assert.equal(published, true);
    const archive: unknown = new SnapshotArchiveError({
      reason: "tar",
      expected: "a tar",
      actual: "none",
    });
    assert.ok(isSnapshotError(archive, "ERR_SNAPSHOT_ARCHIVE"));
    const known: SnapshotError = archive;
    assert.ok(isSnapshotError(known));
  });

  it("is false for everything else", () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    const code = "ERR_SNAPSHOT_CORRUPT";
    const similar = Object.assign(new Error("x"), { code });
    for (const value of [similar, proxy, null, undefined, "x", 1, () => {}]) {
      assert.equal(isSnapshotError(value), false);
      assert.equal(isSnapshotError(value, code), false);
    }
  });
});

describe("a store whose backend is of another copy of the package", () => {
  it("restores an older snapshot when the backend says that one is corrupt", async (t) => {
    const copy = await secondCopy(t);
    const backend = new ChangedBackend();
    await fill(backend);
    const store = await backend.open();
    let reads = 0;
    backend.change("readMeta", (asUsual) => {
      if (reads++ > 0) return asUsual();
      throw new copy.SnapshotCorruptError("meta.json", FIGURES);
    });
    const restored = await store.restore((source) =>
      new Response(source).text()
    );
    assert.equal(restored?.meta.index, 2n);
    await store.close();
  });

  it("passes on the error of a missing snapshot", async (t) => {
    const copy = await secondCopy(t);
    const backend = new ChangedBackend();
    const store = await backend.open();
    backend.change("readMeta", () => {
      throw new copy.SnapshotNotFoundError("Cannot find it");
    });
    await assert.rejects(store.stat("1-1-1"), {
      code: "ERR_SNAPSHOT_NOT_FOUND",
    });
    await store.close();
  });

  it("keeps a snapshot that the backend may have published", async (t) => {
    const copy = await secondCopy(t);
    const backend = new ChangedBackend();
    const store = await backend.open();
    backend.change("pending.publish", () => {
      throw new copy.MaybePublishedError(new Error("no answer"));
    });
    await assert.rejects(store.save(INIT, new Uint8Array(1)), {
      code: "ERR_SNAPSHOT_PUBLISH",
      published: true,
    });
    await store.close();
  });
});
