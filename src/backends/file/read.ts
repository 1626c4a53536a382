/**
 * Reads the parts of a published snapshot in a directory.
 *
 * @module
 */

import type { Look, StateHandle } from "../../backend/backend.ts";
import { readFully } from "../../bytes.ts";
import {
  type CorruptionReason,
  SnapshotCorruptError,
  SnapshotError,
  SnapshotUnreadableError,
  systemCode,
} from "../../errors.ts";
import type { FileHandle, FileStat } from "../../fs/file_system.ts";
import { withFile } from "../../fs/io.ts";
import { ORIGIN } from "../../snapshot/extras.ts";
import type { Directory } from "./directory.ts";
import { toLookError } from "./error_scope.ts";
import { FileLimit } from "./file_limit.ts";
import type { Marks } from "./marks.ts";
import { isThere, type RemovalWait, requireDirectory } from "./missing.ts";
import type { Versions } from "./versions.ts";

/** The files of a snapshot, and the reason when one is damaged. */
const PARTS = {
  "meta.json": "meta",
  "state.bin": "size",
  "blocks.crc64": "block",
  [ORIGIN]: "archive",
} as const satisfies Readonly<Record<string, CorruptionReason>>;

/** The name of a file of a snapshot. */
export type PartName = keyof typeof PARTS;

/** Codes of a missing file, and of a file whose directory has been replaced. */
const MISSING = new Set(["ENOENT", "ENOTDIR"]);

/** Codes of `open` for a link, a directory or a pipe. */
const NOT_A_FILE = new Set(["ELOOP", "EISDIR", "EINVAL", "ENXIO"]);

/** The parts of the backend that reading uses. */
export interface ReadingParts {
  readonly directory: Directory;
  readonly marks: Marks;
  readonly removalWait: RemovalWait;
  readonly versions: Versions;
}

/** A file of a snapshot, and the look that it is read in. */
interface PartToRead {
  readonly id: string;
  readonly name: PartName;
  readonly look: Look | undefined;
}

/** Reads files of published snapshots; its errors are about the snapshot. */
export class PartReader {
  readonly #directory: Directory;
  readonly #marks: Marks;
  readonly #removalWait: RemovalWait;
  readonly #versions: Versions;
  /** Bounds how many files are open to look into snapshots. */
  readonly #limit = new FileLimit();

  constructor({ directory, marks, removalWait, versions }: ReadingParts) {
    this.#directory = directory;
    this.#marks = marks;
    this.#removalWait = removalWait;
    this.#versions = versions;
  }

  /**
   * Reads `meta.json`. Checks first that the snapshot exists, unless its
   * directory was just listed.
   */
  async readMeta(
    id: string,
    sizeMax: number,
    look?: Look,
  ): Promise<Uint8Array> {
    if (look?.isListed !== true) {
      await requireDirectory(this.#directory, this.#marks, id);
    }
    try {
      return await this.#readFile({ id, name: "meta.json", look }, sizeMax);
    } catch (error) {
      throw await this.#explain(id, "meta.json", error);
    }
  }

  /** Reads `blocks.crc64`; `undefined` when there is none. */
  readBlocks(
    id: string,
    sizeMax: number,
    look?: Look,
  ): Promise<Uint8Array | undefined> {
    return this.readOptional(id, "blocks.crc64", sizeMax, look);
  }

  /** Reads a small file; `undefined` when there is none. */
  async readOptional(
    id: string,
    name: PartName,
    sizeMax: number,
    look?: Look,
  ): Promise<Uint8Array | undefined> {
    try {
      return await this.#readFile({ id, name, look }, sizeMax);
    } catch (error) {
      if (systemCode(error) !== "ENOENT") {
        throw await this.#explain(id, name, error);
      }
      this.#versions.noteRead(look, name, "none");
      return undefined;
    }
  }

  /** The length of `state.bin` in bytes, without opening it. */
  async stateSize(id: string, look?: Look): Promise<number> {
    try {
      const path = this.#directory.at(`${id}/state.bin`);
      const stat = await this.#directory.fileSystem.stat(path);
      this.#versions.noteRead(look, "state.bin", stat);
      return sizeOf(id, stat);
    } catch (error) {
      throw await this.#explain(id, "state.bin", error);
    }
  }

  /** Opens `state.bin`; the caller must close it. */
  async openState(id: string): Promise<StateHandle> {
    const { fileSystem } = this.#directory;
    const path = this.#directory.at(`${id}/state.bin`);
    try {
      const file = await this.#limit.run(() => fileSystem.open(path, "read"));
      try {
        const size = sizeOf(id, await file.stat());
        return new StateFile(this.#directory, file, { id, size });
      } catch (error) {
        await file.close().catch(() => {});
        throw error;
      }
    } catch (error) {
      throw await this.#explain(id, "state.bin", error);
    }
  }

  /** Reads a small file of a snapshot; errors are the system's. */
  #readFile(
    { id, name, look }: PartToRead,
    sizeMax: number,
  ): Promise<Uint8Array> {
    const { fileSystem } = this.#directory;
    const path = this.#directory.at(`${id}/${name}`);
    const read = async (file: FileHandle) => {
      const stat = await file.stat();
      const { size } = stat;
      if (size > sizeMax) {
        throw new SnapshotCorruptError(`${name} of snapshot ${id}`, {
          reason: PARTS[name],
          expected: `at most ${sizeMax} bytes`,
          actual: `${size} bytes`,
        });
      }
      this.#versions.noteRead(look, name, stat);
      const bytes = new Uint8Array(size);
      return bytes.subarray(0, await readFully(file, bytes, 0));
    };
    return this.#limit.run(async () =>
      withFile(await fileSystem.open(path, "read"), read)
    );
  }

  /** Tells removed snapshots, damaged snapshots and other failures apart. */
  async #explain(
    id: string,
    name: PartName,
    cause: unknown,
  ): Promise<SnapshotError> {
    const code = systemCode(cause) ?? "";
    const what = `${name} of snapshot ${id}`;
    if (cause instanceof SnapshotCorruptError) return cause;
    if (MISSING.has(code)) return await this.#explainMissing(id, name, cause);
    if (!NOT_A_FILE.has(code) || await this.#isFile(id, name)) {
      return await toLookError(this.#directory, `read ${what}`, cause);
    }
    return notAFile(what, PARTS[name], `something else (${code})`, cause);
  }

  /** Another process may have removed the snapshot, or may be removing it. */
  async #explainMissing(
    id: string,
    name: PartName,
    cause: unknown,
  ): Promise<SnapshotError> {
    const what = `${name} of snapshot ${id}`;
    await this.#removalWait.end(id);
    if (await isThere(this.#directory, id, name)) {
      return new SnapshotUnreadableError(
        `Cannot read ${what}: the file was missing and is there now, so another ` +
          "process is changing the snapshot; try again",
        { cause },
      );
    }
    return notAFile(what, PARTS[name], "nothing", cause);
  }

  /** A regular file on a failing disk can give the same codes. */
  async #isFile(id: string, name: PartName): Promise<boolean> {
    try {
      const path = this.#directory.at(`${id}/${name}`);
      return (await this.#directory.fileSystem.stat(path)).kind === "file";
    } catch {
      // An entry that can't be examined is not known to be damaged.
      return true;
    }
  }
}

function sizeOf(id: string, { kind, size }: FileStat): number {
  if (kind === "file") return size;
  throw notAFile(`state.bin of snapshot ${id}`, "size", `a ${kind}`, undefined);
}

function notAFile(
  what: string,
  reason: CorruptionReason,
  actual: string,
  cause: unknown,
): SnapshotCorruptError {
  return new SnapshotCorruptError(what, {
    reason,
    expected: "a file",
    actual,
    cause,
  });
}

/** An open `state.bin`. */
class StateFile implements StateHandle {
  readonly #directory: Directory;
  readonly #file: FileHandle;
  readonly #id: string;
  readonly size: number;
  #reading: Promise<unknown> = Promise.resolve();
  #closed: Promise<void> | undefined;

  constructor(
    directory: Directory,
    file: FileHandle,
    { id, size }: { readonly id: string; readonly size: number },
  ) {
    this.#directory = directory;
    this.#file = file;
    this.#id = id;
    this.size = size;
  }

  async read(buffer: Uint8Array, position: number): Promise<number> {
    if (this.#closed !== undefined) {
      throw new SnapshotError(
        `Cannot read state.bin of snapshot ${this.#id}: the state has been closed`,
      );
    }
    try {
      const reading = this.#file.read(buffer, position);
      this.#reading = reading;
      return await reading;
    } catch (error) {
      throw await toLookError(
        this.#directory,
        `read state.bin of snapshot ${this.#id}`,
        error,
      );
    }
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    // A file must not be closed during a read, because its descriptor could
    // then be another file's.
    await this.#reading.catch(() => {});
    await this.#file.close();
  }
}
