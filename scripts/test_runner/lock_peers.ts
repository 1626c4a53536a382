/**
 * The runtimes that contend for one store's lock, each as a process that does
 * what it is told.
 *
 * @module
 */

import { join } from "node:path";
import { TextLineStream } from "../support/text_line_stream.ts";
import { root } from "../support/repository.ts";
import { bunExecutable, nodeExecutable } from "./executables.ts";

const SCRIPT = "tests/runtimes/lock_peer";

/** How a runtime is started, and where. */
export interface PeerKind {
  readonly name: string;
  readonly cwd: string;
  readonly command: readonly string[];
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
    command: [Deno.execPath(), "run", "--quiet", ...flags, `${SCRIPT}.ts`],
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
    command: [await executable, `${SCRIPT}.js`],
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
export class Peer {
  readonly kind: PeerKind;
  readonly #process: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #lines: ReadableStreamDefaultReader<string>;

  constructor(kind: PeerKind) {
    const [program = "", ...args] = kind.command;
    this.kind = kind;
    this.#process = new Deno.Command(program, {
      args: args.map((arg) =>
        arg.startsWith(SCRIPT) ? join(kind.cwd, arg) : arg
      ),
      cwd: kind.cwd,
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#input = this.#process.stdin.getWriter();
    this.#lines = this.#process.stdout
      .pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream())
      .getReader();
  }

  /** Sends a command, and waits for its outcome. */
  async tell(order: "hold" | "try", directory: string): Promise<Answer> {
    const line = new TextEncoder().encode(`${order} ${directory}\n`);
    await this.#input.write(line);
    const { value, done } = await this.#lines.read();
    if (done) throw new Error(`${this.kind.name} ended without an answer`);
    return JSON.parse(value);
  }

  /** Stops it without ending it. */
  stop(): void {
    this.#process.kill("SIGSTOP");
  }

  /** Ends it as a crash would. Nothing happens when it has ended. */
  async kill(): Promise<void> {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.#process.status;
    await this.#input.abort().catch(() => {});
    await this.#lines.cancel().catch(() => {});
  }
}
