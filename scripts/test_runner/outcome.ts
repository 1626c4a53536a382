/**
 * The outcomes of the steps of a test run.
 *
 * @module
 */

/** The outcome of one test. */
export type TestStatus = "passed" | "failed" | "skipped";

/** One test that a runner ran. */
export interface TestCase {
  /** Its name after those of the groups that it is in, joined by ` > `. */
  readonly name: string;
  /** The outcome. */
  readonly status: TestStatus;
  /** Why it was skipped, where the runner passes that on. */
  readonly reason?: string;
}

/** The outcome of one step. */
export interface Outcome {
  /** The name of the step. */
  readonly name: string;
  /** Whether all is well. */
  readonly ok: boolean;
  /** How long it took. */
  readonly seconds: number;
  /** The output to show: all of it, or the summary when all is well. */
  readonly output: string;
  /** The tests that it ran; none when it is a check. */
  readonly tests?: readonly TestCase[];
}

/** The result of a step's work; the step adds the rest. */
export type Result = Pick<Outcome, "ok" | "output" | "tests">;

/** Runs a step. An error fails the step, not the run. */
export async function attempt(
  name: string,
  work: () => Promise<Result>,
): Promise<Outcome> {
  const start = performance.now();
  const seconds = () => (performance.now() - start) / 1000;
  try {
    const result = await work();
    return { name, seconds: seconds(), ...result };
  } catch (error) {
    const output = error instanceof Error ? error.message : String(error);
    return { name, ok: false, seconds: seconds(), output };
  }
}
