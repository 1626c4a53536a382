/**
 * Open files and directories, by the callbacks of `node:fs`: on Node 20 and 24
 * a small file is opened, read and closed in half to two thirds of the time that
 * `node:fs/promises` takes, whose handles are objects of the engine. And Yarn's
 * Plug'n'Play replaces such handles by its own, which can't be synced.
 *
 * @module
 */

import type { Stats } from "node:fs";
import { node } from "../../runtime/node.ts";
import { systemError } from "../system_error.ts";

/** The callback of a call; without a result where that is `void`. */
type Done<T> = (error: Error | null, result: T) => void;

/** Opens a file or directory; the caller must close it. */
export function openDescriptor(
  path: string | Uint8Array,
  flags: number,
  mode?: number,
): Promise<Descriptor> {
  return new Promise((resolve, reject) => {
    node.fs.open(path as string, flags, mode, (error, fd) => {
      if (error === null) resolve(new Descriptor(fd));
      else reject(error);
    });
  });
}

/** An open file or directory. Each read and write is one system call. */
export class Descriptor {
  /** Its number, which is another file's once this one is closed. */
  readonly fd: number;
  /** How many calls have not ended. */
  #running = 0;
  #closed: Promise<void> | undefined;
  #onIdle: () => void = () => {};

  constructor(fd: number) {
    this.fd = fd;
  }

  stat(): Promise<Stats> {
    return this.#run((done) => node.fs.fstat(this.fd, done));
  }

  read(buffer: Uint8Array, position: number): Promise<number> {
    const { length } = buffer;
    return this.#run((done) =>
      node.fs.read(this.fd, buffer, 0, length, position, done)
    );
  }

  write(bytes: Uint8Array, position: number): Promise<number> {
    const { length } = bytes;
    return this.#run((done) =>
      node.fs.write(this.fd, bytes, 0, length, position, done)
    );
  }

  sync(): Promise<void> {
    return this.#run((done: (error: Error | null) => void) =>
      node.fs.fsync(this.fd, done)
    );
  }

  chown(uid: number, gid: number): Promise<void> {
    return this.#run((done: (error: Error | null) => void) =>
      node.fs.fchown(this.fd, uid, gid, done)
    );
  }

  /** Runs a task that needs the file open, as one of its calls. */
  during<T>(task: () => Promise<T>): Promise<T> {
    return this.#run((done) =>
      void task().then(
        (result) => done(null, result),
        (error) => done(error, undefined as T),
      )
    );
  }

  /** Closes it, after the calls that are under way. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    // Otherwise such a call could reach another file, of the same number.
    if (this.#running > 0) {
      await new Promise<void>((resolve) => this.#onIdle = resolve);
    }
    await new Promise<void>((resolve, reject) => {
      node.fs.close(this.fd, (error) => error ? reject(error) : resolve());
    });
  }

  #run<T>(call: (done: Done<T>) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#closed !== undefined) {
        throw systemError("EBADF", "use", `descriptor ${this.fd}`);
      }
      const end = () => {
        if (--this.#running === 0) this.#onIdle();
      };
      this.#running++;
      try {
        call((error, result) => {
          end();
          if (error) reject(error);
          else resolve(result);
        });
      } catch (error) {
        end();
        throw error;
      }
    });
  }
}
