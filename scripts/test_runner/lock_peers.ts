/**
 * The runtimes that contend for one store's lock, each as a process that takes
 * orders.
 *
 * @module
 */

import { join } from "node:path";
import { root } from "../support/repository.ts";
import { bunExecutable, nodeExecutable } from "./executables.ts";
import { Peer, type PeerCommand } from "./peer.ts";

const SCRIPT = "tests/runtimes/lock_peer";

/** How a runtime is started, and where. */
export interface PeerKind extends PeerCommand {
  /** Whether it can listen on a socket, and ask one. */
  readonly hasSocket: boolean;
  /** Whether it has the kernel's lock, and sees it. */
  readonly hasKernelLock: boolean;
}

/** The outcome of an attempt to open a store. */
export interface Answer {
  readonly opened: boolean;
  readonly name?: string;
  readonly message?: string;
}

function denoKind(name: string, flags: readonly string[]): PeerKind {
  return {
    name,
    cwd: root,
    command: [
      Deno.execPath(),
      "run",
      "--quiet",
      ...flags,
      join(root, `${SCRIPT}.ts`),
    ],
    hasSocket: flags.includes("--allow-all"),
    hasKernelLock: true,
  };
}

/** All kinds: Deno on the sources, the others on the installed package. */
export async function peerKinds(
  consumer: string,
  stores: string,
): Promise<PeerKind[]> {
  const installed = async (name: string, executable: Promise<string>) => ({
    name,
    cwd: consumer,
    command: [await executable, join(consumer, `${SCRIPT}.js`)],
    hasSocket: true,
    hasKernelLock: false,
  });
  return [
    denoKind("Deno with --allow-all", ["--allow-all"]),
    denoKind("Deno with --allow-read and --allow-write", [
      "--no-prompt",
      `--allow-read=${stores}`,
      `--allow-write=${stores}`,
    ]),
    await installed("Node 20", nodeExecutable(20)),
    await installed("Node 24", nodeExecutable(24)),
    await installed("Bun", bunExecutable()),
  ];
}

/** A process of one kind. */
export class LockPeer extends Peer {
  readonly kind: PeerKind;

  constructor(kind: PeerKind) {
    super(kind);
    this.kind = kind;
  }

  /** Has it open the store there, and keep it or close it. */
  ask(order: "hold" | "try", directory: string): Promise<Answer> {
    return this.tell({ do: order, directory });
  }
}
