/**
 * Open files by their numbers: a number is given to another file as soon as it
 * is free.
 */

import assert from "node:assert/strict";
import { constants } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { Descriptor, openDescriptor } from "../../../src/fs/node/descriptor.ts";
import { temporaryDirectory } from "../../support/temporary_directory.ts";

const MIB = 1024 ** 2;

describe("a descriptor", () => {
  it("is closed after the calls that are under way", async (t) => {
    const path = join(await temporaryDirectory(t), "file");
    // A disk takes some time to make them durable.
    await writeFile(path, new Uint8Array(32 * MIB));
    const file = await openDescriptor(path, constants.O_RDONLY);
    const ended: string[] = [];
    const syncing = file.sync().then(() => ended.push("sync"));
    const closing = file.close().then(() => ended.push("close"));
    await Promise.all([syncing, closing]);
    assert.deepEqual(ended, ["sync", "close"]);
  });

  it("is closed once, and rejects calls from then on", async (t) => {
    const path = join(await temporaryDirectory(t), "file");
    await writeFile(path, "a");
    const file = await openDescriptor(path, constants.O_RDONLY);
    const closing = file.close();
    const error = { code: "EBADF" };
    await assert.rejects(file.read(new Uint8Array(1), 0), error);
    await closing;
    // Its number may be another file's by now.
    const other = await openDescriptor(path, constants.O_RDONLY);
    await file.close();
    await assert.rejects(file.stat(), error);
    assert.equal((await other.stat()).size, 1);
    await other.close();
  });

  it("can still be closed after an argument was refused", async (t) => {
    const path = join(await temporaryDirectory(t), "file");
    await writeFile(path, "a");
    const file = await openDescriptor(path, constants.O_RDONLY);
    await assert.rejects(file.chown("root" as unknown as number, 0));
    await file.close();
  });

  it("rejects with the system's error", async (t) => {
    const lost = new Descriptor(2 ** 20);
    await assert.rejects(lost.sync(), { code: "EBADF" });
    const path = join(await temporaryDirectory(t), "file");
    const opening = openDescriptor(path, constants.O_RDONLY);
    await assert.rejects(opening, { code: "ENOENT" });
  });
});
