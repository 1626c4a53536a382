/**
 * Checks of files and their handles.
 *
 * @module
 */

import { assertEqual } from "../assertions.ts";
import {
  assertFails,
  decode,
  encode,
  type FileSystemCheck,
  openAndClose,
  read,
  write,
} from "./scratch.ts";

/** The checks. */
export const fileChecks: readonly FileSystemCheck[] = [
  {
    name: "open() creates a file only under a free name",
    async run({ files, dir }) {
      await openAndClose(files, `${dir}/f`, "create");
      await files.makeDirectory(`${dir}/d`, 0o700);
      await assertFails(files.open(`${dir}/f`, "create"), "EEXIST");
      await assertFails(files.open(`${dir}/d`, "create"), "EEXIST");
    },
  },

  {
    name: "open() rejects for a file that is missing, and for a directory",
    async run({ files, dir }) {
      await files.makeDirectory(`${dir}/d`, 0o700);
      await assertFails(files.open(`${dir}/f`, "read"), "ENOENT");
      await assertFails(files.open(`${dir}/d`, "read"), "EISDIR");
    },
  },

  {
    name: "a path through a file or a missing directory is rejected",
    async run({ files, dir }) {
      await write(files, `${dir}/f`, "");
      for (const how of ["read", "create"] as const) {
        await assertFails(files.open(`${dir}/f/x`, how), "ENOTDIR");
        await assertFails(files.open(`${dir}/d/x`, how), "ENOENT");
      }
      await assertFails(files.stat(`${dir}/f/x`), "ENOTDIR");
      await assertFails(files.makeDirectory(`${dir}/f/x`, 0o700), "ENOTDIR");
      await assertFails(files.makeDirectory(`${dir}/d/x`, 0o700), "ENOENT");
    },
  },

  {
    name: "a handle reads and writes at the position given, and nowhere else",
    async run({ files, dir }) {
      const out = await files.open(`${dir}/f`, "create");
      assertEqual(await out.write(encode("world"), 6), 5, "bytes written");
      assertEqual(
        await out.write(encode("xhellox").subarray(1, 6), 0),
        5,
        "bytes written",
      );
      const { kind, size, modifiedMs } = await out.stat();
      assertEqual(
        [kind, size, typeof modifiedMs],
        ["file", 11, "number"],
        "stat()",
      );
      await out.sync();
      await out.close();

      const handle = await files.open(`${dir}/f`, "read");
      const buffer = new Uint8Array(8);
      assertEqual(await handle.read(buffer.subarray(2, 7), 6), 5, "bytes read");
      assertEqual(decode(buffer), "\0\0world\0", "content of the buffer");
      assertEqual(await handle.read(buffer, 9), 2, "bytes read");
      assertEqual(await handle.read(buffer, 11), 0, "bytes read");
      assertEqual(await handle.read(buffer, 2 ** 33), 0, "bytes read");
      await handle.close();
      assertEqual(await read(files, `${dir}/f`), "hello\0world", "content");
    },
  },

  {
    name: "a handle writes large pieces in any order, also side by side",
    async run({ files, dir }) {
      const length = 1024 * 1024;
      const out = await files.open(`${dir}/f`, "create");
      const put = async (letter: string, position: number) => {
        const bytes = new Uint8Array(length).fill(letter.charCodeAt(0));
        assertEqual(await out.write(bytes, position), length, "bytes written");
      };
      await put("c", 2 * length);
      await Promise.all([put("a", 0), put("d", 3 * length)]);
      // A small piece, and a large one that continues where "a" ended.
      await out.write(encode("xx"), length - 2);
      await put("b", length);
      await out.close();
      const text = await read(files, `${dir}/f`);
      const expected = [..."abcd"].map((each) => each.repeat(length)).join("");
      const isRight = text === expected.replace(/aa(?=b)/, "xx");
      assertEqual(isRight, true, "content is right");
    },
  },

  {
    name: "a handle still reads a file whose name was removed",
    async run({ files, dir }) {
      await write(files, `${dir}/f`, "still here");
      const handle = await files.open(`${dir}/f`, "read");
      await files.removeFile(`${dir}/f`);
      const buffer = new Uint8Array(10);
      assertEqual(await handle.read(buffer, 0), 10, "bytes read");
      assertEqual(decode(buffer), "still here", "content of the buffer");
      await handle.close();
    },
  },

  {
    name: "a handle only allows the mode in which its file was opened",
    async run({ files, dir }) {
      const out = await files.open(`${dir}/f`, "create");
      await assertFails(out.read(new Uint8Array(1), 0), "EBADF");
      await out.close();
      const handle = await files.open(`${dir}/f`, "read");
      await assertFails(handle.write(encode("x"), 0), "EBADF");
      await handle.close();
    },
  },

  {
    name: "a closed handle can only be closed again",
    async run({ files, dir }) {
      const handle = await files.open(`${dir}/f`, "create");
      await handle.close();
      await handle.close();
      await assertFails(handle.stat(), "EBADF");
      await assertFails(handle.write(encode("x"), 0), "EBADF");
      await assertFails(handle.sync(), "EBADF");
    },
  },
];
