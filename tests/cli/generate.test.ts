/** Completion, man page and binary are made from the command line itself. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { runtime } from "../support/runtime.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import { makeStore, raftSnapshots } from "./raft_snapshots.ts";

async function output(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await raftSnapshots(args);
  assert.deepEqual([code, stderr], [0, ""]);
  return stdout;
}

/** Whether a program of this machine can be run. */
const has = (program: string) =>
  spawnSync(program, ["--version"]).error === undefined;

const needs = (program: string) => ({
  skip: has(program) ? false : `needs ${program}`,
});

/** The names of the commands, and of the options of each, from --help. */
async function readHelp(): Promise<Map<string, string[]>> {
  const [, list = ""] = (await output("--help")).split("Commands:\n");
  const names = [...list.split("\n\n")[0]?.matchAll(/^ {2}([a-z-]+) /gm) ?? []]
    .flatMap(([, name = ""]) => name === "help" ? [] : [name]);
  return new Map(
    await Promise.all(names.map(async (name) => {
      const help = await output(name, "--help");
      const options = [...help.matchAll(/^ {2}(?:-\w, )?(--[a-z0-9-]+)/gm)]
        .flatMap(([, option = ""]) => option === "--help" ? [] : [option]);
      return [name, options] as const;
    })),
  );
}

let help: Promise<Map<string, string[]>> | undefined;

/** Read once: it takes a process for each command. */
function commandsOfHelp(): Promise<Map<string, string[]>> {
  return help ??= readHelp();
}

describe("raft-snapshots completion", () => {
  it("knows every command and option of each shell's script", async () => {
    const commands = await commandsOfHelp();
    assert.ok(commands.size >= 16, `${commands.size} commands`);
    for (const shell of ["bash", "zsh", "fish"]) {
      const script = await output("completion", shell);
      for (const [name, options] of commands) {
        assert.ok(script.includes(name), `${shell} ${name}`);
        for (const option of options) {
          const text = shell === "fish" ? `-l ${option.slice(2)}` : option;
          assert.ok(script.includes(text), `${shell} ${name} ${option}`);
        }
      }
    }
    assert.equal((await raftSnapshots(["completion", "csh"])).code, 2);
  });

  it("completes in bash", needs("bash"), async (t) => {
    const folder = await temporaryDirectory(t);
    const script = join(folder, "completion.bash");
    await writeFile(script, await output("completion", "bash"));
    await mkdir(join(folder, "store"));
    const complete = (...words: string[]) => {
      const { stdout, stderr, status } = spawnSync("bash", [
        "-c",
        `
        source "$1"; shift
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
        _raft_snapshots
        printf '%s\\n' "\${COMPREPLY[@]}"
      `,
        "bash",
        script,
        "raft-snapshots",
        ...words,
      ], {
        cwd: folder,
        encoding: "utf8",
      });
      assert.deepEqual([status, stderr], [0, ""]);
      return stdout.trim().split("\n");
    };
    assert.deepEqual(complete("ver"), ["verify"]);
    assert.deepEqual(complete("doctor", "--pro"), ["--prometheus"]);
    assert.deepEqual(complete("prune", "store", "--keep-h"), ["--keep-hourly"]);
    assert.deepEqual(complete("list", "--order", ""), ["raft", "taken"]);
    assert.deepEqual(complete("--order", "ta"), ["taken"]);
    assert.deepEqual(complete("list", "st"), ["store"]);
    assert.deepEqual(complete("list", "--keep"), [""]);
  });

  for (const shell of ["zsh", "fish"]) {
    it(`is a script that ${shell} can read`, needs(shell), async (t) => {
      const script = join(await temporaryDirectory(t), "completion");
      await writeFile(script, await output("completion", shell));
      const { status, stderr } = spawnSync(shell, ["-n", script], {
        encoding: "utf8",
      });
      assert.deepEqual([status, stderr], [0, ""]);
    });
  }
});

describe("raft-snapshots man", () => {
  it("describes every command and option", async () => {
    const page = (await output("man")).replaceAll("\\-", "-");
    assert.match(page, /^\.TH RAFT-SNAPSHOTS 1 "" "raft-snapshots \d/);
    for (const [name, options] of await commandsOfHelp()) {
      assert.match(page, new RegExp(`^\\.SS ${name}\\b`, "m"));
      for (const option of options) {
        assert.ok(page.includes(`\\fB${option}\\fR`), `${name} ${option}`);
      }
    }
    assert.match(page, /^\.SH EXIT STATUS\n\.nf\n {2}0 +done/m);
  });

  it("is set by groff without a warning", needs("groff"), async () => {
    const { status, stdout, stderr } = spawnSync(
      "groff",
      ["-man", "-ww", "-Tutf8", "-P-cbou"],
      { input: await output("man"), encoding: "utf8" },
    );
    assert.deepEqual([status, stderr], [0, ""]);
    assert.match(stdout, /prune <DIR>/);
  });
});

describe("a binary of the command line", () => {
  const isBun = runtime.name === "bun";

  it(
    "runs where no runtime is on the PATH",
    { skip: isBun ? false : "needs Bun" },
    async (t) => {
      const folder = await temporaryDirectory(t);
      const binary = join(folder, "raft-snapshots");
      const main = new URL("../../src/cli/main.ts", import.meta.url);
      const [bun, entry = ""] = runtime.commandFor(main);
      const built = spawnSync(
        bun,
        ["build", "--compile", entry, "--outfile", binary],
        { cwd: folder, encoding: "utf8" },
      );
      assert.equal(built.status, 0, built.stderr);
      const env = { PATH: "" };
      const run = (args: readonly string[], input = "") => {
        const ran = spawnSync(binary, args, { env, input, encoding: "utf8" });
        assert.equal(ran.status, 0, ran.stderr);
        return ran.stdout;
      };
      assert.match(run(["--version"]), /^\d+\.\d+\.\d+\n$/);
      const store = join(folder, "store");
      const id = run(
        ["save", store, "--index", "9", "--term", "3"],
        "the state",
      ).trim();
      assert.match(run(["doctor", store]), new RegExp(`^ok +${id} `));
      assert.equal(run(["cat", store, "latest"]), "the state");
      // The tool reads the binary's snapshots, and the other way round.
      assert.match(await output("verify", store), new RegExp(`^ok +${id} `));
      const [other = ""] = await makeStore(join(folder, "other"), ["a"]);
      assert.match(run(["list", join(folder, "other")]), new RegExp(other));
    },
  );
});
