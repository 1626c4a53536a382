import assert from "node:assert/strict";
import process from "node:process";
import { afterEach, describe, it } from "node:test";
import { withInterrupts } from "../../src/cli/interrupt.ts";
import { type ProgressBar, startProgress } from "../../src/cli/progress.ts";

const MIB = 1024 * 1024;
const ERASE_LINE = "\r\x1b[K";

/** A terminal that records its output, and a clock that is set by hand. */
function terminal({ isTTY = true, columns }: {
  readonly isTTY?: boolean;
  readonly columns?: number;
} = {}) {
  const written: string[] = [];
  let nowMs = 1000;
  const write = (text: string) => written.push(text);
  const width = columns === undefined ? {} : { columns };
  const stream = { isTTY, ...width, write };
  const start = (label: string) => {
    const bar = startProgress(label, { stream, clock: () => nowMs });
    started.push(bar);
    return bar;
  };
  return { written, start, wait: (ms: number) => nowMs += ms };
}

/** A bar that is not stopped listens to signals. */
const started: ProgressBar[] = [];

describe("a progress bar", () => {
  afterEach(() => {
    for (const bar of started.splice(0)) bar.stop();
  });

  it("shows how much is done, the rate and the time left", () => {
    const { written, start, wait } = terminal();
    const bar = start("Saving");
    wait(1000);
    bar.update(MIB, 4 * MIB);
    assert.deepEqual(written, [
      `${ERASE_LINE}Saving  ██████░░░░░░░░░░░░░░░░░░  25%  ` +
      "1.0 MiB of 4.0 MiB  1.0 MiB/s  0:03 left",
    ]);
  });

  it("shows the bytes and the rate when the total is not known", () => {
    const { written, start, wait } = terminal();
    const bar = start("Saving stdin");
    wait(1000);
    bar.update(MIB);
    assert.deepEqual(written, [
      `${ERASE_LINE}Saving stdin  1.0 MiB  1.0 MiB/s`,
    ]);
  });

  it("writes nothing when the work takes less than a moment", () => {
    const { written, start, wait } = terminal();
    const bar = start("Saving state");
    wait(199);
    bar.update(MIB, MIB);
    bar.stop();
    assert.deepEqual(written, []);
  });

  it("writes nothing when its stream is not a terminal", () => {
    const { written, start, wait } = terminal({ isTTY: false });
    const bar = start("Saving state");
    wait(1000);
    bar.update(MIB, 4 * MIB);
    bar.stop();
    assert.deepEqual(written, []);
  });

  it("is drawn ten times a second at most, and when everything is done", () => {
    const { written, start, wait } = terminal();
    const bar = start("Saving state");
    wait(500);
    for (let done = 1; done <= 200; done++) {
      bar.update(done, 200);
      wait(1);
    }
    assert.deepEqual(
      written.map((text) => /\d+%/.exec(text)?.[0]),
      ["0%", "50%", "100%"],
    );
  });

  it("is never longer than the terminal is wide", () => {
    for (const columns of [1, 20, 39, 0, undefined]) {
      const { written, start, wait } = terminal(
        columns === undefined ? {} : { columns },
      );
      const bar = start("Saving a state with a name that is rather long");
      wait(1000);
      bar.update(MIB, 4 * MIB);
      bar.stop();
      const [text = ""] = written;
      const length = text.length - ERASE_LINE.length;
      assert.ok(length <= (columns || 80), `${columns}: ${text}`);
    }
  });

  it("shows rate and time left in any width from 40 columns", () => {
    for (let columns = 40; columns <= 120; columns++) {
      const { written, start, wait } = terminal({ columns });
      const bar = start("Checking 3-18446744073709551615-1767312000000");
      wait(1000);
      bar.update(1023.9 * MIB, 4000 * MIB);
      bar.stop();
      const [text = ""] = written;
      assert.ok(text.length - ERASE_LINE.length <= columns, text);
      assert.match(text, /25% {2}.*1023\.9 MiB\/s {2}0:03 left$/);
    }
  });

  it("draws a bar as long as there is room for", () => {
    const lines = [80, 90, 100].map((columns) => {
      const { written, start, wait } = terminal({ columns });
      const bar = start("Checking 3-10-1767312000000");
      wait(1000);
      bar.update(MIB, 4 * MIB);
      bar.stop();
      return written[0]?.slice(ERASE_LINE.length);
    });
    assert.deepEqual(lines, [
      "Checking 3-10-1767312000000  25%  1.0 MiB of 4.0 MiB  1.0 MiB/s  0:03 left",
      "Checking 3-10-1767312000000  ███░░░░░░░░░░░  25%  " +
      "1.0 MiB of 4.0 MiB  1.0 MiB/s  0:03 left",
      "Checking 3-10-1767312000000  ██████░░░░░░░░░░░░░░░░░░  25%  " +
      "1.0 MiB of 4.0 MiB  1.0 MiB/s  0:03 left",
    ]);
  });

  it("is erased on Ctrl-C, which aborts work that must be undone", async () => {
    const { written, start, wait } = terminal();
    const before = process.listenerCount("SIGINT");
    const work = withInterrupts((signal) => {
      const bar = start("Saving state");
      wait(1000);
      bar.update(MIB, 4 * MIB);
      process.emit("SIGINT");
      signal.throwIfAborted();
      return Promise.resolve();
    });
    await assert.rejects(work, { name: "InterruptedError" });
    assert.equal(written.at(-1), ERASE_LINE);
    assert.equal(process.listenerCount("SIGINT"), before);
  });

  it("is erased once when it is stopped, and comes back when work continues", () => {
    const { written, start, wait } = terminal();
    const bar = start("Saving state");
    wait(1000);
    bar.update(MIB, 4 * MIB);
    bar.stop();
    bar.stop();
    assert.deepEqual(written.slice(1), [ERASE_LINE]);
    bar.update(2 * MIB, 4 * MIB);
    assert.equal(written.length, 3);
  });
});
