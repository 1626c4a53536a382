import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Meter } from "../../src/cli/meter.ts";

describe("the meter of a progress bar", () => {
  it("has no rate at the start", () => {
    const meter = new Meter(1000);
    assert.deepEqual([meter.bytesPerSecond, meter.msLeft(100)], [0, undefined]);
    meter.add(1000, 50);
    assert.deepEqual([meter.bytesPerSecond, meter.msLeft(100)], [0, undefined]);
  });

  it("gives the rate and the time left", () => {
    const meter = new Meter(0);
    for (let ms = 10; ms <= 2000; ms += 10) meter.add(ms, ms * 5);
    assert.equal(meter.bytesPerSecond, 5000);
    assert.equal(meter.msLeft(20_000), 2000);
  });

  it("takes only the last seconds into account", () => {
    const meter = new Meter(0);
    for (let ms = 100; ms <= 10_000; ms += 100) meter.add(ms, ms * 10);
    for (let ms = 10_100; ms <= 20_000; ms += 100) {
      meter.add(ms, 100_000 + (ms - 10_000) * 2);
    }
    assert.equal(meter.bytesPerSecond, 2000);
  });
});
