import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Crc64, crc64 } from "@raft/snapshots/crc64";
import { updateByTable } from "../../src/crc64/table.ts";
import { bytes, freshSeed, random } from "../support/random.ts";
import { crcsOfPrefixes } from "./oracle.ts";

const MIB = 1024 * 1024;

/** The CRC by table alone, which takes every length in the same way. */
function crcByTable(data: Uint8Array): bigint {
  const register = { low: -1, high: -1 };
  updateByTable(register, data, 0, data.length);
  const hex = [register.high, register.low].map((half) =>
    (~half >>> 0).toString(16).padStart(8, "0")
  );
  return BigInt(`0x${hex.join("")}`);
}

function crcOfText(text: string): bigint {
  return crc64(new TextEncoder().encode(text));
}

describe("crc64()", () => {
  it("gives the published check values", () => {
    assert.equal(crcOfText("123456789"), 0x995dc9bbdf1939fan);
    assert.equal(crcOfText(""), 0n);
    assert.equal(crcOfText("first\nsecond\n"), 0x1629fd877cce3d6cn);
  });

  it("agrees with the definition for every length from 0 to 4,096", () => {
    const seed = freshSeed();
    const data = bytes(4_096, seed);
    crcsOfPrefixes(data).forEach((expected, length) => {
      const actual = crc64(data.subarray(0, length));
      assert.equal(actual, expected, `${length} bytes of seed ${seed}`);
    });
  });

  it("agrees with the table around every length where its method changes", () => {
    const seed = freshSeed();
    const data = bytes(2 * MIB + 300, seed);
    // The relations' spans, the rest for the table, whole blocks.
    const thresholds = [1_403, 1_435, 65_534, 65_600, 131_068, MIB, 2 * MIB];
    for (const threshold of thresholds) {
      const lengths = threshold < MIB ? 300 : 70;
      for (
        let length = threshold - 70;
        length < threshold + lengths;
        length++
      ) {
        const message = data.subarray(0, length);
        assert.equal(
          crc64(message),
          crcByTable(message),
          `${length} bytes of seed ${seed}`,
        );
      }
    }
  });

  it("agrees with the table for random lengths to 64 MiB", () => {
    const seed = freshSeed();
    const data = bytes(64 * MIB, seed);
    assert.equal(crc64(data), crcByTable(data), `seed ${seed}`);
    const { integer } = random(seed);
    for (let magnitude = 8; magnitude < 25; magnitude++) {
      const length = 2 ** magnitude + integer(2 ** magnitude);
      const start = integer(data.length - length);
      const message = data.subarray(start, start + length);
      assert.equal(
        crc64(message),
        crcByTable(message),
        `${length} bytes at ${start} of seed ${seed}`,
      );
    }
  });

  it("notices every single changed bit of a long message", () => {
    const seed = freshSeed();
    const data = bytes(200_000, seed);
    const before = crc64(data);
    const { integer } = random(seed);
    for (let n = 0; n < 500; n++) {
      const at = integer(data.length);
      const flipped = data.slice();
      flipped.set([(data[at] ?? 0) ^ (1 << integer(8))], at);
      assert.notEqual(crc64(flipped), before, `byte ${at} of seed ${seed}`);
    }
  });

  it("rejects values that are not Uint8Arrays", () => {
    for (const value of ["123456789", [1, 2], new ArrayBuffer(8), null]) {
      assert.throws(
        () => crc64(value as unknown as Uint8Array),
        { name: "TypeError", message: /expected a Uint8Array/ },
      );
    }
  });
});

describe("crc64() of a view", () => {
  const seed = freshSeed();
  const length = 100_003;
  const expected = crc64(bytes(length, seed));

  it("does not depend on its alignment", () => {
    const data = bytes(length, seed);
    for (let offset = 0; offset < 70; offset++) {
      const space = new Uint8Array(length + 140).fill(0xff);
      space.set(data, offset);
      const view = space.subarray(offset, offset + length);
      assert.equal(crc64(view), expected, `offset ${offset}, seed ${seed}`);
    }
  });

  it("may be on a shared buffer", () => {
    const view = new Uint8Array(new SharedArrayBuffer(length));
    view.set(bytes(length, seed));
    assert.equal(crc64(view), expected, `seed ${seed}`);
  });

  it("may be on a resizable buffer, and follow its length", () => {
    const maxByteLength = 2 * length;
    const buffer = new ArrayBuffer(maxByteLength, { maxByteLength });
    const view = new Uint8Array(buffer);
    view.set(bytes(length, seed));
    buffer.resize(length);
    assert.equal(crc64(view), expected, `seed ${seed}`);
    buffer.resize(0);
    assert.equal(crc64(view), 0n);
  });

  it("is that of no bytes once its buffer is detached", () => {
    const view = bytes(length, seed);
    structuredClone(view.buffer, { transfer: [view.buffer] });
    assert.equal(crc64(view), 0n);
  });

  it("runs no code of a subclass", () => {
    class Spy extends Uint8Array {
      static get [Symbol.species](): Uint8ArrayConstructor {
        throw new Error("asked for its species");
      }
      override subarray(): never {
        throw new Error("asked for a subarray");
      }
    }
    const spy = new Spy(3 * MIB);
    assert.equal(crc64(spy), crc64(new Uint8Array(3 * MIB)));
  });

  it("leaves the bytes as they are", () => {
    const data = bytes(length, seed);
    crc64(data);
    assert.deepEqual(data, bytes(length, seed), `seed ${seed}`);
  });
});

describe("Crc64", () => {
  it("does not depend on how the message is split in two", () => {
    const seed = freshSeed();
    const data = bytes(700, seed);
    const expected = crc64(data);
    for (let cut = 0; cut <= data.length; cut++) {
      const crc = new Crc64();
      crc.update(data.subarray(0, cut)).update(data.subarray(cut));
      assert.equal(crc.digest(), expected, `cut at ${cut}, seed ${seed}`);
    }
  });

  it("does not depend on how the message is split in many", () => {
    const seed = freshSeed();
    const { integer } = random(seed);
    const data = bytes(3 * MIB, seed);
    const expected = crc64(data);
    for (let round = 0; round < 20; round++) {
      const crc = new Crc64();
      const longest = 2 ** (6 + round % 16);
      for (let start = 0; start < data.length;) {
        const end = Math.min(start + integer(longest), data.length);
        crc.update(data.subarray(start, end));
        start = end;
      }
      assert.equal(crc.digest(), expected, `to ${longest}, seed ${seed}`);
    }
  });

  it("continues after digest()", () => {
    const data = bytes(300_000, 1);
    const crc = new Crc64().update(data.subarray(0, 100_000));
    assert.equal(crc.digest(), crc64(data.subarray(0, 100_000)));
    assert.equal(crc.digest(), crc64(data.subarray(0, 100_000)));
    assert.equal(crc.update(data.subarray(100_000)).digest(), crc64(data));
  });

  it("starts again after reset()", () => {
    const data = bytes(300_000, 1);
    const crc = new Crc64().update(data);
    crc.reset();
    assert.equal(crc.digest(), 0n);
    assert.equal(crc.update(data).digest(), crc64(data));
  });

  it("may run many times at once", () => {
    const seed = freshSeed();
    const { integer, pick } = random(seed);
    const runs = Array.from({ length: 20 }, (_, i) => ({
      data: bytes(integer(400_000), seed + i),
      crc: new Crc64(),
      done: 0,
    }));
    const unfinished = () =>
      runs.filter(({ data, done }) => done < data.length);
    for (let left = unfinished(); left.length > 0; left = unfinished()) {
      const run = pick(left);
      const end = Math.min(run.done + integer(100_000), run.data.length);
      run.crc.update(run.data.subarray(run.done, end));
      run.done = end;
    }
    for (const { data, crc } of runs) {
      assert.equal(crc.digest(), crc64(data), `seed ${seed}`);
    }
  });
});
