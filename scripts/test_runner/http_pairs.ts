/**
 * Snapshots over HTTP between the runtimes: each as the server and each as the
 * follower, over a line whose faults a seed decides. Each install ends with the
 * same snapshot or with an error that has a name, and nothing is left open.
 *
 * @module
 */

import { join } from "node:path";
import { openFileSnapshotStore } from "../../mod.ts";
import { type Random, random } from "../../tests/support/random.ts";
import { root } from "../support/repository.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import { BadLine, CLEAN, type FaultKind, FAULTS } from "./bad_line.ts";
import { bunExecutable, nodeExecutable } from "./executables.ts";
import type { Result, TestCase } from "./outcome.ts";
import { Peer, type PeerCommand } from "./peer.ts";

const SCRIPT = "tests/runtimes/http_peer";

/** Bytes of a block, so that the states have many. */
const BLOCK = 16 * 1024;

/** Installs that run side by side: more only wait for the processor. */
const LANES = 6;

/** The time limit of a run of `count` installs: ten times the usual. */
const timeoutMs = (count: number) => 120_000 + 5_000 * count;

/** How many installs to make, and which. */
export interface HttpPairsOptions {
  /** The project that the package is installed in. */
  readonly consumer: string;
  readonly seed: number;
  readonly count: number;
}

/** A snapshot that is served. */
interface Original {
  readonly id: string;
  readonly path: string;
  /** Whether it has block checksums. */
  readonly isSealed: boolean;
}

interface Installed {
  readonly copy?: string;
  readonly code?: string;
  readonly message?: string;
  /** Bytes of the state that came. */
  readonly received: number;
}

interface Open {
  readonly files: readonly string[];
  readonly sockets: number;
  readonly timers: number;
}

interface Server {
  readonly peer: Peer;
  readonly port: number;
}

async function commands(consumer: string): Promise<PeerCommand[]> {
  const onPackage = async (name: string, executable: Promise<string>) => ({
    name,
    cwd: consumer,
    command: [await executable, join(consumer, `${SCRIPT}.js`)],
  });
  const deno = [Deno.execPath(), "run", "--quiet", "--allow-all"];
  return [
    { name: "Deno", cwd: root, command: [...deno, join(root, `${SCRIPT}.ts`)] },
    await onPackage("Node 20", nodeExecutable(20)),
    await onPackage("Node 24", nodeExecutable(24)),
    await onPackage("Bun", bunExecutable()),
  ];
}

/**
 * Makes the snapshots: one that is longer than sockets can hold, so that the
 * server is still sending it when the line breaks; small ones, an empty one;
 * and one as Go writes it.
 */
async function makeOriginals(
  directory: string,
  { bytes }: Random,
): Promise<Original[]> {
  const options = { retain: 9, blockSize: BLOCK };
  const store = await openFileSnapshotStore(directory, options);
  const originals: Original[] = [];
  for (const size of [12_000_003, 300_000, 700, 0, 500_000]) {
    const { id } = await store.save({
      index: originals.length + 1,
      term: 1,
      configuration: { servers: [] },
      configurationIndex: 1,
    }, bytes(size));
    const path = join(directory, "snapshots", id);
    const isSealed = size !== 500_000;
    if (!isSealed) await Deno.remove(join(path, "blocks.crc64"));
    originals.push({ id, path, isSealed });
  }
  await store.close();
  return originals;
}

/** One install, and its invariants. */
class Install {
  readonly name: string;
  readonly #client: Peer;
  readonly #original: Original;
  readonly #line: BadLine;

  constructor(
    number: number,
    { client, server, original, random }: {
      readonly client: Peer;
      readonly server: Server;
      readonly original: Original;
      readonly random: Random;
    },
  ) {
    // Half of the lines damage nothing that they pass on.
    const kinds: readonly FaultKind[] = number % 2 === 0 ? FAULTS : CLEAN;
    this.name = `from ${server.peer.name} to ${client.name}, number ${number}`;
    this.#client = client;
    this.#original = original;
    this.#line = new BadLine(server.port, random, kinds);
  }

  /** Whether the snapshot has block checksums: then damage can be mended. */
  get isSealed(): boolean {
    return this.#original.isSealed;
  }

  /** Why the snapshot has not come, when it has not. */
  failure: string | undefined = "it has not ended";

  /** The violation of an invariant at its end, if any. */
  async run(directory: string): Promise<string | undefined> {
    const port = await this.#line.listen();
    try {
      const installed = await this.#client.tell<Installed>({
        do: "install",
        url: `http://127.0.0.1:${port}`,
        id: this.#original.id,
        directory,
      });
      return await this.#fault(directory, installed);
    } finally {
      await this.#line.close();
      await Deno.remove(directory, { recursive: true });
    }
  }

  async #fault(
    directory: string,
    { copy, code, message, received }: Installed,
  ): Promise<string | undefined> {
    const names = [];
    for await (const { name } of Deno.readDir(join(directory, "snapshots"))) {
      names.push(name);
    }
    this.failure = message;
    if (copy === undefined) {
      if (names.length > 0) return `it has left ${names} after ${message}`;
      if (code === undefined) return `an error without a name: ${message}`;
      // Only damage may end in an error.
      return this.#isClean ? `it has not come: ${message}` : undefined;
    }
    const path = join(directory, "snapshots", copy, "state.bin");
    const [original, state] = await Promise.all([
      Deno.readFile(join(this.#original.path, "state.bin")),
      Deno.readFile(path),
    ]);
    if (!isSame(original, state)) return "it has installed another state";
    const { faults } = this.#line;
    const twice = received - original.length;
    if (this.#isClean && twice > faults.length * BLOCK) {
      return `it received ${twice} bytes twice after ${faults}`;
    }
    return undefined;
  }

  /** Whether all that the line has passed on was right. */
  get #isClean(): boolean {
    return this.#line.faults.every((fault) => CLEAN.includes(fault));
  }
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/**
 * Looks for a while, until nothing is open but `sockets`, because closing takes
 * time.
 */
async function leakOf(
  peer: Peer,
  { directory, sockets }: {
    readonly directory: string;
    readonly sockets: number;
  },
): Promise<string | undefined> {
  let open: Open | undefined;
  for (let i = 0; i < 200; i++) {
    open = await peer.tell<Open>({ do: "look", directory });
    const isClean = open.files.length === 0 && open.timers === 0 &&
      open.sockets <= sockets;
    if (isClean) return undefined;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return `${peer.name} has left open ${JSON.stringify(open)}, ` +
    `with ${sockets} sockets before`;
}

class Pairs {
  readonly #options: HttpPairsOptions;
  readonly #clients: readonly Peer[];
  readonly #serving: readonly Peer[];
  readonly #directory: string;

  constructor(
    options: HttpPairsOptions,
    { kinds, directory }: {
      readonly kinds: readonly PeerCommand[];
      readonly directory: string;
    },
  ) {
    this.#options = options;
    this.#clients = kinds.map((kind) => new Peer(kind));
    this.#serving = kinds.map((kind) => new Peer(kind));
    this.#directory = directory;
  }

  /** The installs that ended with an error, which may be right. */
  failures: readonly string[] = [];

  get #all(): readonly Peer[] {
    return [...this.#clients, ...this.#serving];
  }

  async kill(): Promise<void> {
    await Promise.all(this.#all.map((peer) => peer.kill()));
  }

  async run(): Promise<(TestCase & { readonly fault?: string | undefined })[]> {
    const { seed } = this.#options;
    const directory = join(this.#directory, "originals");
    const originals = await makeOriginals(directory, random(seed));
    const servers = await Promise.all(this.#serving.map(async (peer) => {
      const { port } = await peer.tell<Server>({ do: "serve", directory });
      return { peer, port };
    }));
    const look = (peer: Peer) =>
      peer.tell<Open>({ do: "look", directory: this.#directory });
    const before = await Promise.all(this.#all.map(look));
    const installs = this.#installs(servers, originals);
    const cases = await this.#runAll(installs);
    const failed = installs.filter(({ failure }) => failure !== undefined);
    this.failures = failed.map(({ name, failure }) => `${name}: ${failure}`);
    const mendable = failed.filter(({ isSealed }) => isSealed);
    const leaks = await Promise.all(this.#all.map((peer, i) =>
      leakOf(peer, {
        directory: this.#directory,
        sockets: before[i]?.sockets ?? 0,
      })
    ));
    const ends = await Promise.all(this.#all.map((peer) => peer.end()));
    return [
      ...cases,
      testCase(
        "all but a few snapshots with block checksums come",
        mendable.length * 20 < installs.length
          ? undefined
          : `${mendable.length} of ${installs.length} did not`,
      ),
      ...this.#all.map(({ name }, i) => {
        const role = i < this.#clients.length ? "follower" : "server";
        const left = leaks[i] ?? (ends[i] ? undefined : "it did not end well");
        return testCase(`${name} as the ${role} has nothing left open`, left);
      }),
    ];
  }

  /** Each pair in its turn, with each original. */
  #installs(servers: readonly Server[], originals: readonly Original[]) {
    const { count, seed } = this.#options;
    const pairs = servers.flatMap((server) =>
      this.#clients.map((client) => ({ server, client }))
    );
    return Array.from({ length: count }, (_, i) => {
      const pair = pairs[i % pairs.length];
      const turn = i + Math.floor(i / pairs.length);
      const original = originals[turn % originals.length];
      if (pair === undefined || original === undefined) throw new RangeError();
      return new Install(i, { ...pair, original, random: random(seed + i) });
    });
  }

  async #runAll(installs: readonly Install[]) {
    const cases: (TestCase & { readonly fault?: string | undefined })[] = [];
    let next = 0;
    const lane = async () => {
      while (next < installs.length) {
        const number = next++;
        const install = installs[number] as Install;
        const directory = join(this.#directory, `follower-${number}`);
        const fault = await install.run(directory);
        cases.push(testCase(install.name, fault));
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    return cases;
  }
}

function testCase(name: string, fault: string | undefined) {
  const status = fault === undefined ? "passed" : "failed";
  return { name: `snapshots over HTTP > ${name}`, status, fault } as const;
}

/** The step of the test run. A peer that hangs is killed, which fails it. */
export async function httpPairs(options: HttpPairsOptions): Promise<Result> {
  if (Deno.build.os !== "linux") {
    const reason = "needs /proc to see the open files";
    const name = "snapshots over HTTP";
    return {
      ok: true,
      output: "",
      tests: [{ name, status: "skipped", reason }],
    };
  }
  await using folder = await temporaryFolder();
  const directory = await Deno.realPath(folder.path);
  const kinds = await commands(options.consumer);
  const pairs = new Pairs(options, { kinds, directory });
  const timer = setTimeout(() => pairs.kill(), timeoutMs(options.count));
  try {
    const tests = await pairs.run();
    const faults = tests.filter(({ fault }) => fault !== undefined);
    const lines = faults.map(({ name, fault }) => `${name}: ${fault}`);
    const output = [`SEED=${options.seed}`, ...lines, ...pairs.failures]
      .join("\n");
    return { ok: faults.length === 0, output, tests };
  } finally {
    clearTimeout(timer);
    await pairs.kill();
  }
}
