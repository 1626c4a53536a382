/**
 * The kernel's host: makes it, and hands it messages.
 *
 * @module
 */

import type { Update } from "../register.ts";
import { kernelWasm } from "./kernel_wasm.ts";
import { FAR_3, FAR_STEP, HEAD, RESULT, TAIL, TAIL_SIZE } from "./layout.ts";

/** The exports of kernel.as.ts. */
interface Exports {
  readonly memory: WebAssembly.Memory;
  fillTable(): void;
  update(head: number, tail: number, low: number, high: number): void;
}

/**
 * Makes an {@linkcode Update} that runs in WebAssembly, and takes 8 bytes to
 * MESSAGE_SIZE_MAX at once. Its 1.2 MB of memory hold nothing that is needed
 * between calls, so that one kernel serves any number of CRCs. `undefined` where
 * it can't be made: there is no WebAssembly, or one without SIMD, or a policy or
 * a lack of memory forbids it.
 */
export function makeKernel(
  webAssembly: typeof WebAssembly | undefined,
): Update | undefined {
  if (webAssembly === undefined) return undefined;
  try {
    const module = new webAssembly.Module(kernelWasm());
    const instance = new webAssembly.Instance(module);
    return bind(instance.exports as unknown as Exports);
  } catch {
    // The reason does not matter, because the table gives the same CRCs.
    return undefined;
  }
}

function bind({ memory, fillTable, update }: Exports): Update {
  fillTable();
  const space = new Uint8Array(memory.buffer);
  const view = new DataView(memory.buffer);
  return (register, bytes, start, end) => {
    const length = end - start;
    const head = length <= TAIL_SIZE
      ? 0
      : Math.floor((length - FAR_3) / FAR_STEP) * FAR_STEP;
    if (head > 0) space.set(part(bytes, start, start + head), HEAD);
    space.set(part(bytes, start + head, end), TAIL);
    update(head, length - head, register.low, register.high);
    register.low = view.getInt32(RESULT, true);
    register.high = view.getInt32(RESULT + 4, true);
  };
}

/** A view of a part; `subarray()` would run a subclass's code, and costs more. */
function part(bytes: Uint8Array, start: number, end: number): Uint8Array {
  if (start === 0 && end === bytes.length) return bytes;
  return new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start);
}
