/** Ctrl-C and its like as an `AbortSignal`, for commands that must clean up. */

import process from "node:process";
import { constants } from "node:os";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** A signal has asked the process to stop. */
export class InterruptedError extends Error {
  override readonly name = "InterruptedError";
  /** The shell's code for a process that the signal ended. */
  readonly exitCode: number;

  constructor(signal: typeof SIGNALS[number]) {
    super(`interrupted by ${signal}`);
    this.exitCode = 128 + constants.signals[signal];
  }
}

/** A text that can be erased from the terminal. */
interface Erasable {
  stop(): void;
}

/**
 * Erases a text from the terminal before a signal ends the process; returns a
 * function that stops that.
 */
export function eraseOnSignal(erasable: Erasable): () => void {
  const handlers = SIGNALS.map((name) => {
    const handler = () => {
      erasable.stop();
      // Without a handler of the command's own, the signal ends the process.
      if (process.listenerCount(name) === 0) process.kill(process.pid, name);
    };
    process.on(name, handler);
    return { name, handler };
  });
  return () => {
    for (const { name, handler } of handlers) process.off(name, handler);
  };
}

/**
 * Does work that has to be undone when it is interrupted: the first signal
 * aborts `signal`, a second one ends the process at once. A signal ends all other
 * work at once, also while it waits for the reader of a pipe.
 *
 * @throws {InterruptedError} when a signal made the work fail.
 */
export async function withInterrupts<T>(
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const handlers = SIGNALS.map((name) => {
    const handler = () => {
      release();
      controller.abort(new InterruptedError(name));
    };
    process.on(name, handler);
    return { name, handler };
  });
  function release(): void {
    for (const { name, handler } of handlers) process.off(name, handler);
  }
  try {
    return await work(controller.signal);
  } catch (error) {
    controller.signal.throwIfAborted();
    throw error;
  } finally {
    release();
  }
}
