/**
 * The lock of a store between the runtimes: each as the holder, alive, stopped
 * and killed, and each as the asking process. No suite of one runtime can test
 * that, because only this program knows where all of them are.
 *
 * @module
 */

import { join } from "node:path";
import { temporaryFolder } from "../support/temporary_folder.ts";
import {
  type Answer,
  LockPeer,
  type PeerKind,
  peerKinds,
} from "./lock_peers.ts";
import type { Result, TestCase } from "./outcome.ts";

/** The state of the holder when the other process tries to lock. */
type HolderState = "alive" | "stopped" | "killed";

/** The time limit: ten times the usual time. */
const TIMEOUT_MS = 120_000;

/** Whether the asker can know that a killed holder is dead. */
function canProveDeath(holder: PeerKind, asker: PeerKind): boolean {
  return holder.hasSocket && asker.hasSocket ||
    holder.hasKernelLock && asker.hasKernelLock;
}

/** The mistake in an answer, if there is one. */
function faultOf(
  answer: Answer,
  { mayOpen, lockFile }: {
    readonly mayOpen: boolean;
    /** The file that the hint must name, if there must be a hint. */
    readonly lockFile: string | undefined;
  },
): string | undefined {
  const { opened, name, message = "" } = answer;
  if (opened !== mayOpen) {
    return opened ? "the holder was robbed" : `it was refused: ${message}`;
  }
  if (opened) return undefined;
  if (name !== "StoreLockedError") return `it failed: ${name}: ${message}`;
  if (lockFile === undefined || message.includes(`remove ${lockFile}`)) {
    return undefined;
  }
  return `the refusal has no hint: ${message}`;
}

/** One holder, with a store for each that asks. */
class Holder {
  readonly #peer: LockPeer;
  readonly #stores: string;

  constructor(peer: LockPeer, stores: string) {
    this.#peer = peer;
    this.#stores = stores;
  }

  #store(asker: PeerKind): string {
    const name = `${this.#peer.kind.name}-${asker.name}`;
    return join(this.#stores, name.replace(/[^\w-]/g, "_"));
  }

  async hold(askers: readonly LockPeer[]): Promise<void> {
    for (const { kind } of askers) {
      const answer = await this.#peer.ask("hold", this.#store(kind));
      if (!answer.opened) throw new Error(`${kind.name}: ${answer.message}`);
    }
  }

  async become(state: HolderState): Promise<void> {
    if (state === "stopped") this.#peer.stop();
    if (state === "killed") await this.#peer.kill();
  }

  /** Lets one ask. A live holder's record is not to be touched. */
  async ask(
    asker: LockPeer,
    state: HolderState,
  ): Promise<TestCase & { fault?: string }> {
    const store = this.#store(asker.kind);
    const lockFile = join(store, "snapshots", ".lock");
    const mayOpen = state === "killed" &&
      canProveDeath(this.#peer.kind, asker.kind);
    const before = await Deno.readTextFile(lockFile).catch(String);
    const fault = faultOf(await asker.ask("try", store), {
      mayOpen,
      lockFile: state === "killed" ? lockFile : undefined,
    }) ?? await this.#touched(lockFile, mayOpen ? undefined : before);
    const name = `the lock between runtimes > ${this.#peer.kind.name}, ` +
      `${state}, is ${
        mayOpen ? "followed" : "not robbed"
      } by ${asker.kind.name}`;
    return fault === undefined
      ? { name, status: "passed" }
      : { name, status: "failed", fault };
  }

  async #touched(
    lockFile: string,
    before: string | undefined,
  ): Promise<string | undefined> {
    if (before === undefined) return undefined;
    const now = await Deno.readTextFile(lockFile).catch(String);
    return now === before ? undefined : `the record was changed: ${now}`;
  }
}

type Case = Awaited<ReturnType<Holder["ask"]>>;

/** Runs all questions to one holder. */
async function askAll(
  holder: Holder,
  askers: readonly LockPeer[],
): Promise<Case[]> {
  const cases: Case[] = [];
  await holder.hold(askers);
  for (const state of ["alive", "stopped", "killed"] as const) {
    await holder.become(state);
    for (const asker of askers) cases.push(await holder.ask(asker, state));
  }
  return cases;
}

/**
 * Runs all pairs. A peer that hangs is killed, which fails the pairs that wait
 * for it.
 */
async function runPairs(kinds: readonly PeerKind[], stores: string) {
  const askers = kinds.map((kind) => new LockPeer(kind));
  const holders = kinds.map((kind) => new LockPeer(kind));
  const all = [...askers, ...holders];
  const killAll = () => Promise.all(all.map((peer) => peer.kill()));
  const timer = setTimeout(killAll, TIMEOUT_MS);
  try {
    const cases: Case[] = [];
    for (const holder of holders) {
      cases.push(...await askAll(new Holder(holder, stores), askers));
    }
    return cases;
  } finally {
    clearTimeout(timer);
    await killAll();
  }
}

/** The step of the test run. */
export async function lockPairs(consumer: string): Promise<Result> {
  if (Deno.build.os !== "linux") {
    const reason = "needs Linux's sockets";
    const name = "the lock between runtimes";
    return {
      ok: true,
      output: "",
      tests: [{ name, status: "skipped", reason }],
    };
  }
  await using folder = await temporaryFolder();
  const stores = await Deno.realPath(folder.path);
  const tests = await runPairs(await peerKinds(consumer, stores), stores);
  const faults = tests.filter(({ fault }) => fault !== undefined);
  const lines = faults.map(({ name, fault }) => `${name}: ${fault}`);
  return { ok: faults.length === 0, output: lines.join("\n"), tests };
}
