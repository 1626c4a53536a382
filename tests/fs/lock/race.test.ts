import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { LockHeldError } from "../../../src/fs/lock_held_error.ts";
import type { Operation } from "../../../src/fs/faulty/fault.ts";
import { FaultyFileSystem } from "../../../src/fs/faulty/file_system.ts";
import { MemoryFileSystem } from "../../../src/fs/memory/file_system.ts";
import type { LockTools } from "../../../src/fs/lock/chain.ts";
import { lockFile } from "../../../src/fs/lock/lock.ts";
import { systemError } from "../../../src/fs/system_error.ts";
import { freshSeed, type Random, random } from "../../support/random.ts";
import { lockRecord } from "./records.ts";

const PATH = "/d/.lock";
const TOKEN_OF_PENDING = /\.([0-9a-f-]{36})\.draft$/;

class Killed extends Error {}

/** The disk that all contend for, and who is known to be dead. */
class Arena {
  readonly memory = new MemoryFileSystem();
  readonly deadTokens = new Set<string>();
  /** Those who believe that they hold the lock; killed ones are not counted. */
  readonly holders = new Set<Contender>();

  /** Makes the files that dead holders have left. */
  constructor(staleTokens: readonly string[]) {
    this.memory.writeFile("/d/other", new Uint8Array());
    let path = PATH;
    for (const token of staleTokens) {
      const line = JSON.stringify(lockRecord({ token }));
      this.memory.writeFile(path, new TextEncoder().encode(line));
      this.deadTokens.add(token);
      path = `${PATH}.${token}`;
    }
  }

  readonly tools: LockTools = {
    hardLink: (from, to) => {
      const content = this.memory.readFile(from);
      if (this.memory.tree().includes(to)) {
        throw systemError("EEXIST", "link", to);
      }
      this.memory.writeFile(to, content);
      return Promise.resolve();
    },
    // A socket is a file here: who asks finds it, or finds it gone.
    listenAt: (path, like) => {
      assert.ok(path.startsWith(`${PATH}.`) && like.endsWith(".draft"));
      this.memory.writeFile(path, new Uint8Array());
      const close = async () => {
        if (!this.memory.tree().includes(path)) return;
        await this.memory.removeFile(path);
      };
      return Promise.resolve({ close });
    },
    livenessOf: ({ token, listens }, { socket }) =>
      Promise.resolve({
        dead: this.deadTokens.has(token) ||
          listens && !this.memory.tree().includes(socket),
      }),
  };
}

/** A process that wants the lock, and makes a step only when it is told to. */
class Contender {
  readonly #arena: Arena;
  readonly #tokens: string[] = [];
  #killed = false;
  #proceed: { resolve(): void; reject(error: unknown): void } | undefined;
  #onPause = () => {};
  outcome: "held" | "refused" | "killed" | undefined;

  constructor(arena: Arena) {
    this.#arena = arena;
  }

  get done(): boolean {
    return this.outcome !== undefined;
  }

  /** Runs up to its first step. */
  start(): Promise<void> {
    return this.#untilPause(() => void this.#run());
  }

  /** Makes one step. */
  step(): Promise<void> {
    return this.#untilPause(() => this.#proceed?.resolve());
  }

  /** Dies, and makes no step more. */
  kill(): Promise<void> {
    this.#killed = true;
    this.#arena.holders.delete(this);
    for (const token of this.#tokens) this.#arena.deadTokens.add(token);
    return this.#untilPause(() => this.#proceed?.reject(new Killed()));
  }

  #untilPause(action: () => void): Promise<void> {
    return new Promise((resolve) => {
      this.#onPause = resolve;
      action();
    });
  }

  async #run(): Promise<void> {
    this.outcome = await this.#contend();
    this.#onPause();
  }

  async #contend(): Promise<"held" | "refused" | "killed"> {
    const { tools, memory, holders } = this.#arena;
    const files = new FaultyFileSystem(memory, (operation) => {
      this.#noteToken(operation);
      return { wait: this.#pause() };
    });
    try {
      const lock = await lockFile(files, PATH, {
        tools: {
          ...tools,
          hardLink: async (from, to) => {
            await this.#pause();
            await tools.hardLink(from, to);
          },
          listenAt: async (path, like) => {
            await this.#pause();
            const socket = await tools.listenAt(path, like);
            return socket && {
              close: async () => {
                await this.#pause();
                await socket.close();
              },
            };
          },
        },
      });
      // Its own clean-up swallows errors, so a dead one may come to here.
      if (!this.#killed) holders.add(this);
      await this.#pause();
      await this.#pause();
      holders.delete(this);
      await lock.release();
      return "held";
    } catch (error) {
      if (this.#killed) return "killed";
      if (error instanceof LockHeldError) return "refused";
      throw error;
    }
  }

  #pause(): Promise<void> {
    if (this.#killed) return Promise.reject(new Killed());
    return new Promise((resolve, reject) => {
      this.#proceed = { resolve, reject };
      this.#onPause();
    });
  }

  #noteToken({ name, path }: Operation): void {
    const token = TOKEN_OF_PENDING.exec(path)?.[1];
    // Others' drafts are swept, but never opened.
    if (name === "open" && token !== undefined) this.#tokens.push(token);
  }
}

/** Lets contenders run in an order that chance decides; some may be killed. */
async function fight(
  chance: Random,
  arena: Arena,
  killProbability: number,
): Promise<Contender[]> {
  const all = Array.from({ length: 4 }, () => new Contender(arena));
  for (const contender of all) await contender.start();
  for (;;) {
    const running = all.filter(({ done }) => !done);
    if (running.length === 0) return all;
    const contender = chance.pick(running);
    if (chance.chance(killProbability)) await contender.kill();
    else await contender.step();
    assert.ok(arena.holders.size <= 1, "two hold the lock");
  }
}

async function playRound(
  seed: number,
  killProbability: number,
): Promise<Contender[]> {
  const chance = random(seed);
  const stale = Array.from(
    { length: chance.integer(3) },
    () => crypto.randomUUID(),
  );
  const arena = new Arena(stale);
  const all = await fight(chance, arena, killProbability);
  // Whatever those have left, the next one gets the lock, and clears up.
  const lock = await lockFile(arena.memory, PATH, { tools: arena.tools });
  const tree = arena.memory.tree().filter((path) => !path.endsWith(".sock"));
  assert.deepEqual(tree, ["/d/", PATH, "/d/other"].sort());
  await lock.release();
  assert.deepEqual(arena.memory.tree(), ["/d/", "/d/other"]);
  return all;
}

async function playRounds(
  killProbability: number,
  check: (outcomes: readonly Contender["outcome"][]) => void,
): Promise<void> {
  const first = freshSeed();
  for (let i = 0; i < 100; i++) {
    const seed = (first + i) >>> 0;
    try {
      const all = await playRound(seed, killProbability);
      check(all.map(({ outcome }) => outcome));
    } catch (error) {
      throw new Error(`Failed with SEED=${seed}`, { cause: error });
    }
  }
}

describe("lockFile(), called by several processes in any order of steps,", () => {
  it("gives the lock to one at a time, and to at least one", async () => {
    await playRounds(0, (outcomes) => {
      assert.ok(outcomes.includes("held"), String(outcomes));
    });
  });

  it("gives the lock to one at a time, and to another in the end when any of them dies at any step", async () => {
    const seen = new Set<Contender["outcome"]>();
    await playRounds(0.03, (outcomes) => {
      for (const outcome of outcomes) seen.add(outcome);
    });
    assert.deepEqual([...seen].sort(), ["held", "killed", "refused"]);
  });
});
