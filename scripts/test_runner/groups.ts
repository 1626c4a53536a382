/**
 * Which tests run on which runtimes. An ordinary run has to end within twenty
 * minutes on two cores, so the command line runs on Deno and one Node, and the
 * tests that ask Go run on Deno; a full run has all of them on each runtime.
 *
 * @module
 */

/** Tests that run on the same runtimes. */
export interface TestGroup {
  /** Its name; empty for all that is in no other group. */
  readonly name: string;
  readonly files: readonly string[];
  /** Where an ordinary run leaves them out. */
  readonly leftOutOn: ReadonlySet<string>;
}

const SPECIAL = [
  {
    name: "command line",
    path: /^tests\/cli\//,
    leftOutOn: new Set(["node24", "bun"]),
  },
  {
    name: "examples",
    path: /^tests\/examples\//,
    leftOutOn: new Set(["node24"]),
  },
  {
    name: "with Go",
    path: /^tests\/interop\//,
    leftOutOn: new Set(["node20", "node24", "bun"]),
  },
];

/** The groups of these files, without the empty ones. */
export function groupsOf(files: readonly string[]): readonly TestGroup[] {
  const special = SPECIAL.map(({ name, path, leftOutOn }) => ({
    name,
    files: files.filter((file) => path.test(file)),
    leftOutOn,
  }));
  const taken = new Set(special.flatMap((group) => group.files));
  const rest = files.filter((file) => !taken.has(file));
  const groups = [{ name: "", files: rest, leftOutOn: new Set<string>() }];
  return [...groups, ...special].filter((group) => group.files.length > 0);
}
