/**
 * Checks of locks.
 *
 * @module
 */

import { assertEqual } from "../assertions.ts";
import { assertFails, type FileSystemCheck } from "./scratch.ts";

/** The checks. */
export const lockChecks: readonly FileSystemCheck[] = [
  {
    name:
      "lock() is held once at a time, by a file that is removed with the lock",
    async run({ files, dir }) {
      const lock = await files.lock(`${dir}/.lock`);
      assertEqual((await files.stat(`${dir}/.lock`)).kind, "file", "kind");
      await assertFails(files.lock(`${dir}/.lock`), "EBUSY");
      await lock.release();
      await assertFails(files.stat(`${dir}/.lock`), "ENOENT");
      await lock.release();
      const again = await files.lock(`${dir}/.lock`);
      await lock.release();
      await assertFails(files.lock(`${dir}/.lock`), "EBUSY");
      await again.release();
      assertEqual(await files.readDirectory(dir), [], "names");
    },
  },

  {
    name: "readLock() sees a lock from its taking to its release",
    async run({ files, dir }) {
      const path = `${dir}/.lock`;
      assertEqual(await files.readLock(path), undefined, "before");
      const lock = await files.lock(path);
      assertEqual((await files.readLock(path))?.holder, "here", "holder");
      await assertFails(files.lock(path), "EBUSY");
      await lock.release();
      assertEqual(await files.readLock(path), undefined, "after");
      assertEqual(await files.readDirectory(dir), [], "names");
    },
  },

  {
    name: "release() resolves for a lock whose directory is gone",
    async run({ files, dir }) {
      await files.makeDirectory(`${dir}/d`, 0o700);
      const lock = await files.lock(`${dir}/d/.lock`);
      // A holder may have files beside the lock file, such as a socket.
      for (const { name } of await files.readDirectory(`${dir}/d`)) {
        await files.removeFile(`${dir}/d/${name}`);
      }
      await files.removeDirectory(`${dir}/d`);
      await lock.release();
      await assertFails(files.lock(`${dir}/d/.lock`), "ENOENT");
    },
  },
];
