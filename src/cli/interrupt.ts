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

/** Calls a function for each signal; returns a function that stops that. */
function onSignals(handle: (name: typeof SIGNALS[number]) => void): () => void {
  const handlers = SIGNALS.map((name) => {
    const handler = () => handle(name);
    process.on(name, handler);
    return { name, handler };
  });
  return () => {
    for (const { name, handler } of handlers) process.off(name, handler);
  };
}

/** A text that can be erased from the terminal. */
interface Erasable {
  stop(): void;
}

/** Those that are on the terminal now. */
const shown = new Set<Erasable>();

function eraseAll(): void {
  for (const erasable of [...shown]) erasable.stop();
}

/** How much work under way ends by itself when a signal comes. */
let interruptible = 0;

/**
 * Erases a text from the terminal before a signal ends the process; returns a
 * function that stops that.
 */
export function eraseOnSignal(erasable: Erasable): () => void {
  shown.add(erasable);
  // Work that has to be undone erases, and is not to be ended here.
  const release = interruptible > 0 ? () => {} : onSignals((name) => {
    eraseAll();
    process.kill(process.pid, name);
  });
  return () => {
    shown.delete(erasable);
    release();
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
  const release = onSignals((name) => {
    eraseAll();
    release();
    controller.abort(new InterruptedError(name));
  });
  interruptible++;
  try {
    return await work(controller.signal);
  } catch (error) {
    controller.signal.throwIfAborted();
    throw error;
  } finally {
    interruptible--;
    release();
  }
}
