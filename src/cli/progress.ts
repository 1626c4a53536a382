/**
 * A progress bar on stderr, with rate and time left. The bar is shown only on a
 * terminal, and only when the work takes a while.
 */

import process from "node:process";
import { printable } from "../../mod.ts";
import { formatRate, formatSize } from "./format.ts";
import { Meter } from "./meter.ts";
import { eraseOnSignal } from "./interrupt.ts";
import { fitLine, type LineParts } from "./progress_line.ts";
import { isQuiet } from "./quiet.ts";

const SHOW_AFTER_MS = 200;
/** More often, drawing would cost more than the work. */
const DRAW_EVERY_MS = 100;
/** Where a terminal does not tell its own width. */
const USUAL_COLUMNS = 80;
/** Goes to the start of the line, and erases it. */
const ERASE_LINE = "\r\x1b[K";

/** A bar, or nothing where stderr is not a terminal. */
export interface ProgressBar {
  /** Sets how many bytes are done, and how many there are, if known. */
  update(done: number, total?: number): void;
  /** Takes the bar off the terminal. Harmless when called again. */
  stop(): void;
}

/** The stream that a bar is drawn on. */
export interface ProgressStream {
  /** Whether it is a terminal. */
  readonly isTTY?: boolean;
  /** The terminal's width; 0 where it is not known. */
  readonly columns?: number;
  /** Shows the text. */
  write(text: string): unknown;
}

/** Where a bar is drawn, and by which clock. */
export interface ProgressOptions {
  readonly stream?: ProgressStream;
  readonly clock?: () => number;
}

/** Starts to measure; the bar shows up a little later. */
export function startProgress(
  label: string,
  { stream = process.stderr, clock = Date.now }: ProgressOptions = {},
): ProgressBar {
  return stream.isTTY === true && !isQuiet()
    ? new TerminalBar(label, stream, clock)
    : { update: () => {}, stop: () => {} };
}

class TerminalBar implements ProgressBar {
  readonly #label: string;
  readonly #stream: ProgressStream;
  readonly #clock: () => number;
  readonly #startMs: number;
  readonly #meter: Meter;
  /** When the line was drawn last, if it is on the terminal. */
  #drawnMs: number | undefined;
  /** Removes the handler that erases the line on Ctrl-C. */
  #stopOnSignal: (() => void) | undefined;
  #total: number | undefined;
  #done = 0;

  constructor(
    label: string,
    stream: ProgressStream,
    clock: () => number,
  ) {
    this.#label = printable(label);
    this.#stream = stream;
    this.#clock = clock;
    this.#startMs = clock();
    this.#meter = new Meter(this.#startMs);
  }

  update(done: number, total?: number): void {
    const nowMs = this.#clock();
    this.#meter.add(nowMs, done);
    this.#done = done;
    this.#total = total;
    const isDue = this.#drawnMs === undefined
      ? nowMs - this.#startMs >= SHOW_AFTER_MS
      : nowMs - this.#drawnMs >= DRAW_EVERY_MS || done === total;
    if (isDue) this.#draw(nowMs);
  }

  stop(): void {
    if (this.#drawnMs !== undefined) this.#stream.write(ERASE_LINE);
    this.#drawnMs = undefined;
    this.#stopOnSignal?.();
    this.#stopOnSignal = undefined;
  }

  #draw(nowMs: number): void {
    const columns = this.#stream.columns || USUAL_COLUMNS;
    this.#stream.write(ERASE_LINE + fitLine(this.#parts(), columns));
    if (this.#drawnMs === undefined) this.#stopOnSignal = eraseOnSignal(this);
    this.#drawnMs = nowMs;
  }

  #parts(): LineParts {
    const label = this.#label;
    const rate = formatRate(this.#meter.bytesPerSecond);
    const done = formatSize(this.#done);
    if (this.#total === undefined) return { label, sizes: done, rate };
    const part = this.#total === 0 ? 1 : this.#done / this.#total;
    // At the end the work waits for the disk, which takes an unknown time.
    const left = part === 1 ? undefined : this.#meter.msLeft(this.#total);
    return {
      label,
      part,
      sizes: `${done} of ${formatSize(this.#total)}`,
      rate,
      left: left === undefined ? undefined : `${formatTimeLeft(left)} left`,
    };
  }
}

function formatTimeLeft(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  const pad = (part: number) => String(part).padStart(2, "0");
  return minutes < 60
    ? `${minutes}:${pad(seconds % 60)}`
    : `${Math.floor(minutes / 60)}:${pad(minutes % 60)}:${pad(seconds % 60)}`;
}
