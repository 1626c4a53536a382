/**
 * The types of Node's streams and servers, in a file of their own: it is the only
 * one whose declarations need those of Node. A project that has none (a browser's) finds
 * `any` instead of an error, also with `skipLibCheck: false`.
 *
 * @module
 */

// @ts-ignore: see above
export type { Duplex, Readable, Writable } from "node:stream";
// @ts-ignore: see above
export type {
  Agent,
  AgentOptions,
  IncomingMessage,
  ServerResponse,
} from "node:http";
