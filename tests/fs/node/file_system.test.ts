import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { constants } from "node:fs";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import { fileSystemConformance } from "@raft/snapshots/testing";
import { openDescriptor } from "../../../src/fs/node/descriptor.ts";
import { NodeFileHandle } from "../../../src/fs/node/file_handle.ts";
import { nodeFileSystem as files } from "../../../src/fs/node/file_system.ts";
import { openDescriptors } from "../../support/open_descriptors.ts";
import { temporaryDirectory } from "../../support/temporary_directory.ts";

const skip = process.platform === "win32" ? "needs POSIX" : false;

/** Where the system does not tell, nothing is claimed. */
function assertNothingOpen(directory: string): void {
  assert.deepEqual(openDescriptors(directory) ?? [], []);
}

describe("nodeFileSystem", () => {
  const checks = fileSystemConformance(async () => ({
    fileSystem: files,
    directory: files.resolve(await temporaryDirectory()),
  }));
  for (const { name, run } of checks) it(name, run);
});

describe("nodeFileSystem.resolve()", () => {
  it("makes a relative path absolute", () => {
    assert.equal(files.resolve("a/../b"), files.resolve(process.cwd()) + "/b");
  });

  it("takes a file: URL, and no other", () => {
    const url = pathToFileURL(join(process.cwd(), "a b"));
    assert.equal(files.resolve(url), files.resolve("a b"));
    assert.throws(() => files.resolve(new URL("https://x.test/a")), TypeError);
  });
});

describe(
  "nodeFileSystem, where POSIX goes beyond the contract",
  { skip },
  () => {
    it("gives new files and directories the permission bits asked for", async (t) => {
      const dir = await temporaryDirectory(t);
      const modeOf = (name: string) =>
        execFileSync("ls", ["-ld", join(dir, name)]).toString().slice(0, 10);
      await (await files.open(join(dir, "f"), "create", 0o640)).close();
      assert.equal(modeOf("f"), "-rw-r-----");
      await files.makeDirectory(join(dir, "d"), 0o710);
      assert.equal(modeOf("d"), "drwx--x---");
    });

    it("follows no link, whatever it points at", async (t) => {
      const dir = await temporaryDirectory(t);
      await writeFile(join(dir, "victim"), "precious");
      await symlink("victim", join(dir, "link"));
      await symlink("missing", join(dir, "dangling"));
      for (const name of ["link", "dangling"]) {
        const path = join(dir, name);
        await assert.rejects(files.open(path, "read"), { code: "ELOOP" });
        await assert.rejects(files.open(path, "create"), { code: "EEXIST" });
        assert.equal((await files.stat(path)).kind, "symlink");
      }
      assert.equal(await readFile(join(dir, "victim"), "utf8"), "precious");
      await assert.rejects(files.stat(join(dir, "missing")), {
        code: "ENOENT",
      });
    });

    it("removes a link, not its target", async (t) => {
      const dir = await temporaryDirectory(t);
      await mkdir(join(dir, "d"));
      await symlink("d", join(dir, "link"));
      await assert.rejects(files.removeDirectory(join(dir, "link")), {
        code: "ENOTDIR",
      });
      await files.removeFile(join(dir, "link"));
      assert.equal((await files.stat(join(dir, "d"))).kind, "directory");
    });

    it("does not wait for a pipe that no process has open", async (t) => {
      const dir = await temporaryDirectory(t);
      const path = join(dir, "pipe");
      execFileSync("mkfifo", [path]);
      await assert.rejects(files.open(path, "read"), { code: "EINVAL" });
      assertNothingOpen(dir);
    });

    it("lists links and pipes as such", async (t) => {
      const dir = await temporaryDirectory(t);
      await symlink("missing", join(dir, "symlink"));
      execFileSync("mkfifo", [join(dir, "other")]);
      const entries = await files.readDirectory(dir);
      assert.equal(entries.length, 2);
      for (const { name, kind } of entries) assert.equal(kind, name);
    });
  },
);

describe("nodeFileSystem's handles", () => {
  for (const position of [2 ** 31 - 1, 2 ** 32 - 1, 2 ** 32 + 5, 2 ** 33]) {
    it(`reach byte ${position} of a file with a hole`, async (t) => {
      const path = join(await temporaryDirectory(t), "sparse");
      const out = await files.open(path, "create");
      assert.equal(await out.write(new Uint8Array([1, 2, 3]), position), 3);
      await out.sync();
      assert.equal((await out.stat()).size, position + 3);
      await out.close();

      const handle = await files.open(path, "read");
      const buffer = new Uint8Array(4);
      assert.equal(await handle.read(buffer, position - 1), 4);
      assert.deepEqual([...buffer], [0, 1, 2, 3]);
      assert.equal(await handle.read(buffer, 5), 4);
      assert.deepEqual([...buffer], [0, 0, 0, 0]);
      await handle.close();
    });
  }

  it("are all closed, even after an error", async (t) => {
    const dir = await temporaryDirectory(t);
    await files.syncDirectory(dir);
    await (await files.open(join(dir, "f"), "create")).close();
    await assert.rejects(files.open(dir, "read"), { code: "EISDIR" });
    await assert.rejects(files.open(join(dir, "f"), "create"));
    assertNothingOpen(dir);
  });

  it("give the system's code when the disk is full", {
    skip: process.platform === "linux" ? false : "needs /dev/full",
  }, async () => {
    // The adapter opens no device, so this goes round it.
    const handle = new NodeFileHandle(
      await openDescriptor("/dev/full", constants.O_RDWR),
    );
    await assert.rejects(handle.write(new Uint8Array(1), 0), {
      code: "ENOSPC",
    });
    await handle.close();
  });
});
