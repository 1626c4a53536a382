import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fileSystemConformance } from "@raft/snapshots/testing";
import { MemoryFileSystem } from "../../../src/fs/memory/file_system.ts";
import { freshSeed, random } from "../../support/random.ts";
import {
  BLOCK,
  choice,
  contentOf,
  create,
  createSynced,
  EVERYTHING,
  filled,
  MODELS,
  names,
  NOTHING,
  outcomes,
} from "./crashes.ts";

describe("MemoryFileSystem", () => {
  const checks = fileSystemConformance(() => ({
    fileSystem: new MemoryFileSystem(),
    directory: "",
  }));
  for (const { name, run } of checks) it(name, run);
});

describe("MemoryFileSystem.crash()", () => {
  it("keeps nothing unsynced at 0 %, and everything at 100 %", async () => {
    const files = new MemoryFileSystem();
    await files.makeDirectory("/d");
    await create(files, "/d/f", filled(3 * BLOCK, "a"));
    await files.rename("/d/f", "/d/g");
    for (const renames of MODELS) {
      assert.equal(names(files.crashImage(choice(0, 1, renames))), "");
      const kept = files.crashImage(choice(100, 1, renames));
      assert.equal(names(kept), "/d/ /d/g");
      assert.equal(contentOf("/d/g")(kept), `a*${3 * BLOCK}`);
    }
  });

  it("gives the same disk for the same seed", async () => {
    const files = new MemoryFileSystem();
    for (let i = 0; i < 20; i++) {
      await create(files, `/${i}`, filled(i * 999, "a"));
    }
    const image = (seed: number) => {
      const found = files.crashImage(choice(50, seed));
      return found.tree().map((path) => path + contentOf(path)(found)).join();
    };
    const seed = freshSeed();
    assert.equal(image(seed), image(seed), `seed ${seed}`);
    assert.notEqual(image(1), image(2));
  });

  it("leaves a disk that is synced, and can be used and crash again", async () => {
    const files = new MemoryFileSystem();
    await create(files, "/f", filled(5, "a"));
    const found = files.crash(EVERYTHING);
    await createSynced(found, "/g");
    assert.deepEqual(outcomes(found, names), ["/f", "/f /g"]);
    await create(found, "/h", filled(1, "b"));
    assert.equal(names(found.crash(NOTHING)), "/f");
    assert.equal(contentOf("/f")(files.crash(EVERYTHING)), "a*5");
  });

  it("makes all earlier handles and locks fail", async () => {
    const files = new MemoryFileSystem();
    const lock = await files.lock("/.lock");
    const handle = await create(files, "/f", filled(1, "a"));
    const found = files.crash(EVERYTHING);
    assert.equal(files.openHandles, 1);
    const dead = { code: "EIO" };
    await assert.rejects(handle.write(filled(1, "b"), 0), dead);
    await assert.rejects(handle.sync(), dead);
    await assert.rejects(handle.stat(), dead);
    await assert.rejects(handle.close(), dead);
    await assert.rejects(files.stat("/f"), dead);
    await assert.rejects(files.open("/f", "read"), dead);
    await assert.rejects(files.syncDirectory("/"), dead);
    await lock.release();
    assert.equal(files.openHandles, 0);
    assert.equal(found.openHandles, 0);
    assert.equal(contentOf("/f")(files.crash(EVERYTHING)), "a*1");
  });

  it("forgets the locks", async () => {
    const files = new MemoryFileSystem();
    await files.lock("/.lock");
    const found = files.crash(EVERYTHING);
    assert.equal(names(found), "/.lock");
    await (await found.lock("/.lock")).release();
    assert.equal(names(found), "");
  });

  it("rejects an invalid share", () => {
    const files = new MemoryFileSystem();
    for (const share of [-1, 101, NaN]) {
      assert.throws(() => files.crash(choice(share)), RangeError);
    }
  });

  it("always keeps files that were synced and not changed since", async () => {
    const seed = freshSeed();
    const chance = random(seed);
    const files = new MemoryFileSystem();
    files.writeFile("/d/e/kept", filled(2 * BLOCK, "k"));
    for (let i = 0; i < 300; i++) {
      const [a, b] = [`/d/${chance.integer(4)}`, `/d/e/${chance.integer(4)}`];
      const step = chance.pick([
        () => files.rename(a, b),
        () => files.rename(b, a),
        () => files.removeFile(chance.pick([a, b])),
        () => create(files, chance.pick([a, b]), filled(9, "x")),
        () => files.makeDirectory(a),
        () => files.removeDirectory(a),
        () => files.syncDirectory(chance.pick(["/d", "/d/e"])),
      ]);
      await step().catch(() => {}); // many are refused, by chance
      const found = files.crashImage({
        seed: i,
        keptPercent: chance.integer(101),
        renames: chance.pick(MODELS),
      });
      assert.equal(
        contentOf("/d/e/kept")(found),
        `k*${2 * BLOCK}`,
        `SEED=${seed}, step ${i}`,
      );
    }
  });
});

describe("MemoryFileSystem, for tests that inspect it,", () => {
  it("counts operations and open files", async () => {
    const files = new MemoryFileSystem();
    const handle = await files.open("/f", "create");
    assert.deepEqual([files.operations, files.openHandles], [1, 1]);
    await handle.sync();
    await handle.close();
    await handle.close();
    assert.deepEqual([files.operations, files.openHandles], [4, 0]);
    await assert.rejects(files.stat("/missing"));
    assert.equal(files.operations, 5);
  });

  it("replaces the content of an open file", async () => {
    const files = new MemoryFileSystem();
    files.writeFile("/f", filled(3, "a"));
    const handle = await files.open("/f", "read");
    files.writeFile("/f", filled(2, "b"));
    assert.equal((await handle.stat()).size, 2);
    const buffer = new Uint8Array(3);
    assert.equal(await handle.read(buffer, 0), 2);
    assert.deepEqual(buffer.subarray(0, 2), filled(2, "b"));
    await handle.close();
    assert.equal(contentOf("/f")(files.crash(NOTHING)), "b*2");
  });

  it("shows the tree and the contents, and accepts files from tests", () => {
    const files = new MemoryFileSystem();
    files.writeFile("/d/e/f", filled(1, "a"));
    files.writeFile("/d/e/f", filled(1, "b"));
    assert.deepEqual(files.tree(), ["/d/", "/d/e/", "/d/e/f"]);
    assert.equal(contentOf("/d/e/f")(files.crash(NOTHING)), "b*1");
    assert.throws(() => files.readFile("/d"), { code: "EISDIR" });
    assert.throws(() => files.readFile("/x"), { code: "ENOENT" });
    assert.throws(() => files.writeFile("/d/e", filled(1, "a")), {
      code: "EISDIR",
    });
    assert.throws(() => files.writeFile("/d/e/f/g", filled(1, "a")), {
      code: "ENOTDIR",
    });
  });

  it("resolves paths and file: URLs from its root", () => {
    const files = new MemoryFileSystem();
    assert.equal(files.resolve("a//b/./c/../d/"), "/a/b/d");
    assert.equal(files.resolve("../../a"), "/a");
    assert.equal(files.resolve(new URL("file:///a%20b/c")), "/a b/c");
    assert.throws(() => files.resolve(new URL("https://x.test/")), TypeError);
  });

  it("protects the root", async () => {
    const files = new MemoryFileSystem();
    await assert.rejects(files.removeDirectory("/"), { code: "EBUSY" });
    await assert.rejects(files.makeDirectory("/"), { code: "EEXIST" });
    await assert.rejects(files.rename("/", "/a"), { code: "EINVAL" });
    await assert.rejects(files.removeFile("/"), { code: "EISDIR" });
  });

  it("rejects impossible positions", async () => {
    const files = new MemoryFileSystem();
    const handle = await files.open("/f", "create");
    for (const position of [-1, 0.5, NaN]) {
      await assert.rejects(handle.write(filled(1, "a"), position), {
        code: "EINVAL",
      });
    }
  });
});

describe("MemoryFileSystem.makeLowerLayer()", () => {
  it("makes existing directories unrenamable, even after a crash", async () => {
    const files = new MemoryFileSystem();
    files.writeFile("/d/f", new Uint8Array(3));
    files.makeLowerLayer();
    const found = files.crash({ seed: 0, keptPercent: 0, renames: "atomic" });
    await assert.rejects(found.rename("/d", "/e"), { code: "EXDEV" });
    await found.rename("/d/f", "/d/g");
    await found.makeDirectory("/new");
    await found.rename("/new", "/newer");
    await found.removeTree("/d");
    assert.deepEqual(found.tree(), ["/newer/"]);
  });
});
