/**
 * The CRC-64 of hash-wasm, measured as `workload.ts` measures ours.
 *
 * @module
 */

import process from "node:process";
import { createCRC64 } from "hash-wasm";

const MIB = 1024 * 1024;
const crc = await createCRC64();
const chunk = new Uint8Array(MIB).map((_, i) => (i * 31 + (i >> 8)) & 0xff);
const hash = (count: number) => {
  for (let i = 0; i < count; i++) crc.update(chunk);
};
hash(64);
const start = performance.now();
hash(Number(process.argv[2]) / MIB);
const seconds = (performance.now() - start) / 1000;
console.log(JSON.stringify({ seconds, peakBytes: 0 }));
