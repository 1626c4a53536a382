import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readdir } from "node:fs/promises";
import { repository } from "../support/repository.ts";
import { readSource, type SourceFile, sourceFiles } from "./source_files.ts";

const FOLDERS = [
  ".ci",
  ".github",
  "docs",
  "examples",
  "scripts",
  "src",
  "tests",
];
const ENDINGS = /(\.(ts|cts|mjs|go|py|c|sh|md|json|yml|svg)|\/run)$/;

/** Recorded data, in which any words may stand. */
const isRecorded = (path: string) => path.startsWith("tests/fixtures/");

/** The words of a rule, in parts, so that this file does not break the rule. */
const phrase = (...parts: string[]) => parts.join("");

/**
 * Sources, without pages: these ask questions in headings and in the first row of
 * tables. A change to the sources of the kernel would need another build of it.
 */
const isCode = (path: string) =>
  /\.(ts|cts|mjs|go|py|sh)$/.test(path) && !path.endsWith(".as.ts");

interface Rule {
  readonly words: RegExp;
  readonly instead: string;
  /** The files that the rule is for. @default {all} */
  readonly isFor?: (path: string) => boolean;
}

/** Phrases that readers stumble over, and the plain form. */
const RULES: readonly Rule[] = [
  {
    words: new RegExp(
      `\\b(${phrase("(no|some|every)", "body")}|${phrase("who", "ever")})\\b`,
      "i",
    ),
    instead: "the actor: the caller, another process, the kernel",
  },
  {
    // "There is no file" is plain.
    words: new RegExp(phrase("(?<!\\bthere )\\bis ", "no (?!longer\\b)"), "i"),
    instead: "is not a, or has no",
  },
  {
    words: new RegExp(phrase("\\bwhat (is|are|was) ", "no(t an?|ne)?\\b"), "i"),
    instead: "the name of the thing",
  },
  {
    words: new RegExp(phrase("\\bwhat ", "(is|are|was|were|has|had)\\b"), "i"),
    instead: "the name of the thing",
    isFor: isCode,
  },
  {
    words: new RegExp(phrase("\\ball the ", "same\\b"), "i"),
    instead: "still",
  },
  { words: new RegExp(phrase("\\bfor ", "ever\\b"), "i"), instead: "forever" },
  { words: new RegExp(phrase("\\ba", "new\\b"), "i"), instead: "again" },
];

/** The text with each wrapped comment or paragraph in one line. */
function unwrapped(text: string): string {
  return text.replace(/\n[ \t]*(\*|\/\/|#|>)?[ \t]*(?=\S)/g, " ");
}

/** `path: ...words... (write this instead)` for each place. */
function findingsIn({ path, text }: SourceFile): string[] {
  const line = unwrapped(text);
  const rules = RULES.filter(({ isFor }) => isFor?.(path) ?? true);
  return rules.flatMap(({ words, instead }) =>
    [...line.matchAll(new RegExp(words, "gi"))].map(({ index, 0: found }) => {
      const around = line.slice(Math.max(0, index - 30), index + 40);
      return `${path}: ${found.trim()} in "${around}" (instead: ${instead})`;
    })
  );
}

async function allTexts(): Promise<SourceFile[]> {
  const names = (await readdir(repository)).filter((name) =>
    ENDINGS.test(name)
  );
  const atRoot = names.map(async (path) => ({
    path,
    text: await readSource(path),
  }));
  const inFolders = FOLDERS.map((folder) => sourceFiles(folder, ENDINGS));
  const files = [
    ...await Promise.all(atRoot),
    ...(await Promise.all(inFolders)).flat(),
  ];
  return files.filter(({ path }) => !isRecorded(path));
}

describe("the words of the repository", () => {
  it("are plain in sources, messages, tests, scripts and docs", async () => {
    const files = await allTexts();
    assert.deepEqual(files.flatMap(findingsIn), []);
  });

  it("are searched by a test that finds each phrase, wrapped lines too", () => {
    const broken = [
      phrase("No", "body reads it."),
      phrase("for who", "ever asks"),
      phrase(" * A link is\n * ", "no directory."),
      phrase("# Wh", "at is none?"),
      phrase(" * Reads wh", "at\n * was written."),
      phrase("// It works all\n  // the ", "same."),
      phrase("for ", "ever"),
      phrase("begins a", "new"),
    ];
    const found = broken.map((text) =>
      findingsIn({ path: text.startsWith("#") ? "x.md" : "x.ts", text }).length
    );
    assert.deepEqual(found, broken.map(() => 1));
  });

  it("may ask in the heading of a page", () => {
    const text = phrase("## Wh", "at is in it?");
    assert.deepEqual(findingsIn({ path: "x.md", text }), []);
  });

  it("may say that there is no file, or that one is no longer there", () => {
    const text = "There is no file. It is no longer there.";
    assert.deepEqual(findingsIn({ path: "x", text }), []);
  });
});
