/**
 * What every FileSystem must do, by the comments of its interface.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { FileSystem, OpenMode } from "../../src/fs/file_system.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** A file system, and an empty directory of it. */
export interface Place {
  readonly files: FileSystem;
  readonly dir: string;
}

/** How a test gets its place; `t` is the test's context. */
export type MakePlace = (
  t: { after(remove: () => Promise<void>): void },
) => Promise<Place>;

async function write(
  files: FileSystem,
  path: string,
  text: string,
): Promise<void> {
  const handle = await files.open(path, "create");
  await handle.write(encode(text), 0);
  await handle.close();
}

async function read(files: FileSystem, path: string): Promise<string> {
  const handle = await files.open(path, "read");
  const buffer = new Uint8Array((await handle.stat()).size);
  await handle.read(buffer, 0);
  await handle.close();
  return decode(buffer);
}

function openAndClose(
  files: FileSystem,
  path: string,
  how: OpenMode,
): Promise<void> {
  return files.open(path, how).then((handle) => handle.close());
}

async function rejects(promise: Promise<unknown>, code: string): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof Error);
    assert.equal((error as Error & { code?: unknown }).code, code);
    return true;
  });
}

function testOpen(makePlace: MakePlace): void {
  it("creates a file only where there is no name", async (t) => {
    const { files, dir } = await makePlace(t);
    await openAndClose(files, `${dir}/f`, "create");
    await files.makeDirectory(`${dir}/d`, 0o700);
    await rejects(files.open(`${dir}/f`, "create"), "EEXIST");
    await rejects(files.open(`${dir}/d`, "create"), "EEXIST");
  });

  it("refuses to open what is missing, and what is a directory", async (t) => {
    const { files, dir } = await makePlace(t);
    await files.makeDirectory(`${dir}/d`, 0o700);
    await rejects(files.open(`${dir}/f`, "read"), "ENOENT");
    await rejects(files.open(`${dir}/d`, "read"), "EISDIR");
  });

  it("finds nothing behind a file or in a directory that is missing", async (t) => {
    const { files, dir } = await makePlace(t);
    await write(files, `${dir}/f`, "");
    for (const how of ["read", "create"] as const) {
      await rejects(files.open(`${dir}/f/x`, how), "ENOTDIR");
      await rejects(files.open(`${dir}/d/x`, how), "ENOENT");
    }
    await rejects(files.stat(`${dir}/f/x`), "ENOTDIR");
    await rejects(files.makeDirectory(`${dir}/f/x`, 0o700), "ENOTDIR");
    await rejects(files.makeDirectory(`${dir}/d/x`, 0o700), "ENOENT");
  });
}

function testHandles(makePlace: MakePlace): void {
  it("reads and writes at the position given, and nowhere else", async (t) => {
    const { files, dir } = await makePlace(t);
    const out = await files.open(`${dir}/f`, "create");
    assert.equal(await out.write(encode("world"), 6), 5);
    assert.equal(await out.write(encode("xhellox").subarray(1, 6), 0), 5);
    const { kind, size, modifiedMs } = await out.stat();
    assert.deepEqual([kind, size, typeof modifiedMs], ["file", 11, "number"]);
    await out.sync();
    await out.close();

    const handle = await files.open(`${dir}/f`, "read");
    const buffer = new Uint8Array(8);
    assert.equal(await handle.read(buffer.subarray(2, 7), 6), 5);
    assert.equal(decode(buffer), "\0\0world\0");
    assert.equal(await handle.read(buffer, 9), 2);
    assert.equal(await handle.read(buffer, 11), 0);
    assert.equal(await handle.read(buffer, 2 ** 33), 0);
    await handle.close();
    assert.equal(await read(files, `${dir}/f`), "hello\0world");
  });

  it("reads and writes through a handle whose file has lost its name", async (t) => {
    const { files, dir } = await makePlace(t);
    await write(files, `${dir}/f`, "still here");
    const handle = await files.open(`${dir}/f`, "read");
    await files.removeFile(`${dir}/f`);
    const buffer = new Uint8Array(10);
    assert.equal(await handle.read(buffer, 0), 10);
    assert.equal(decode(buffer), "still here");
    await handle.close();
  });

  it("keeps to what a file was opened for", async (t) => {
    const { files, dir } = await makePlace(t);
    const out = await files.open(`${dir}/f`, "create");
    await rejects(out.read(new Uint8Array(1), 0), "EBADF");
    await out.close();
    const handle = await files.open(`${dir}/f`, "read");
    await rejects(handle.write(encode("x"), 0), "EBADF");
    await handle.close();
  });

  it("refuses to use a closed handle, but closes it again", async (t) => {
    const { files, dir } = await makePlace(t);
    const handle = await files.open(`${dir}/f`, "create");
    await handle.close();
    await handle.close();
    await rejects(handle.stat(), "EBADF");
    await rejects(handle.write(encode("x"), 0), "EBADF");
    await rejects(handle.sync(), "EBADF");
  });
}

function testDirectories(makePlace: MakePlace): void {
  it("makes one directory at a time, where nothing is", async (t) => {
    const { files, dir } = await makePlace(t);
    await files.makeDirectory(`${dir}/d`, 0o700);
    assert.equal((await files.stat(`${dir}/d`)).kind, "directory");
    await rejects(files.makeDirectory(`${dir}/d`, 0o700), "EEXIST");
    await write(files, `${dir}/f`, "");
    await rejects(files.makeDirectory(`${dir}/f`, 0o700), "EEXIST");
  });

  it("lists bare names with what they are", async (t) => {
    const { files, dir } = await makePlace(t);
    await files.makeDirectory(`${dir}/d`, 0o700);
    await write(files, `${dir}/d/inner`, "");
    await write(files, `${dir}/f`, "");
    const entries = await files.readDirectory(dir);
    entries.sort((a, b) => a.name < b.name ? -1 : 1);
    assert.deepEqual(entries, [
      { name: "d", kind: "directory" },
      { name: "f", kind: "file" },
    ]);
    await rejects(files.readDirectory(`${dir}/missing`), "ENOENT");
    await rejects(files.readDirectory(`${dir}/f`), "ENOTDIR");
  });

  it("syncs a directory, and nothing else", async (t) => {
    const { files, dir } = await makePlace(t);
    await files.syncDirectory(dir);
    await rejects(files.syncDirectory(`${dir}/missing`), "ENOENT");
  });

  it("removes empty directories only", async (t) => {
    const { files, dir } = await makePlace(t);
    await files.makeDirectory(`${dir}/d`, 0o700);
    await write(files, `${dir}/d/f`, "");
    await rejects(files.removeDirectory(`${dir}/d`), "ENOTEMPTY");
    await rejects(files.removeDirectory(`${dir}/d/f`), "ENOTDIR");
    await files.removeFile(`${dir}/d/f`);
    await files.removeDirectory(`${dir}/d`);
    await rejects(files.removeDirectory(`${dir}/d`), "ENOENT");
    assert.deepEqual(await files.readDirectory(dir), []);
  });

  it("removes a file, never a directory", async (t) => {
    const { files, dir } = await makePlace(t);
    await files.makeDirectory(`${dir}/d`, 0o700);
    await rejects(files.removeFile(`${dir}/d`), "EISDIR");
    await rejects(files.removeFile(`${dir}/f`), "ENOENT");
    assert.equal((await files.stat(`${dir}/d`)).kind, "directory");
  });
}

function testRename(makePlace: MakePlace): void {
  it("renames over a file", async (t) => {
    const { files, dir } = await makePlace(t);
    await write(files, `${dir}/a`, "new");
    await write(files, `${dir}/b`, "old");
    await files.rename(`${dir}/a`, `${dir}/b`);
    assert.equal(await read(files, `${dir}/b`), "new");
    await rejects(files.stat(`${dir}/a`), "ENOENT");
    await files.rename(`${dir}/b`, `${dir}/b`);
    assert.equal(await read(files, `${dir}/b`), "new");
  });

  it("renames over an empty directory, and says nothing", async (t) => {
    const { files, dir } = await makePlace(t);
    await files.makeDirectory(`${dir}/from`, 0o700);
    await write(files, `${dir}/from/f`, "kept");
    await files.makeDirectory(`${dir}/to`, 0o700);
    await files.rename(`${dir}/from`, `${dir}/to`);
    assert.equal(await read(files, `${dir}/to/f`), "kept");
  });

  it("renames from one directory to another", async (t) => {
    const { files, dir } = await makePlace(t);
    await files.makeDirectory(`${dir}/a`, 0o700);
    await files.makeDirectory(`${dir}/b`, 0o700);
    await write(files, `${dir}/a/f`, "moved");
    await files.rename(`${dir}/a/f`, `${dir}/b/g`);
    assert.equal(await read(files, `${dir}/b/g`), "moved");
    assert.deepEqual(await files.readDirectory(`${dir}/a`), []);
  });

  it("refuses a rename that would lose or cut off something", async (t) => {
    const { files, dir } = await makePlace(t);
    await files.makeDirectory(`${dir}/a`, 0o700);
    await files.makeDirectory(`${dir}/full`, 0o700);
    await write(files, `${dir}/full/f`, "");
    await write(files, `${dir}/f`, "");
    await rejects(files.rename(`${dir}/a`, `${dir}/full`), "ENOTEMPTY");
    await rejects(files.rename(`${dir}/f`, `${dir}/a`), "EISDIR");
    await rejects(files.rename(`${dir}/a`, `${dir}/f`), "ENOTDIR");
    await rejects(files.rename(`${dir}/a`, `${dir}/a/b`), "EINVAL");
    await rejects(files.rename(`${dir}/missing`, `${dir}/x`), "ENOENT");
    await rejects(files.rename(`${dir}/f`, `${dir}/missing/f`), "ENOENT");
  });
}

function testTrees(makePlace: MakePlace): void {
  it("holds a directory, and works below it", async (t) => {
    const { files, dir } = await makePlace(t);
    await files.makeDirectory(`${dir}/d`, 0o700);
    const held = await files.holdDirectory(`${dir}/d`);
    await write(files, `${held.path}/f`, "inside");
    await write(files, `${dir}/g`, "moved in");
    await files.rename(`${dir}/g`, `${held.path}/g`);
    await files.syncDirectory(held.path);
    await held.close();
    assert.equal(await read(files, `${dir}/d/f`), "inside");
    assert.equal(await read(files, `${dir}/d/g`), "moved in");
    await rejects(files.holdDirectory(`${dir}/missing`), "ENOENT");
    await rejects(files.holdDirectory(`${dir}/d/f`), "ENOTDIR");
  });

  it("removes a tree, a file, and what is missing already", async (t) => {
    const { files, dir } = await makePlace(t);
    await files.makeDirectory(`${dir}/d`, 0o700);
    await files.makeDirectory(`${dir}/d/e`, 0o700);
    await files.makeDirectory(`${dir}/d/e/f`, 0o700);
    for (let i = 0; i < 40; i++) await write(files, `${dir}/d/e/${i}`, "");
    await write(files, `${dir}/d/g`, "");
    await write(files, `${dir}/kept`, "kept");
    await files.removeTree(`${dir}/d`);
    await files.removeTree(`${dir}/d`);
    assert.equal(await read(files, `${dir}/kept`), "kept");
    await files.removeTree(`${dir}/kept`);
    assert.deepEqual(await files.readDirectory(dir), []);
  });
}

function testLock(makePlace: MakePlace): void {
  it("locks once at a time, by a file that goes with the lock", async (t) => {
    const { files, dir } = await makePlace(t);
    const lock = await files.lock(`${dir}/.lock`);
    assert.equal((await files.stat(`${dir}/.lock`)).kind, "file");
    await assert.rejects(files.lock(`${dir}/.lock`), { code: "EBUSY" });
    await lock.release();
    await rejects(files.stat(`${dir}/.lock`), "ENOENT");
    await lock.release();
    const again = await files.lock(`${dir}/.lock`);
    await lock.release();
    await assert.rejects(files.lock(`${dir}/.lock`), { code: "EBUSY" });
    await again.release();
    assert.deepEqual(await files.readDirectory(dir), []);
  });

  it("releases a lock whose directory is gone", async (t) => {
    const { files, dir } = await makePlace(t);
    await files.makeDirectory(`${dir}/d`, 0o700);
    const lock = await files.lock(`${dir}/d/.lock`);
    // A holder may have files beside the lock file, such as a socket.
    for (const { name } of await files.readDirectory(`${dir}/d`)) {
      await files.removeFile(`${dir}/d/${name}`);
    }
    await files.removeDirectory(`${dir}/d`);
    await lock.release();
    await rejects(files.lock(`${dir}/d/.lock`), "ENOENT");
  });
}

/** Registers the tests; `makePlace` is called once for each. */
export function testFileSystem(name: string, makePlace: MakePlace): void {
  describe(name, () => {
    testOpen(makePlace);
    testHandles(makePlace);
    testDirectories(makePlace);
    testRename(makePlace);
    testTrees(makePlace);
    testLock(makePlace);
  });
}
