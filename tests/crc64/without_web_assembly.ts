/**
 * Prints the CRC-64 of a million sevens, in a process that has no WebAssembly.
 *
 * @module
 */

Reflect.deleteProperty(globalThis, "WebAssembly");
const { crc64 } = await import("@raft/snapshots/crc64");
const crc = crc64(new Uint8Array(1_000_000).fill(7));
console.log(`${typeof globalThis.WebAssembly} ${crc}`);
