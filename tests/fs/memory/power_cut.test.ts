import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MemoryFileSystem } from "../../../src/fs/memory/file_system.ts";
import {
  BLOCK,
  choice,
  contentOf,
  create,
  createSynced,
  EVERYTHING,
  filled,
  names,
  outcomes,
} from "./crashes.ts";

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

  it("loses the content of a directory whose own name is lost", async () => {
    const files = new MemoryFileSystem();
    await files.makeDirectory("/d");
    await createSynced(files, "/d/f");
    await files.syncDirectory("/d");
    assert.deepEqual(outcomes(files, names), ["", "/d/ /d/f"]);
  });

  it("keeps or loses each unsynced name independently", async () => {
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

  it("may bring back a removed directory with its content", async () => {
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

  it("keeps each block as it was at one moment, not a mixture", async () => {
    const files = new MemoryFileSystem();
    const out = await files.open("/f", "create");
    await files.syncDirectory("/");
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
    const out = await files.open("/f", "create");
    await files.syncDirectory("/");
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

  it("keeps synced bytes, however many are written after them", async () => {
    const files = new MemoryFileSystem();
    const out = await files.open("/f", "create");
    await files.syncDirectory("/");
    await out.write(filled(2, "a"), 0);
    await out.sync();
    await out.write(filled(2, "b"), 2);
    assert.deepEqual(outcomes(files, contentOf("/f")), [
      "a*2",
      "a*2 .*2",
      "a*2 b*2",
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

  it("gives a file that has two names a copy for each", async () => {
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

  it("does not hang on half-kept moves that form a circle", async () => {
    const files = new MemoryFileSystem();
    files.writeFile("/a/f", new Uint8Array());
    files.writeFile("/b/f", new Uint8Array());
    await files.rename("/b", "/a/b");
    await files.rename("/a/b", "/c");
    await files.rename("/a", "/c/a");
    assert.ok(outcomes(files, names).length > 1);
  });
});
