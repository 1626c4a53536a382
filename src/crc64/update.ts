/**
 * Chooses between the kernel and the table.
 *
 * @module
 */

import { makeKernel } from "./kernel/kernel.ts";
import { MESSAGE_SIZE_MAX } from "./kernel/layout.ts";
import type { Register, Update } from "./register.ts";
import { updateByTable } from "./table.ts";

/**
 * From this length on the kernel is faster, as measured, although the bytes
 * have to be copied to it first. The kernel accepts 8 bytes or more.
 */
const KERNEL_SIZE_MIN = 256;

/**
 * Makes the function that feeds bytes to registers. The kernel is made when it
 * is first needed; if that fails, the table is used for all lengths.
 */
export function makeUpdate(
  webAssembly: typeof WebAssembly | undefined,
): (register: Register, bytes: Uint8Array) => void {
  let large: Update | undefined;
  return (register, bytes) => {
    const length = bytes.length;
    for (let start = 0; start < length; start += MESSAGE_SIZE_MAX) {
      const end = Math.min(start + MESSAGE_SIZE_MAX, length);
      if (end - start < KERNEL_SIZE_MIN) {
        updateByTable(register, bytes, start, end);
      } else {
        large ??= makeKernel(webAssembly) ?? updateByTable;
        large(register, bytes, start, end);
      }
    }
  };
}

/** Feeds bytes to a register. */
export const update: (register: Register, bytes: Uint8Array) => void =
  makeUpdate(globalThis.WebAssembly);
