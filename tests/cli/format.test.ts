import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  alignColumns,
  formatDuration,
  formatSize,
} from "../../src/cli/format.ts";

describe("the command line's numbers", () => {
  it("give sizes in powers of 1024", () => {
    const sizes = [0, 1, 1023, 1024, 1536, 1024 ** 2 - 1, 1503238553, 2 ** 53];
    assert.deepEqual(sizes.map(formatSize), [
      ...["0 B", "1 B", "1023 B", "1.0 KiB", "1.5 KiB"],
      ...["1.0 MiB", "1.4 GiB", "8.0 PiB"],
    ]);
  });

  it("give durations as long as they need to be", () => {
    const durations = [
      0,
      250,
      9_994,
      9_995,
      59_499,
      59_500,
      185_000,
      7_500_000,
    ];
    assert.deepEqual(durations.map(formatDuration), [
      ...["0.00 s", "0.25 s", "9.99 s", "10 s", "59 s"],
      ...["1 min 0 s", "3 min 5 s", "2 h 5 min"],
    ]);
  });

  it("line up in columns", () => {
    assert.deepEqual(
      alignColumns([["a", "1", "x"], ["bcd", "20", ""]], [
        ...["left", "right", "left"] as const,
      ]),
      ["a     1  x", "bcd  20"],
    );
  });
});
