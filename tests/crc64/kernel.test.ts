import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { crc64 } from "@raft/snapshots/crc64";
import { makeKernel } from "../../src/crc64/kernel/kernel.ts";
import {
  kernelWasm,
  sourceSha256,
} from "../../src/crc64/kernel/kernel_wasm.ts";
import {
  MEMORY_PAGES,
  MESSAGE_SIZE_MAX,
} from "../../src/crc64/kernel/layout.ts";
import type { Register } from "../../src/crc64/register.ts";
import { updateByTable } from "../../src/crc64/table.ts";
import { makeUpdate } from "../../src/crc64/update.ts";
import { readSource } from "../repository/source_files.ts";
import { bytes, freshSeed, random } from "../support/random.ts";
import { runtime } from "../support/runtime.ts";

/** The parts of WebAssembly that the test replaces. */
type Api = typeof WebAssembly;

/** A WebAssembly of which some part does not work. */
function broken(part: "Module" | "Instance", error: Error): Api {
  class Broken {
    constructor() {
      throw error;
    }
  }
  return { ...api(), [part]: Broken } as unknown as Api;
}

/** A WebAssembly that counts the modules that are made with it. */
function counting(): {
  readonly webAssembly: Api;
  readonly count: () => number;
} {
  let made = 0;
  class Counted extends WebAssembly.Module {
    constructor(wasm: BufferSource) {
      super(wasm);
      made++;
    }
  }
  const webAssembly = { ...api(), Module: Counted } as unknown as Api;
  return { webAssembly, count: () => made };
}

/** The parts of it, which are not enumerable. */
function api(): Pick<Api, "Module" | "Instance"> {
  return { Module: WebAssembly.Module, Instance: WebAssembly.Instance };
}

const reasons: Readonly<Record<string, Api | undefined>> = {
  "there is no WebAssembly": undefined,
  "there is no SIMD": broken("Module", new WebAssembly.CompileError("simd")),
  "a policy forbids it": broken("Module", new EvalError("unsafe-eval")),
  "there is no memory for it": broken("Instance", new RangeError("memory")),
};

describe("the kernel", () => {
  const kernel = makeKernel(WebAssembly);

  it("runs here", () => assert.notEqual(kernel, undefined));

  it("agrees with the table from any register, for any length", () => {
    const seed = freshSeed();
    const { integer } = random(seed);
    const data = bytes(2 * MESSAGE_SIZE_MAX, seed);
    const check = (start: number, length: number) => {
      const end = start + length;
      const actual: Register = { low: integer(2 ** 32) | 0, high: start | 0 };
      const expected = { ...actual };
      kernel?.(actual, data, start, end);
      updateByTable(expected, data, start, end);
      assert.deepEqual(actual, expected, `${start} to ${end}, seed ${seed}`);
    };
    for (let length = 8; length < 3_000; length++) check(integer(100), length);
    check(1, MESSAGE_SIZE_MAX);
    for (let n = 0; n < 200; n++) {
      check(integer(MESSAGE_SIZE_MAX), 8 + integer(MESSAGE_SIZE_MAX - 8));
    }
  });

  it("has a memory that can't grow, and imports nothing", () => {
    const module = new WebAssembly.Module(kernelWasm());
    assert.deepEqual(WebAssembly.Module.imports(module), []);
    const { memory } = new WebAssembly.Instance(module).exports;
    assert.ok(memory instanceof WebAssembly.Memory);
    assert.equal(memory.buffer.byteLength, MEMORY_PAGES * 65_536);
    assert.throws(() => memory.grow(1), RangeError);
  });

  it("was built from these sources", async () => {
    const hash = createHash("sha256");
    for (const name of ["kernel.as.ts", "layout.ts"]) {
      hash.update(await readSource(`src/crc64/kernel/${name}`));
    }
    assert.equal(sourceSha256, hash.digest("hex"));
  });
});

describe("an update", () => {
  const seed = freshSeed();
  const data = bytes(MESSAGE_SIZE_MAX + 100, seed);
  const expected: Register = { low: -1, high: -1 };
  updateByTable(expected, data, 0, data.length);

  it("makes the kernel when it is first needed, and once", () => {
    const { webAssembly, count } = counting();
    const update = makeUpdate(webAssembly);
    const register: Register = { low: -1, high: -1 };
    update(register, data.subarray(0, 0));
    update(register, data.subarray(0, 100));
    assert.equal(count(), 0);
    update(register, data.subarray(100, 100_000));
    update(register, data.subarray(100_000));
    assert.equal(count(), 1);
    assert.deepEqual(register, expected, `seed ${seed}`);
  });

  for (const [reason, webAssembly] of Object.entries(reasons)) {
    it(`uses the table where ${reason}`, () => {
      assert.equal(makeKernel(webAssembly), undefined);
      const register: Register = { low: -1, high: -1 };
      makeUpdate(webAssembly)(register, data);
      assert.deepEqual(register, expected, `seed ${seed}`);
    });
  }

  it("uses the table in a process without WebAssembly", async () => {
    const script = new URL("./without_web_assembly.ts", import.meta.url);
    const { code, stdout, stderr } = await runtime.runScript(script);
    assert.equal(code, 0, stderr);
    const crc = crc64(new Uint8Array(1_000_000).fill(7));
    assert.equal(stdout.trim(), `undefined ${crc}`);
  });
});
