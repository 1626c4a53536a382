import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import type { OpenMode } from "../../src/fs/file_system.ts";
import { nodeFileSystem as fs } from "../../src/fs/node_file_system.ts";
import { openDescriptors } from "../support/open_descriptors.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (buffer: Uint8Array) => new TextDecoder().decode(buffer);
const skip = process.platform === "win32" ? "needs POSIX" : false;

async function openAndClose(path: string, how: OpenMode): Promise<void> {
  await (await fs.open(path, how)).close();
}

/** Where the system does not tell, nothing is claimed. */
function assertNothingOpen(directory: string): void {
  assert.deepEqual(openDescriptors(directory) ?? [], []);
}

describe("nodeFileSystem.resolve()", () => {
  it("makes a relative path absolute", () => {
    assert.equal(fs.resolve("a/../b"), fs.resolve(process.cwd()) + "/b");
  });

  it("takes a file: URL, and no other", () => {
    const url = pathToFileURL(join(process.cwd(), "a b"));
    assert.equal(fs.resolve(url), fs.resolve("a b"));
    assert.throws(() => fs.resolve(new URL("https://x.test/a")), TypeError);
  });
});

describe("nodeFileSystem.open()", () => {
  it("creates a file only where there is no name", async (t) => {
    const dir = await temporaryDirectory(t);
    await openAndClose(join(dir, "f"), "create");
    await assert.rejects(fs.open(join(dir, "f"), "create"), {
      code: "EEXIST",
    });
  });

  it("cuts a file that it overwrites, and makes one that is missing", async (t) => {
    const dir = await temporaryDirectory(t);
    const path = join(dir, "f");
    await openAndClose(path, "overwrite");
    await writeFile(path, "old");
    await openAndClose(path, "overwrite");
    assert.equal((await fs.stat(path)).size, 0);
  });

  it(
    "gives a new file the permission bits asked for",
    { skip },
    async (t) => {
      const dir = await temporaryDirectory(t);
      for (const how of ["create", "overwrite"] as const) {
        await (await fs.open(join(dir, how), how, 0o640)).close();
        const listing = execFileSync("ls", ["-l", join(dir, how)]).toString();
        assert.match(listing, /^-rw-r-----/);
      }
    },
  );

  it("refuses what is missing, and what is no regular file", async (t) => {
    const dir = await temporaryDirectory(t);
    await assert.rejects(fs.open(join(dir, "f"), "read"), { code: "ENOENT" });
    await mkdir(join(dir, "d"));
    await assert.rejects(fs.open(join(dir, "d"), "read"), { code: "EISDIR" });
    assertNothingOpen(dir);
  });

  it(
    "follows no link, whatever it points at",
    { skip },
    async (t) => {
      const dir = await temporaryDirectory(t);
      await writeFile(join(dir, "victim"), "precious");
      await symlink("victim", join(dir, "link"));
      await symlink("missing", join(dir, "dangling"));
      for (const name of ["link", "dangling"]) {
        const path = join(dir, name);
        await assert.rejects(fs.open(path, "read"), { code: "ELOOP" });
        await assert.rejects(fs.open(path, "overwrite"), { code: "ELOOP" });
        await assert.rejects(fs.open(path, "create"), { code: "EEXIST" });
        assert.deepEqual(await fs.stat(path).then((s) => s.kind), "symlink");
      }
      assert.equal(await readFile(join(dir, "victim"), "utf8"), "precious");
      await assert.rejects(fs.stat(join(dir, "missing")), { code: "ENOENT" });
    },
  );

  it("is not held up by a pipe that nobody is at the other end of", {
    skip,
  }, async (t) => {
    const dir = await temporaryDirectory(t);
    const path = join(dir, "pipe");
    execFileSync("mkfifo", [path]);
    await assert.rejects(fs.open(path, "read"), { code: "EINVAL" });
    await assert.rejects(fs.open(path, "overwrite"), { code: "ENXIO" });
    assert.equal((await fs.stat(path)).kind, "other");
  });
});

describe("a file handle", () => {
  it("reads and writes at the position given", async (t) => {
    const dir = await temporaryDirectory(t);
    const path = join(dir, "f");
    const out = await fs.open(path, "create");
    assert.equal(await out.write(bytes("world"), 6), 5);
    assert.equal(await out.write(bytes("xhellox").subarray(1, 6), 0), 5);
    assert.deepEqual(await out.stat(), { kind: "file", size: 11 });
    await out.sync();
    await out.close();

    const handle = await fs.open(path, "read");
    const buffer = new Uint8Array(8);
    assert.equal(await handle.read(buffer.subarray(2, 7), 6), 5);
    assert.equal(text(buffer), "\0\0world\0");
    assert.equal(await handle.read(buffer, 9), 2);
    assert.equal(await handle.read(buffer, 11), 0);
    assert.equal(await handle.read(buffer, 2 ** 33), 0);
    await handle.close();
  });

  for (const position of [2 ** 31 - 1, 2 ** 32 - 1, 2 ** 32 + 5, 2 ** 33]) {
    it(`reaches byte ${position} of a file with a hole`, async (t) => {
      const dir = await temporaryDirectory(t);
      const path = join(dir, "sparse");
      const out = await fs.open(path, "create");
      assert.equal(await out.write(bytes("far"), position), 3);
      await out.sync();
      assert.equal((await out.stat()).size, position + 3);
      await out.close();

      const handle = await fs.open(path, "read");
      const buffer = new Uint8Array(4);
      assert.equal(await handle.read(buffer, position - 1), 4);
      assert.equal(text(buffer), "\0far");
      assert.equal(await handle.read(buffer, 5), 4);
      assert.equal(text(buffer), "\0\0\0\0");
      await handle.close();
    });
  }

  it("outlives the file's name", async (t) => {
    const dir = await temporaryDirectory(t);
    const path = join(dir, "f");
    await writeFile(path, "still here");
    const handle = await fs.open(path, "read");
    await fs.removeFile(path);
    const buffer = new Uint8Array(10);
    assert.equal(await handle.read(buffer, 0), 10);
    assert.equal(text(buffer), "still here");
    await handle.close();
  });

  it("rejects with EBADF once it is closed, but may be closed again", async (t) => {
    const dir = await temporaryDirectory(t);
    const handle = await fs.open(join(dir, "f"), "create");
    await handle.close();
    await handle.close();
    for (
      const use of [
        () => handle.stat(),
        () => handle.write(bytes("x"), 0),
        () => handle.sync(),
      ]
    ) {
      await assert.rejects(async () => void (await use()), { code: "EBADF" });
    }
  });

  it("gives the system's code when the disk is full", {
    skip: process.platform === "linux" ? false : "needs /dev/full",
  }, async () => {
    // The adapter opens no device, so this goes round it.
    const { open } = await import("node:fs/promises");
    const { NodeFileHandle } = await import(
      "../../src/fs/node_file_handle.ts"
    );
    const handle = new NodeFileHandle(await open("/dev/full", "r+"));
    await assert.rejects(handle.write(bytes("x"), 0), { code: "ENOSPC" });
    await handle.close();
  });
});

describe("nodeFileSystem on directories", () => {
  it("makes one level, with the permission bits asked for", async (t) => {
    const dir = await temporaryDirectory(t);
    await fs.makeDirectory(join(dir, "a"), 0o700);
    assert.equal((await fs.stat(join(dir, "a"))).kind, "directory");
    await assert.rejects(fs.makeDirectory(join(dir, "a"), 0o700), {
      code: "EEXIST",
    });
    await assert.rejects(fs.makeDirectory(join(dir, "x", "y"), 0o700), {
      code: "ENOENT",
    });
  });

  it(
    "lists names with what they are",
    { skip },
    async (t) => {
      const dir = await temporaryDirectory(t);
      await mkdir(join(dir, "directory"));
      await writeFile(join(dir, "file"), "");
      await symlink("directory", join(dir, "symlink"));
      execFileSync("mkfifo", [join(dir, "other")]);
      const entries = await fs.readDirectory(dir);
      assert.equal(entries.length, 4);
      for (const { name, kind } of entries) assert.equal(kind, name);
      await assert.rejects(fs.readDirectory(join(dir, "missing")), {
        code: "ENOENT",
      });
      await assert.rejects(fs.readDirectory(join(dir, "file")), {
        code: "ENOTDIR",
      });
    },
  );

  it("syncs one, and closes it again whatever comes", async (t) => {
    const dir = await temporaryDirectory(t);
    await fs.syncDirectory(dir);
    assertNothingOpen(dir);
    await assert.rejects(fs.syncDirectory(join(dir, "missing")), {
      code: "ENOENT",
    });
  });

  it("removes an empty one only", async (t) => {
    const dir = await temporaryDirectory(t);
    await mkdir(join(dir, "a"));
    await writeFile(join(dir, "a", "f"), "");
    await assert.rejects(fs.removeDirectory(join(dir, "a")), {
      code: "ENOTEMPTY",
    });
    await assert.rejects(fs.removeDirectory(join(dir, "a", "f")), {
      code: "ENOTDIR",
    });
    await fs.removeFile(join(dir, "a", "f"));
    await fs.removeDirectory(join(dir, "a"));
    assert.deepEqual(await fs.readDirectory(dir), []);
  });

  it(
    "removes a file or a link, never a directory",
    { skip },
    async (t) => {
      const dir = await temporaryDirectory(t);
      await mkdir(join(dir, "d"));
      await symlink("d", join(dir, "link"));
      await fs.removeFile(join(dir, "link"));
      await assert.rejects(fs.removeFile(join(dir, "d")), { code: "EISDIR" });
      await assert.rejects(fs.removeFile(join(dir, "f")), { code: "ENOENT" });
      assert.equal((await fs.stat(join(dir, "d"))).kind, "directory");
    },
  );
});

describe("nodeFileSystem.rename()", () => {
  it("replaces a file, or silently an empty directory", async (t) => {
    const dir = await temporaryDirectory(t);
    await writeFile(join(dir, "a"), "new");
    await writeFile(join(dir, "b"), "old");
    await fs.rename(join(dir, "a"), join(dir, "b"));
    assert.equal(await readFile(join(dir, "b"), "utf8"), "new");

    await mkdir(join(dir, "from"));
    await writeFile(join(dir, "from", "f"), "");
    await mkdir(join(dir, "to"));
    await fs.rename(join(dir, "from"), join(dir, "to"));
    assert.equal((await fs.readDirectory(join(dir, "to"))).length, 1);
  });

  it("refuses a directory that holds something, and what is missing", async (t) => {
    const dir = await temporaryDirectory(t);
    await mkdir(join(dir, "from"));
    await mkdir(join(dir, "to"));
    await writeFile(join(dir, "to", "f"), "");
    await assert.rejects(fs.rename(join(dir, "from"), join(dir, "to")), {
      code: "ENOTEMPTY",
    });
    await assert.rejects(fs.rename(join(dir, "no"), join(dir, "x")), {
      code: "ENOENT",
    });
  });
});
