import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { repository } from "../support/repository.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import { makeStore, raftSnapshots } from "./raft_snapshots.ts";

const USAGE_ERRORS: Readonly<Record<string, readonly string[]>> = {
  "an unknown command": ["burn", "DIR"],
  "an unknown option": ["list", "DIR", "--fast"],
  "a missing argument": ["list"],
  "an argument too many": ["list", "DIR", "more"],
  "a missing option": ["save", "DIR", "--index", "1"],
  "an option without its value": ["save", "DIR", "--term", "1", "--index"],
  "an invalid number": ["save", "DIR", "--index", "ten", "--term", "1"],
  "a negative number": ["save", "DIR", "--index=-1", "--term", "1"],
  "a number beyond uint64": [
    ...["save", "DIR", "--term", "1", "--index", "18446744073709551616"],
  ],
  "a retention of 0": [
    ...["save", "DIR", "--index", "1", "--term", "1", "--retain", "0"],
  ],
  "a size that is not a number": [
    ...["save", "DIR", "--index", "1", "--term", "1", "--size", "1k"],
  ],
  "a CRC-64 that is not 16 digits": [
    ...["save", "DIR", "--index", "1", "--term", "1", "--crc64", "12"],
  ],
  "a server without an address": [
    ...["save", "DIR", "--index", "1", "--term", "1", "--server", "a"],
  ],
  "a server that is there twice": [
    ...["save", "DIR", "--index", "1", "--term", "1"],
    ...["--server", "a=b:1", "--server", "a=c:1"],
  ],
  "an address that is there twice": [
    ...["save", "DIR", "--index", "1", "--term", "1"],
    ...["--server", "a=b:1", "--server", "c=b:1"],
  ],
  "an identity of the host that is empty": ["clean", "DIR", "--host-id", ""],
  "a duration without a unit": ["clean", "DIR", "--older-than", "60"],
  "a prune without a policy": ["prune", "DIR", "--dry-run"],
  "a count of 0": ["prune", "DIR", "--keep-last", "0"],
  "a period without a unit": ["prune", "DIR", "--keep-within", "7"],
  "a period that names days twice": ["prune", "DIR", "--keep-within", "1d2d"],
  "a period of no length": ["prune", "DIR", "--keep-within", "0d"],
  "an invalid ID, for delete": ["delete", "DIR", "1-2"],
  "an invalid ID, for cat": ["cat", "DIR", "../outside"],
  "an invalid ID, for inspect": ["inspect", "DIR", "1-2"],
  "an invalid ID, for verify": ["verify", "DIR", "1-02-3"],
};

/** An unset variable in a script. */
const EMPTY_PATHS: Readonly<Record<string, readonly string[]>> = {
  "list's DIR": ["list", ""],
  "cat's DIR": ["cat", ""],
  "verify's DIR": ["verify", ""],
  "inspect's DIR": ["inspect", ""],
  "seal's DIR": ["seal", "", "1-2-3"],
  "doctor's DIR": ["doctor", ""],
  "doctor's FILE": ["doctor", "DIR", "--prometheus", ""],
  "unlock's DIR": ["unlock", "", "--yes"],
  "prune's DIR": ["prune", "", "--keep-last", "1"],
  "delete's DIR": ["delete", "", "1-2-3"],
  "clean's DIR": ["clean", "", "--yes"],
  "export's DIR": ["export", "", "1-2-3", "file"],
  "export's FILE": ["export", "DIR", "ID", ""],
  "import's DIR": ["import", "", "-"],
  "import's FILE": ["import", "DIR", ""],
  "save's DIR": ["save", "", "--index", "1", "--term", "1"],
  "save's FILE": ["save", "DIR", "", "--index", "1", "--term", "1"],
  "the second archive of verify": ["verify", "-", ""],
};

const COMMANDS = [
  ...[
    "save",
    "list",
    "cat",
    "verify",
    "inspect",
    "seal",
    "export",
    "import",
    "copy",
    "serve",
  ],
  ...["prune", "delete", "clean", "doctor", "unlock", "completion", "man"],
];

describe("raft-snapshots", () => {
  it("exits with 2 and says why on one line for a wrong command line", async (t) => {
    const directory = await temporaryDirectory(t);
    await makeStore(directory, ["a"]);
    const before = await readdir(join(directory, "snapshots"));
    const runs = Object.entries(USAGE_ERRORS).map(async ([what, args]) => {
      const real = args.map((arg) => arg === "DIR" ? directory : arg);
      const { code, stdout, stderr } = await raftSnapshots(real);
      assert.deepEqual([code, stdout], [2, ""], what);
      assert.match(stderr, /^raft-snapshots: \S.*\n$/, what);
    });
    await Promise.all(runs);
    assert.deepEqual(await readdir(join(directory, "snapshots")), before);
  });

  it("rejects an empty path, and does not use the working directory", async (t) => {
    const directory = await temporaryDirectory(t);
    const [id = ""] = await makeStore(directory, ["a"]);
    const before = await readdir(join(directory, "snapshots"));
    const runs = Object.entries(EMPTY_PATHS).map(async ([what, args]) => {
      const real = args.map((arg) =>
        arg === "DIR" ? directory : arg === "ID" ? id : arg
      );
      const { code, stdout, stderr } = await raftSnapshots(real, "x", {
        cwd: directory,
      });
      assert.deepEqual([code, stdout], [2, ""], what);
      assert.match(
        stderr,
        /^raft-snapshots: .*Expected a path that is not empty\..*\n$/,
        what,
      );
    });
    await Promise.all(runs);
    assert.deepEqual(await readdir(join(directory, "snapshots")), before);
  });

  it("documents its exit codes, and prints help on request to stdout", async () => {
    const { code, stdout, stderr } = await raftSnapshots(["--help"]);
    assert.deepEqual([code, stderr], [0, ""]);
    assert.match(
      stdout,
      /save, import, copy, seal, prune, delete, clean and unlock change\nDIR/,
    );
    assert.match(stdout, /Exit codes:\n +0 .*\n +1 .*\n +2 /);
    for (const command of COMMANDS) {
      assert.match(stdout, new RegExp(`^ +${command} `, "m"));
    }
  });

  it("shows durations in its help as users write them", async () => {
    const { stdout } = await raftSnapshots(["backup", "--help"]);
    assert.match(stdout, /may send nothing \(default:\s+5m\)/);
  });

  it("prints help on stderr and exits with 2 without a command", async () => {
    const { code, stdout, stderr } = await raftSnapshots([]);
    assert.deepEqual([code, stdout], [2, ""]);
    assert.match(stderr, /^Usage: raft-snapshots /);
  });

  it("prints the package's version", async () => {
    const config = await readFile(new URL("deno.json", repository), "utf8");
    const { version } = JSON.parse(config);
    const { code, stdout } = await raftSnapshots(["--version"]);
    assert.deepEqual([code, stdout], [0, `${version}\n`]);
  });
});
