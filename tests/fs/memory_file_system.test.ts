import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { CrashChoice } from "../../src/fs/crash_choice.ts";
import type { FileHandle } from "../../src/fs/file_system.ts";
import { MemoryFileSystem } from "../../src/fs/memory_file_system.ts";
import { freshSeed, random } from "../support/random.ts";
import { testFileSystem } from "./file_system_contract.ts";

const BLOCK = 4096;
const MODELS = ["atomic", "split"] as const;

function choice(
  keptPercent: number,
  seed = 1,
  renames: CrashChoice["renames"] = "atomic",
): CrashChoice {
  return { seed, keptPercent, renames };
}

const NOTHING = choice(0);
const EVERYTHING = choice(100);

function filled(length: number, value: string): Uint8Array {
  return new Uint8Array(length).fill(value.charCodeAt(0));
}

/** A content in short: `a*4096 b*1`. */
function summary(content: Uint8Array): string {
  const text = new TextDecoder().decode(content).replaceAll("\0", ".");
  return text.replaceAll(/(.)\1*/g, (run) => ` ${run[0]}*${run.length}`).trim();
}

async function create(
  files: MemoryFileSystem,
  path: string,
  bytes: Uint8Array = new Uint8Array(),
): Promise<FileHandle> {
  const handle = await files.open(path, "create");
  await handle.write(bytes, 0);
  return handle;
}

async function createSynced(
  files: MemoryFileSystem,
  path: string,
  bytes?: Uint8Array,
): Promise<void> {
  const handle = await create(files, path, bytes);
  await handle.sync();
  await handle.close();
}

/** Every state that many seeds, shares and the models lead to, sorted. */
function outcomes(
  files: MemoryFileSystem,
  describeState: (found: MemoryFileSystem) => string,
  models: readonly CrashChoice["renames"][] = MODELS,
): string[] {
  const found = new Set<string>();
  for (const renames of models) {
    for (const keptPercent of [0, 20, 50, 80, 100]) {
      for (let seed = 0; seed < 200; seed++) {
        const image = files.crashImage({ seed, keptPercent, renames });
        found.add(describeState(image));
      }
    }
  }
  return [...found].sort();
}

const names = (files: MemoryFileSystem) => files.tree().join(" ");
const contentOf = (path: string) => (files: MemoryFileSystem) =>
  files.tree().includes(path) ? summary(files.readFile(path)) : "gone";

testFileSystem(
  "MemoryFileSystem",
  () => Promise.resolve({ files: new MemoryFileSystem(), dir: "" }),
);

describe("MemoryFileSystem, when the power is cut", () => {
  it("may keep or lose the name of a new file, synced or not", async () => {
    const files = new MemoryFileSystem();
    await createSynced(files, "/f", filled(3, "a"));
    assert.deepEqual(outcomes(files, names), ["", "/f"]);
    assert.deepEqual(outcomes(files, contentOf("/f")), ["a*3", "gone"]);
  });

  it("keeps a name once its directory is synced, but not the data", async () => {
    const files = new MemoryFileSystem();
    await create(files, "/f", filled(3, "a"));
    await files.syncDirectory("/");
    assert.deepEqual(outcomes(files, contentOf("/f")), ["", ".*3", "a*3"]);
  });

  it("keeps data and name once the file and its directory are synced", async () => {
    const files = new MemoryFileSystem();
    await createSynced(files, "/f", filled(3, "a"));
    await files.syncDirectory("/");
    assert.deepEqual(outcomes(files, contentOf("/f")), ["a*3"]);
  });

  it("keeps the names in the synced directory only, not those below", async () => {
    const files = new MemoryFileSystem();
    await files.makeDirectory("/d");
    await createSynced(files, "/d/f");
    await files.syncDirectory("/");
    assert.deepEqual(outcomes(files, names), ["/d/", "/d/ /d/f"]);
  });

  it("loses what is in a directory whose own name is lost", async () => {
    const files = new MemoryFileSystem();
    await files.makeDirectory("/d");
    await createSynced(files, "/d/f");
    await files.syncDirectory("/d");
    assert.deepEqual(outcomes(files, names), ["", "/d/ /d/f"]);
  });

  it("keeps or loses each unsynced name for itself", async () => {
    const files = new MemoryFileSystem();
    await createSynced(files, "/a");
    await createSynced(files, "/b");
    assert.deepEqual(outcomes(files, names), ["", "/a", "/a /b", "/b"]);
  });

  it("may bring back a removed file, until its directory is synced", async () => {
    const files = new MemoryFileSystem();
    files.writeFile("/d/f", filled(2, "a"));
    await files.removeFile("/d/f");
    assert.deepEqual(outcomes(files, contentOf("/d/f")), ["a*2", "gone"]);
    await files.syncDirectory("/d");
    assert.deepEqual(outcomes(files, names), ["/d/"]);
  });

  it("may bring back a removed directory with what it held", async () => {
    const files = new MemoryFileSystem();
    files.writeFile("/d/f", filled(2, "a"));
    await files.removeFile("/d/f");
    await files.removeDirectory("/d");
    assert.deepEqual(outcomes(files, names), ["", "/d/", "/d/ /d/f"]);
    await files.syncDirectory("/");
    assert.deepEqual(outcomes(files, names), [""]);
  });

  it("finds the old or the new file when a name was used again", async () => {
    const files = new MemoryFileSystem();
    files.writeFile("/f", filled(1, "a"));
    await files.removeFile("/f");
    await createSynced(files, "/f", filled(1, "b"));
    assert.deepEqual(outcomes(files, contentOf("/f")), ["a*1", "b*1", "gone"]);
  });
});

describe("MemoryFileSystem, when the power is cut during writes", () => {
  it("tears a long write at the blocks, and fills the holes with zeros", async () => {
    const files = new MemoryFileSystem();
    const out = await files.open("/f", "create");
    await files.syncDirectory("/");
    await out.write(filled(2 * BLOCK + 1, "a"), 0);
    assert.deepEqual(
      outcomes(files, contentOf("/f")),
      [
        "",
        `.*${BLOCK}`,
        `.*${2 * BLOCK}`,
        `.*${2 * BLOCK} a*1`,
        `.*${2 * BLOCK + 1}`,
        `.*${BLOCK} a*${BLOCK}`,
        `.*${BLOCK} a*${BLOCK} .*1`,
        `.*${BLOCK} a*${BLOCK + 1}`,
        `a*${BLOCK}`,
        `a*${BLOCK} .*${BLOCK}`,
        `a*${BLOCK} .*${BLOCK} a*1`,
        `a*${BLOCK} .*${BLOCK + 1}`,
        `a*${2 * BLOCK}`,
        `a*${2 * BLOCK} .*1`,
        `a*${2 * BLOCK + 1}`,
      ].sort(),
    );
  });

  it("finds a block as it was at one moment, not a mixture", async () => {
    const files = new MemoryFileSystem();
    files.writeFile("/f", filled(4, "-"));
    const out = await files.open("/f", "overwrite");
    await out.write(filled(4, "-"), 0);
    await out.sync();
    await out.write(filled(1, "a"), 0);
    await out.write(filled(1, "b"), 1);
    assert.deepEqual(outcomes(files, contentOf("/f")), [
      "-*4",
      "a*1 -*3",
      "a*1 b*1 -*2",
    ]);
  });

  it("splits a write at the file's blocks, not at its own start", async () => {
    const files = new MemoryFileSystem();
    files.writeFile("/f", new Uint8Array());
    const out = await files.open("/f", "overwrite");
    await out.write(filled(BLOCK + 1, "-"), 0);
    await out.sync();
    await out.write(filled(2, "a"), BLOCK - 1);
    assert.deepEqual(
      outcomes(files, contentOf("/f")),
      [
        `-*${BLOCK + 1}`,
        `-*${BLOCK - 1} a*1 -*1`,
        `-*${BLOCK - 1} a*2`,
        `-*${BLOCK} a*1`,
      ].sort(),
    );
  });

  it("keeps what was synced, however much is written after it", async () => {
    const files = new MemoryFileSystem();
    files.writeFile("/f", new Uint8Array());
    const out = await files.open("/f", "overwrite");
    await out.write(filled(2, "a"), 0);
    await out.sync();
    await out.write(filled(2, "b"), 2);
    assert.deepEqual(outcomes(files, contentOf("/f")), [
      "a*2",
      "a*2 .*2",
      "a*2 b*2",
    ]);
  });

  it("finds the old content or the new one after a cut, not both", async () => {
    const files = new MemoryFileSystem();
    files.writeFile("/f", filled(2, "a"));
    const out = await files.open("/f", "overwrite");
    await out.write(filled(3, "b"), 0);
    assert.deepEqual(outcomes(files, contentOf("/f")), [
      "",
      ".*3",
      "a*2",
      "b*3",
    ]);
    const again = await files.open("/f", "overwrite");
    await again.write(filled(1, "c"), 0);
    assert.deepEqual(outcomes(files, contentOf("/f")), [
      "",
      ".*1",
      ".*3",
      "a*2",
      "b*3",
      "c*1",
    ]);
  });

  it("does not see the caller's buffer change", async () => {
    const files = new MemoryFileSystem();
    const bytes = filled(2, "a");
    await create(files, "/f", bytes);
    files.writeFile("/g", bytes);
    bytes.fill(0);
    assert.equal(contentOf("/f")(files), "a*2");
    assert.equal(contentOf("/f")(files.crash(EVERYTHING)), "a*2");
    assert.equal(contentOf("/g")(files), "a*2");
  });
});

describe("MemoryFileSystem, when the power is cut after a rename", () => {
  async function renamed(to: string): Promise<MemoryFileSystem> {
    const files = new MemoryFileSystem();
    files.writeFile("/a/f", filled(1, "x"));
    files.writeFile("/b/f", filled(1, "x"));
    await files.removeFile("/b/f");
    await files.syncDirectory("/b");
    await files.rename("/a/f", to);
    return files;
  }

  it("finds the old name or the new one in the atomic model", async () => {
    const files = await renamed("/a/g");
    assert.deepEqual(outcomes(files, names, ["atomic"]), [
      "/a/ /a/f /b/",
      "/a/ /a/g /b/",
    ]);
  });

  it("finds either, both or neither in the split model", async () => {
    const files = await renamed("/a/g");
    assert.deepEqual(outcomes(files, names, ["split"]), [
      "/a/ /a/f /a/g /b/",
      "/a/ /a/f /b/",
      "/a/ /a/g /b/",
      "/a/ /b/",
    ]);
  });

  it("finds the new name alone once the directory is synced", async () => {
    const files = await renamed("/a/g");
    await files.syncDirectory("/a");
    assert.deepEqual(outcomes(files, names), ["/a/ /a/g /b/"]);
  });

  it("keeps a move as a whole when either directory is synced, if atomic", async () => {
    for (const synced of ["/a", "/b"]) {
      const files = await renamed("/b/f");
      await files.syncDirectory(synced);
      assert.deepEqual(outcomes(files, names, ["atomic"]), ["/a/ /b/ /b/f"]);
    }
  });

  it("keeps the synced half of a move, if split", async () => {
    const gone = await renamed("/b/f");
    await gone.syncDirectory("/a");
    assert.deepEqual(outcomes(gone, names, ["split"]), [
      "/a/ /b/",
      "/a/ /b/ /b/f",
    ]);
    const twice = await renamed("/b/f");
    await twice.syncDirectory("/b");
    assert.deepEqual(outcomes(twice, names, ["split"]), [
      "/a/ /a/f /b/ /b/f",
      "/a/ /b/ /b/f",
    ]);
  });

  it("finds the replaced file again where the rename is lost", async () => {
    const files = new MemoryFileSystem();
    files.writeFile("/new", filled(1, "n"));
    files.writeFile("/old", filled(1, "o"));
    await files.rename("/new", "/old");
    assert.deepEqual(outcomes(files, contentOf("/old"), ["atomic"]), [
      "n*1",
      "o*1",
    ]);
  });

  it("does not remove a file that was to be replaced first", async () => {
    const files = new MemoryFileSystem();
    files.writeFile("/x", filled(1, "o"));
    files.writeFile("/y", filled(1, "n"));
    await files.rename("/y", "/x");
    await files.removeFile("/x");
    assert.deepEqual(outcomes(files, names, ["atomic"]), ["", "/x", "/x /y"]);
  });

  it("finds two copies of what is found under two names", async () => {
    const files = new MemoryFileSystem();
    files.writeFile("/a/f", filled(1, "x"));
    await files.rename("/a", "/b");
    let found = files;
    for (let seed = 0; found.tree().length < 4; seed++) {
      found = files.crashImage(choice(50, seed, "split"));
    }
    await found.removeFile("/b/f");
    assert.equal(names(found), "/a/ /a/f /b/");
  });

  it("does not hang on moves that, half kept, close a circle", async () => {
    const files = new MemoryFileSystem();
    files.writeFile("/a/f", new Uint8Array());
    files.writeFile("/b/f", new Uint8Array());
    await files.rename("/b", "/a/b");
    await files.rename("/a/b", "/c");
    await files.rename("/a", "/c/a");
    assert.ok(outcomes(files, names).length > 1);
  });
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
    const out = await found.open("/f", "overwrite");
    await out.write(filled(1, "b"), 0);
    assert.equal(contentOf("/f")(found.crash(NOTHING)), "a*5");
    assert.equal(contentOf("/f")(files.crash(EVERYTHING)), "a*5");
  });

  it("ends every use of what was there before", async () => {
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

  it("refuses a share that is none", () => {
    const files = new MemoryFileSystem();
    for (const share of [-1, 101, NaN]) {
      assert.throws(() => files.crash(choice(share)), RangeError);
    }
  });

  it("keeps, whatever happens, what was synced and left alone since", async () => {
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

describe("MemoryFileSystem, for those who look inside", () => {
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

  it("shows the tree and the contents, and takes files from tests", () => {
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

  it("refuses positions that no file has", async () => {
    const files = new MemoryFileSystem();
    const handle = await files.open("/f", "create");
    for (const position of [-1, 0.5, NaN]) {
      await assert.rejects(handle.write(filled(1, "a"), position), {
        code: "EINVAL",
      });
    }
  });
});
