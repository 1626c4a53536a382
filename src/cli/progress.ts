/**
 * A progress bar on stderr, with rate and time left. The bar is shown only on a
 * terminal, and only when the work takes a while.
 */

import process from "node:process";
import cliProgress from "cli-progress";
import { printable } from "../text.ts";
import { formatRate, formatSize } from "./format.ts";
import { Meter } from "./meter.ts";

/**
 * The part of cli-progress that is used. Its own types would bring all of Node's
 * types with them, and all other code would be checked against those.
 */
interface SingleBar {
  start(total: number, value: number): void;
  update(value: number): void;
  stop(): void;
}

interface SingleBarOptions {
  readonly stream: NodeJS.WritableStream;
  readonly format: () => string;
  readonly hideCursor: boolean;
  readonly linewrap: boolean;
  readonly clearOnComplete: boolean;
  readonly forceRedraw: boolean;
}

const SingleBar: new (options: SingleBarOptions) => SingleBar =
  cliProgress.SingleBar;

const SHOW_AFTER_MS = 200;
const BAR_WIDTH = 24;

/** A bar, or nothing where stderr is not a terminal. */
export interface ProgressBar {
  /** Tells how many bytes are done, and how many there are, when known. */
  update(done: number, total?: number): void;
  /** Takes the bar off the terminal. Harmless when called again. */
  stop(): void;
}

/** Where a bar is drawn, and by which clock. */
export interface ProgressOptions {
  readonly stream?: NodeJS.WritableStream & { readonly isTTY?: boolean };
  readonly clock?: () => number;
}

/** Starts to measure; the bar shows up a little later. */
export function startProgress(
  label: string,
  { stream = process.stderr, clock = Date.now }: ProgressOptions = {},
): ProgressBar {
  return stream.isTTY === true
    ? new TerminalBar(label, stream, clock)
    : { update: () => {}, stop: () => {} };
}

class TerminalBar implements ProgressBar {
  readonly #label: string;
  readonly #stream: NodeJS.WritableStream;
  readonly #clock: () => number;
  readonly #startMs: number;
  readonly #meter: Meter;
  #bar: SingleBar | undefined;
  #total: number | undefined;
  #done = 0;

  constructor(
    label: string,
    stream: NodeJS.WritableStream,
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
    if (this.#bar === undefined && nowMs - this.#startMs >= SHOW_AFTER_MS) {
      this.#bar = this.#show();
    }
    this.#bar?.update(done);
  }

  stop(): void {
    this.#bar?.stop();
    this.#bar = undefined;
  }

  #show(): SingleBar {
    const bar = new SingleBar({
      stream: this.#stream,
      format: () => this.#line(),
      // A signal may end the process before the cursor is shown again.
      hideCursor: false,
      linewrap: true,
      clearOnComplete: true,
      // An unknown total leaves the bar's own idea of progress unchanged.
      forceRedraw: true,
    });
    bar.start(this.#total ?? 0, this.#done);
    return bar;
  }

  #line(): string {
    const rate = formatRate(this.#meter.bytesPerSecond);
    const done = formatSize(this.#done);
    if (this.#total === undefined) return `${this.#label}  ${done}  ${rate}`;
    const part = this.#total === 0 ? 1 : this.#done / this.#total;
    const full = Math.min(BAR_WIDTH, Math.floor(part * BAR_WIDTH));
    const bar = "█".repeat(full) + "░".repeat(BAR_WIDTH - full);
    const percent = `${Math.floor(part * 100)}%`.padStart(4);
    // At the end the work waits for the disk, which takes an unknown time.
    const left = part === 1 ? undefined : this.#meter.msLeft(this.#total);
    return `${this.#label}  ${bar} ${percent}  ` +
      `${done} of ${formatSize(this.#total)}  ${rate}` +
      (left === undefined ? "" : `  ${formatTimeLeft(left)} left`);
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
