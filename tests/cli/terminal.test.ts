/** Output that only a terminal gets. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { formatRanges } from "../../src/cli/bad_ranges.ts";
import { describeBlocks } from "../../src/cli/block_map.ts";
import { formatAge, formatLocalTime } from "../../src/cli/format.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import { makeStore, raftSnapshots, runBy } from "./raft_snapshots.ts";

const MIB = 1024 * 1024;

/** Runs a program on a terminal of some columns, and prints its output there. */
const ON_TERMINAL = `
import fcntl, os, pty, struct, sys, termios
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[2], sys.argv[2:])
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, int(sys.argv[1]), 0, 0))
while True:
    try:
        seen = os.read(fd, 65536)
    except OSError:
        break
    if not seen:
        break
    sys.stdout.buffer.write(seen)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`;

/**
 * The same, but types lines until the progress is shown, and then Ctrl-C. The
 * width is its first argument.
 */
const INTERRUPTED = `
import os, pty, select, sys
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[2], sys.argv[2:])
seen, sent = b"", False
while True:
    ready, _, _ = select.select([fd], [], [], 0.3)
    try:
        part = os.read(fd, 65536) if ready else None
    except OSError:
        break
    if part == b"":
        break
    seen += part or b""
    if not sent and b"Writing" in seen:
        os.write(fd, b"\\x03")
        sent = True
    elif not sent and not ready:
        os.write(fd, b"line\\n")
sys.stdout.buffer.write(seen)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) % 256)
`;

const hasPty = process.platform !== "win32" &&
  spawnSync("python3", ["-c", "import pty"]).status === 0;
const needsPty = { skip: hasPty ? false : "needs python3, for a terminal" };

/** Runs the tool on a terminal; gives the lines that it shows. */
async function onTerminal(
  columns: number,
  args: readonly string[],
  program = ON_TERMINAL,
) {
  const { code, stdout } = await runBy(
    ["python3", "-c", program, String(columns)],
    args,
  );
  const text = new TextDecoder().decode(stdout);
  return { code, text, lines: text.trimEnd().split(/\r?\n/) };
}

describe("on a terminal, raft-snapshots", () => {
  it(
    "cat prints text, and refuses bytes that would control the terminal",
    needsPty,
    async (t) => {
      const directory = await temporaryDirectory(t);
      const [text = "", ...odd] = await makeStore(directory, [
        "häppy\r\n",
        "\x1b]0;evil\x07",
        "\u009b31m",
        "right\u202eleft",
        Uint8Array.of(0xff, 0xfe),
      ]);
      const printed = await onTerminal(80, ["cat", directory, text]);
      assert.deepEqual([printed.code, printed.lines[0]], [0, "häppy"]);
      for (const id of odd) {
        const refused = await onTerminal(80, ["cat", directory, id]);
        assert.equal(refused.code, 1);
        assert.match(
          refused.text,
          /^raft-snapshots: Cannot write a state that is not text/,
        );
      }
    },
  );

  it(
    "Ctrl-C leaves nothing on the line or on the disk",
    needsPty,
    async (t) => {
      const directory = join(await temporaryDirectory(t), "store");
      const save = ["save", directory, "--index", "9", "--term", "3"];
      const { code, text } = await onTerminal(80, save, INTERRUPTED);
      assert.equal(code, 130, text);
      assert.ok(text.includes("^C\r\x1b[K"), text);
      assert.match(text, /interrupted by SIGINT\s*$/);
      await assert.rejects(stat(directory), { code: "ENOENT" });
    },
  );

  it(
    "list leaves the local time out where it does not fit",
    needsPty,
    async (t) => {
      const directory = await temporaryDirectory(t);
      await makeStore(directory, ["a"]);
      const listed = await onTerminal(60, ["list", directory]);
      assert.doesNotMatch(listed.text, /LOCAL TIME/);
      const wide = await onTerminal(140, ["list", directory]);
      assert.match(wide.lines[0] ?? "", /TAKEN +AGE +LOCAL TIME$/);
    },
  );
});

describe("raft-snapshots --quiet", () => {
  it("leaves notes out, and keeps results and errors", async (t) => {
    const directory = await temporaryDirectory(t);
    await makeStore(directory, ["a", "b"]);
    const save = ["save", directory, "--index", "99", "--term", "3"];
    const loud = await raftSnapshots([...save, "--retain", "2"], "c");
    assert.match(loud.stderr, /Reaped snapshot/);
    const quiet = await raftSnapshots(
      ["--quiet", ...save, "--retain", "2"],
      "c",
    );
    assert.deepEqual([quiet.code, quiet.stderr], [0, ""]);
    assert.match(quiet.stdout, /^3-99-\d+\n$/);
    const missing = await raftSnapshots(["cat", directory, "1-2-3", "--quiet"]);
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /1-2-3/);
  });
});

describe("the text of bad bytes", () => {
  it("joins blocks side by side, and writes the unit once", () => {
    assert.equal(
      formatRanges([
        { start: 4 * MIB, end: 5 * MIB },
        { start: 300 * MIB, end: 500 * MIB },
        { start: 1023 * MIB, end: 1024 * MIB },
        { start: 0, end: 1.5 * MIB },
      ]),
      "4–5 MiB, 300–500 MiB, 1023 MiB–1 GiB, 0–1.5 MiB",
    );
  });

  it("names the first few of many", () => {
    const ranges = Array.from({ length: 20 }, (_, i) => ({
      start: 2 * i * MIB,
      end: (2 * i + 1) * MIB,
    }));
    assert.match(
      formatRanges(ranges),
      /^0–1 MiB, 2–3 MiB, .*14–15 MiB and 12 more$/,
    );
  });

  it("is beside a map that fits the terminal", () => {
    const report = {
      id: "3-10-1",
      ok: false,
      meta: undefined,
      sealed: true,
      blockSize: MIB,
      blockCount: 1000,
      badOffsets: [0, 999 * MIB],
      errors: [],
    };
    for (const columns of [40, 60, 69, 200]) {
      const [, ...rows] = describeBlocks(report, columns);
      const width = Math.min(64, columns - 5);
      assert.deepEqual(rows.map(({ length }) => length), Array(4).fill(width));
      assert.ok(rows[0]?.startsWith("X") && rows[3]?.endsWith("X"));
    }
  });
});

describe("times", () => {
  it("have an age in the largest whole unit", () => {
    const now = new Date(10 * 86_400_000);
    const ago = (seconds: number) =>
      formatAge(new Date(now.getTime() - seconds * 1000), now);
    assert.deepEqual(
      [0, 59, 60, 3599, 3600, 47 * 3600, 48 * 3600, -1].map(ago),
      [
        "0 s ago",
        "59 s ago",
        "1 min ago",
        "59 min ago",
        "1 h ago",
        "47 h ago",
        "2 d ago",
        "in the future",
      ],
    );
  });

  it("are shown in the local zone, with its offset", () => {
    const time = new Date(2026, 0, 31, 12, 30, 5);
    const text = formatLocalTime(time);
    assert.match(text, /^2026-01-31 12:30:05 [+-]\d\d:\d\d$/);
    assert.deepEqual(new Date(text.replace(" ", "T").replace(" ", "")), time);
  });
});
