/**
 * The Go program that answers questions with HashiCorp Raft's own code. See
 * `go/main.go`.
 *
 * @module
 */

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { after, before, describe, it } from "node:test";
import process from "node:process";
import { createInterface } from "node:readline";
import { buildGoProgram, type GoBinary } from "./go_binary.ts";
import type { Content, WireMeta, WireServer } from "./wire.ts";

/** Which store: `base` is the directory above `snapshots/`. */
interface Store {
  readonly base: string;
  readonly retain: number;
}

/** A snapshot to be made. */
interface Create extends Store {
  readonly index: string;
  readonly term: string;
  readonly servers: readonly WireServer[] | null;
  readonly configurationIndex: string;
  readonly content: Content;
}

interface Created {
  readonly id: string;
}

/** A member of a cluster, known by where it listens. */
interface Node {
  readonly address: string;
}

/** The requests to the Go program, and its answers. */
export interface Verbs {
  /** The versions of Go and of its raft. */
  "versions": [Record<never, never>, { go: string; raft: string }];
  /** The error of each reader of raft-snapshot; "" when it accepts the archive. */
  "archive.accept": [
    { path: string },
    { verify: string; parse: string; writeToTempFile: string },
  ];
  /** Writes the golden archives. */
  "archive.fixtures": [{ directory: string }, true];
  /** The tar headers of a member of each size, at each time in seconds. */
  "archive.headers": [
    { name: string; sizes: readonly string[]; modified: readonly string[] },
    string[],
  ];
  /** The metadata and the state that raft-snapshot reads in an archive. */
  "archive.read": [
    { path: string },
    { meta: WireMeta; length: number; sha256: string },
  ];
  /** Has a node take over the state in an archive. */
  "archive.restore": [Node & { path: string }, true];
  /** Has a node take a snapshot into an archive. */
  "archive.snapshot": [Node & { path: string }, true];
  /** Packs a snapshot of a store into an archive, as raft-snapshot does. */
  "archive.write": [
    Store & { id: string; path: string; level: number; sealed: boolean },
    true,
  ];
  /** Go's CRC of each content. */
  "crc64": [{ contents: readonly Content[] }, string[]];
  /** Writes the golden fixtures. */
  "fixtures": [{ directory: string }, true];
  /** The result of Go's decoder for each text. */
  "meta.decode": [
    { texts: readonly string[] },
    ({ meta: WireMeta; error?: never } | { meta?: never; error: string })[],
  ];
  /** Random metas as Go's encoder writes them. */
  "meta.encode": [
    { seed: number; count: number },
    { text: string; meta: WireMeta }[],
  ];
  /** The text that Go writes for the `meta.json` at the path. */
  "meta.reencode": [{ path: string }, string];
  /** The result of raft's `decodePeers` for each. */
  "peers.decode": [
    { peers: readonly string[] },
    { servers: WireServer[] | null; error?: string }[],
  ];
  /** The bytes that raft's `encodePeers` writes for each. */
  "peers.encode": [
    { configurations: readonly (readonly WireServer[])[] },
    string[],
  ];
  /** Leaves the files of a process that was killed while it took a snapshot. */
  "store.abandon": [Create, Created];
  /** Writes a snapshot, and cancels it. */
  "store.cancel": [Create, Created];
  /** Takes a snapshot. */
  "store.create": [Create, Created];
  /** Go's list; it never has the CRC. */
  "store.list": [Store, WireMeta[]];
  /** Reads a snapshot out. */
  "store.open": [
    Store & { id: string },
    { meta: WireMeta; length: number; sha256: string },
  ];
  /** Removes the snapshots beyond `retain`. */
  "store.reap": [Store, true];
  /** Takes snapshots one after the other, as a live server does. */
  "store.rounds": [
    Create & { rounds: number },
    { acknowledged: number; refused: number; broken: string[] },
  ];
  /** Opens ports for so many nodes; answers with their addresses. */
  "node.listen": [{ count: number }, string[]];
  /** Starts a node; it has restored its newest snapshot by then. */
  "node.start": [
    Node & Store & { id: string; term: string },
    { lastIndex: string; appliedIndex: string; restores: number },
  ];
  /** Waits until one of the nodes leads. */
  "node.leader": [{ addresses: readonly string[] }, string];
  /** Applies `key=value` commands; answers with the index of the last. */
  "node.apply": [Node & { commands: readonly string[] }, string];
  /** Waits until the node has applied that index. */
  "node.await": [Node & { index: string }, true];
  /** Has the node take a snapshot. */
  "node.snapshot": [Node, WireMeta];
  /** The state, a `key=value` line for each key, sorted. */
  "node.state": [Node, { state: string; restores: number }];
  /** Stops a node. */
  "node.stop": [Node, true];
}

/** Asks the Go program; rejects with an `Error` when Go reports an error. */
export type Ask = <Verb extends keyof Verbs>(
  verb: Verb,
  args: Verbs[Verb][0],
) => Promise<Verbs[Verb][1]>;

/** A running Go program. */
export interface GoProgram {
  readonly ask: Ask;
  /** Ends it; resolves when the process has ended. */
  end(): Promise<void>;
}

interface Answer {
  readonly value?: unknown;
  readonly error?: string;
}

/** Starts the Go program. The caller must end it. */
export function startGoProgram(path: string): GoProgram {
  const child = spawn(path, { stdio: ["pipe", "pipe", "inherit"] });
  const waiting: ((answer: Answer) => void)[] = [];
  createInterface({ input: child.stdout })
    .on("line", (line) => waiting.shift()?.(JSON.parse(line)));
  const ended = whenEnded(child);
  const endedAnswer = ended.then((how): Answer => ({ error: `it ${how}` }));
  child.stdin.on("error", () => {}); // It has ended, and `ended` tells how.

  const ask: Ask = async (verb, args) => {
    const answered = new Promise<Answer>((resolve) => waiting.push(resolve));
    child.stdin.write(JSON.stringify({ verb, args }) + "\n");
    const { value, error } = await Promise.race([answered, endedAnswer]);
    if (error !== undefined) throw new Error(`Go's ${verb}: ${error}`);
    return value as Verbs[typeof verb][1];
  };
  const end = async () => {
    child.stdin.end();
    assert.equal(await ended, "ended with code 0");
  };
  return { ask, end };
}

function whenEnded(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.on("error", (error) => resolve(`did not start: ${error}`));
    child.on("close", (code, signal) => {
      resolve(`ended with ${code === null ? signal : `code ${code}`}`);
    });
  });
}

const defaultBinary = await buildGoProgram("v1");

/**
 * Declares tests that ask the Go program, which runs during them. Without Go
 * they are skipped with a warning; where `CI=true` they fail.
 */
export function describeWithGo(
  title: string,
  declare: (ask: Ask) => void,
  binary: GoBinary = defaultBinary,
): void {
  const { path, missing } = binary;
  describe(title, () => {
    if (path === undefined) declareMissing(missing);
    else declareWith(path, declare);
  });
}

function declareMissing(reason: string): void {
  const fails = process.env["CI"] === "true";
  if (!fails) console.warn(`Skipping the tests against Go. ${reason}`);
  it("needs Go", { skip: fails ? false : reason }, () => {
    throw new Error(reason);
  });
}

function declareWith(path: string, declare: (ask: Ask) => void): void {
  let program: GoProgram;
  before(() => program = startGoProgram(path));
  after(() => program.end());
  declare((verb, args) => program.ask(verb, args));
}
