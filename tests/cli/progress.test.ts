import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { startProgress } from "../../src/cli/progress.ts";

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
  const start = (label: string) =>
    startProgress(label, { stream, clock: () => nowMs });
  return { written, start, wait: (ms: number) => nowMs += ms };
}

describe("a progress bar", () => {
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

  it("shows what is done and the rate when the total is not known", () => {
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
    for (const [columns, expected] of [[20, 20], [0, 80], [undefined, 80]]) {
      const { written, start, wait } = terminal(
        columns === undefined ? {} : { columns },
      );
      const bar = start("Saving a state with a name that is rather long");
      wait(1000);
      bar.update(MIB, 4 * MIB);
      const [text = ""] = written;
      assert.equal(text.length - ERASE_LINE.length, expected);
    }
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
