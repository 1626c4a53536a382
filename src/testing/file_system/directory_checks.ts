/**
 * Checks of directories and their entries.
 *
 * @module
 */

import { assertEqual } from "../assertions.ts";
import { assertFails, type FileSystemCheck, read, write } from "./scratch.ts";

/** The checks. */
export const directoryChecks: readonly FileSystemCheck[] = [
  {
    name: "makeDirectory() makes one directory, and only under a free name",
    async run({ files, dir }) {
      await files.makeDirectory(`${dir}/d`, 0o700);
      assertEqual((await files.stat(`${dir}/d`)).kind, "directory", "kind");
      await assertFails(files.makeDirectory(`${dir}/d`, 0o700), "EEXIST");
      await write(files, `${dir}/f`, "");
      await assertFails(files.makeDirectory(`${dir}/f`, 0o700), "EEXIST");
    },
  },

  {
    name: "readDirectory() lists bare names with their kinds",
    async run({ files, dir }) {
      await files.makeDirectory(`${dir}/d`, 0o700);
      await write(files, `${dir}/d/inner`, "");
      await write(files, `${dir}/f`, "");
      const entries = await files.readDirectory(dir);
      entries.sort((a, b) => a.name < b.name ? -1 : 1);
      assertEqual(entries, [
        { name: "d", kind: "directory" },
        { name: "f", kind: "file" },
      ], "entries");
      await assertFails(files.readDirectory(`${dir}/missing`), "ENOENT");
      await assertFails(files.readDirectory(`${dir}/f`), "ENOTDIR");
    },
  },

  {
    name: "syncDirectory() rejects for a directory that is missing",
    async run({ files, dir }) {
      await files.syncDirectory(dir);
      await assertFails(files.syncDirectory(`${dir}/missing`), "ENOENT");
    },
  },

  {
    name: "removeDirectory() removes empty directories only",
    async run({ files, dir }) {
      await files.makeDirectory(`${dir}/d`, 0o700);
      await write(files, `${dir}/d/f`, "");
      await assertFails(files.removeDirectory(`${dir}/d`), "ENOTEMPTY");
      await assertFails(files.removeDirectory(`${dir}/d/f`), "ENOTDIR");
      await files.removeFile(`${dir}/d/f`);
      await files.removeDirectory(`${dir}/d`);
      await assertFails(files.removeDirectory(`${dir}/d`), "ENOENT");
      assertEqual(await files.readDirectory(dir), [], "names");
    },
  },

  {
    name: "removeFile() removes a file, never a directory",
    async run({ files, dir }) {
      await files.makeDirectory(`${dir}/d`, 0o700);
      await assertFails(files.removeFile(`${dir}/d`), "EISDIR");
      await assertFails(files.removeFile(`${dir}/f`), "ENOENT");
      assertEqual((await files.stat(`${dir}/d`)).kind, "directory", "kind");
    },
  },

  {
    name: "files can be made and renamed below a directory that is held",
    async run({ files, dir }) {
      await files.makeDirectory(`${dir}/d`, 0o700);
      const held = await files.holdDirectory(`${dir}/d`);
      await write(files, `${held.path}/f`, "inside");
      await write(files, `${dir}/g`, "moved in");
      await files.rename(`${dir}/g`, `${held.path}/g`);
      await files.syncDirectory(held.path);
      await held.close();
      assertEqual(await read(files, `${dir}/d/f`), "inside", "content");
      assertEqual(await read(files, `${dir}/d/g`), "moved in", "content");
      await assertFails(files.holdDirectory(`${dir}/missing`), "ENOENT");
      await assertFails(files.holdDirectory(`${dir}/d/f`), "ENOTDIR");
    },
  },

  {
    name:
      "removeTree() removes a tree and a file, and resolves for a name that is missing",
    async run({ files, dir }) {
      await files.makeDirectory(`${dir}/d`, 0o700);
      await files.makeDirectory(`${dir}/d/e`, 0o700);
      await files.makeDirectory(`${dir}/d/e/f`, 0o700);
      for (let i = 0; i < 40; i++) await write(files, `${dir}/d/e/${i}`, "");
      await write(files, `${dir}/d/g`, "");
      await write(files, `${dir}/kept`, "kept");
      await files.removeTree(`${dir}/d`);
      await files.removeTree(`${dir}/d`);
      assertEqual(await read(files, `${dir}/kept`), "kept", "content");
      await files.removeTree(`${dir}/kept`);
      assertEqual(await files.readDirectory(dir), [], "names");
    },
  },
];
