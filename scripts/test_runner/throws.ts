/**
 * Checks that every public function documents its errors.
 *
 * @module
 */

import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { mustRun } from "../support/command.ts";
import { entries, root } from "../support/repository.ts";
import type { Result } from "./outcome.ts";

/**
 * Functions, classes and interfaces without a `@throws`, and why: `Name`, or
 * `Name.method`. One that has got a `@throws` must leave the list.
 */
const EXEMPT: Readonly<Record<string, string>> = {
  // Interfaces that users implement: their comments say, for the interface or
  // for each method, which errors an implementation gives.
  ...exempt("implemented by users", [
    ...["FileSystem", "FileHandle", "FileLock", "HeldDirectory", "Logger"],
    ...["ReadableBackend", "SnapshotBackend", "PendingSnapshot", "StateHandle"],
    ...["Damage"],
  ]),
  ...exempt("makes an error of its arguments", [
    ...["SnapshotError", "NoUsableSnapshotError", "SnapshotCorruptError"],
    ...["SnapshotPublishError", "SnapshotTooLargeError", "StoreLockedError"],
    ...["MaybePublishedError", "WriteAgainError", "SnapshotArchiveError"],
    ...["placeError"],
  ]),
  ...exempt("only looks at its arguments", [
    ...[
      "isSnapshotError",
      "systemCode",
      "printable",
      "SnapshotMeta.toJSON",
      "ArchiveMeta.toJSON",
    ],
    ...["Crc64.digest", "Crc64.reset"],
    ...["failAt", "failOn", "FaultyFileSystem", "MemoryFileSystem"],
    ...["snapshotStoreConformance", "fileSystemConformance"],
    ...["DiscardSnapshotStore", "toNodeListener"],
  ]),
  ...exempt("never rejects: a lease that stays ends by itself", [
    ...["ArchiveLease.release", "ArchiveLease.[Symbol.asyncDispose]"],
  ]),
  ...exempt("never rejects: a failed clean-up is logged", [
    ...["SnapshotSink.cancel", "SnapshotSink.[Symbol.asyncDispose]"],
  ]),
};

function exempt(
  reason: string,
  names: readonly string[],
): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, reason]));
}

interface Documented {
  readonly name: string;
  readonly kind?: string;
  readonly accessibility?: string;
  readonly jsDoc?: {
    readonly doc?: string;
    readonly tags?: readonly { readonly kind: string }[];
  };
}

interface Declaration extends Documented {
  readonly kind: string;
  readonly location: { readonly filename: string; readonly line: number };
  readonly def?: {
    readonly hasBody?: boolean;
    readonly constructors?: readonly Documented[];
    readonly methods?: readonly Documented[];
  };
}

/** The used part of the output of `deno doc --json`. */
interface Documentation {
  readonly nodes: Readonly<
    Record<string, {
      readonly symbols: readonly {
        readonly name: string;
        readonly declarations: readonly Declaration[];
      }[];
    }>
  >;
}

/** A public function, by its name in the list. */
interface PublicFunction {
  readonly owner: string;
  readonly name: string;
  readonly where: string;
  readonly isSilent: boolean;
}

/**
 * Whether a comment neither documents errors nor refers to a comment that does.
 */
function isSilent({ jsDoc }: Documented): boolean {
  const { doc = "", tags = [] } = jsDoc ?? {};
  return !tags.some(({ kind }) => kind === "throws") &&
    !doc.includes("See {@linkcode");
}

function* functionsOf(
  owner: string,
  declaration: Declaration,
): Generator<PublicFunction> {
  const { kind, def, location } = declaration;
  const path = relative(root, fileURLToPath(location.filename));
  const where = `${path}:${location.line}`;
  if (kind === "function") {
    yield { owner, name: owner, where, isSilent: isSilent(declaration) };
  }
  const { constructors = [], methods = [] } = def ?? {};
  for (const member of [...constructors, ...methods]) {
    if (member.accessibility === "private" || member.kind === "getter") {
      continue;
    }
    const name = `${owner}.${member.name}`;
    yield { owner, name, where, isSilent: isSilent(member) };
  }
}

/** The last declaration of an overloaded function is not for callers. */
function isPublic(
  { kind, def }: Declaration,
  index: number,
  { length }: readonly Declaration[],
): boolean {
  return !(kind === "function" && length > 1 && def?.hasBody && index > 0);
}

function publicFunctions({ nodes }: Documentation): PublicFunction[] {
  return Object.values(nodes).flatMap(({ symbols }) =>
    symbols.flatMap(({ name, declarations }) =>
      declarations.filter(isPublic).flatMap((each) => [
        ...functionsOf(name, each),
      ])
    )
  );
}

/**
 * The problems: functions without `@throws`, and exemptions that are not
 * needed.
 */
export function problemsOf(documentation: Documentation): string[] {
  const functions = publicFunctions(documentation);
  const used = new Set<string>();
  const silent = functions.filter((each) => each.isSilent).filter(
    ({ owner, name }) => {
      const key = [name, owner].find((each) => each in EXEMPT);
      if (key !== undefined) used.add(key);
      return key === undefined;
    },
  );
  return [
    ...new Set(
      silent.map(({ name, where }) => `${where}: ${name} has no @throws`),
    ),
    ...Object.keys(EXEMPT).filter((name) => !used.has(name))
      .map((name) => `${name} need not be exempt any more`),
  ];
}

/** The check: every public function has a `@throws`, or is on the list. */
export async function everyThrowIsDocumented(): Promise<Result> {
  const json = await mustRun(
    Deno.execPath(),
    ["doc", "--json", ...entries],
    { cwd: root },
  );
  const problems = problemsOf(JSON.parse(json));
  return { ok: problems.length === 0, output: problems.join("\n") };
}
