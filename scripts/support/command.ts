/**
 * Runs other programs and collects their output.
 *
 * @module
 */

/** How to run a program. */
export interface CommandOptions {
  /** Where to run it. @default {the current directory} */
  readonly cwd?: string;
  /** Variables beside those that are inherited. */
  readonly env?: Readonly<Record<string, string>>;
  /** When to end it, done or not; the default is ample for most. */
  readonly timeoutMinutes?: number;
}

/** The result of a program. */
export interface CommandResult {
  /** Whether its exit code was 0. */
  readonly ok: boolean;
  /** Its standard output. */
  readonly stdout: string;
  /** All that it printed, in the order it came. */
  readonly output: string;
}

/** No program here has any business running for longer, unless it says so. */
const TIMEOUT_MINUTES = 15;

/**
 * The variables by which `npx` and `npm run` tell a program about themselves: an
 * npm started further down would take it for its own settings.
 */
const npmsOwn =
  /^(npm_(lifecycle|package|command|execpath)|npm_config_(local_prefix|prefix|global_prefix|package|call|global|workspace)|INIT_CWD$|COLOR$)/i;

function inheritedEnvironment(): Record<string, string> {
  const inherited = Object.entries(Deno.env.toObject())
    .filter(([name]) => !npmsOwn.test(name));
  return { ...Object.fromEntries(inherited), NO_COLOR: "1" };
}

/** Reads a pipe to its end, and passes each piece on as it comes. */
async function collect(
  pipe: ReadableStream<Uint8Array<ArrayBuffer>>,
  onText: (text: string) => void,
  signal: AbortSignal,
): Promise<string> {
  let all = "";
  try {
    // A child that outlives the program keeps its pipes open: hence the signal.
    const texts = pipe.pipeThrough(new TextDecoderStream(), { signal });
    for await (const text of texts) {
      all += text;
      onText(text);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return all;
}

/** Runs a program to its end; a failure is in the result. */
export async function run(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const { timeoutMinutes = TIMEOUT_MINUTES } = options;
  const signal = AbortSignal.timeout(timeoutMinutes * 60_000);
  const child = new Deno.Command(program, {
    args: [...args],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    clearEnv: true,
    env: { ...inheritedEnvironment(), ...options.env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    signal,
  }).spawn();
  let output = "";
  const add = (text: string) => {
    output += text;
  };
  const [stdout, , status] = await Promise.all([
    collect(child.stdout, add, signal),
    collect(child.stderr, add, signal),
    child.status,
  ]);
  if (signal.aborted) output += `\nCut off after ${timeoutMinutes} minutes\n`;
  if (status.signal !== null) output += `\nEnded by ${status.signal}\n`;
  return { ok: status.success, stdout, output };
}

/**
 * Runs a program that must not fail.
 *
 * @returns Its standard output.
 * @throws {Error} when its exit code is not 0.
 */
export async function mustRun(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const { ok, stdout, output } = await run(program, args, options);
  if (ok) return stdout;
  throw new Error(
    `Cannot run ${[program, ...args].join(" ")}: it failed\n${output}`,
  );
}
