/**
 * CRC-64/XZ, as Go's `hash/crc64` computes it with its ECMA table: of bytes, of
 * streams, and combined from the CRCs of parts.
 *
 * @module
 */

export { Crc64CheckStream } from "./check_stream.ts";
export type { Crc64CheckStreamOptions } from "./check_stream.ts";
export { combineCrc64 } from "./combine.ts";
export { Crc64, crc64 } from "./crc64.ts";
