/**
 * Checks of `rename()`.
 *
 * @module
 */

import { assertEqual } from "../assertions.ts";
import { assertFails, type FileSystemCheck, read, write } from "./scratch.ts";

/** The checks. */
export const renameChecks: readonly FileSystemCheck[] = [
  {
    name: "rename() replaces a file",
    async run({ files, dir }) {
      await write(files, `${dir}/a`, "new");
      await write(files, `${dir}/b`, "old");
      await files.rename(`${dir}/a`, `${dir}/b`);
      assertEqual(await read(files, `${dir}/b`), "new", "content");
      await assertFails(files.stat(`${dir}/a`), "ENOENT");
      await files.rename(`${dir}/b`, `${dir}/b`);
      assertEqual(await read(files, `${dir}/b`), "new", "content");
    },
  },

  {
    name: "rename() replaces an empty directory",
    async run({ files, dir }) {
      await files.makeDirectory(`${dir}/from`, 0o700);
      await write(files, `${dir}/from/f`, "kept");
      await files.makeDirectory(`${dir}/to`, 0o700);
      await files.rename(`${dir}/from`, `${dir}/to`);
      assertEqual(await read(files, `${dir}/to/f`), "kept", "content");
    },
  },

  {
    name: "rename() moves a file from one directory to another",
    async run({ files, dir }) {
      await files.makeDirectory(`${dir}/a`, 0o700);
      await files.makeDirectory(`${dir}/b`, 0o700);
      await write(files, `${dir}/a/f`, "moved");
      await files.rename(`${dir}/a/f`, `${dir}/b/g`);
      assertEqual(await read(files, `${dir}/b/g`), "moved", "content");
      assertEqual(await files.readDirectory(`${dir}/a`), [], "names");
    },
  },

  {
    name: "rename() rejects when a file or directory would be lost or cut off",
    async run({ files, dir }) {
      await files.makeDirectory(`${dir}/a`, 0o700);
      await files.makeDirectory(`${dir}/full`, 0o700);
      await write(files, `${dir}/full/f`, "");
      await write(files, `${dir}/f`, "");
      await assertFails(files.rename(`${dir}/a`, `${dir}/full`), "ENOTEMPTY");
      await assertFails(files.rename(`${dir}/f`, `${dir}/a`), "EISDIR");
      await assertFails(files.rename(`${dir}/a`, `${dir}/f`), "ENOTDIR");
      await assertFails(files.rename(`${dir}/a`, `${dir}/a/b`), "EINVAL");
      await assertFails(files.rename(`${dir}/missing`, `${dir}/x`), "ENOENT");
      await assertFails(files.rename(`${dir}/f`, `${dir}/missing/f`), "ENOENT");
    },
  },
];
