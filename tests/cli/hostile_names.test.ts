import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { Writable } from "node:stream";
import { describe, it } from "node:test";
import { openFileSnapshotStore, printable } from "@raft/snapshots";
import { startProgress } from "../../src/cli/progress.ts";
import { archive, archiveOf, metaText } from "../archive/hand_made.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import { raftSnapshots } from "./raft_snapshots.ts";

/** Steers terminals, forges log lines, turns text around, and hides. */
const EVIL = "\x1b]0;evil\x07\x9b2J\r\nforged \u202e\u2066\u2028\u2029" +
  "\u200b\ufeff\u{e0041}\x7f";
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;
const SERVERS = [{
  suffrage: "voter",
  id: EVIL,
  address: `${EVIL}:1`,
}] as const;

const skip = process.platform === "win32"
  ? "Windows has no such file names"
  : false;

function assertPlain(text: string, what: string): void {
  const lines = text.replaceAll("\n", "");
  assert.doesNotMatch(lines, UNSEEN, `${what}: ${JSON.stringify(text)}`);
}

/** A store with hostile names everywhere; one snapshot is good, one is bad. */
async function makeHostileStore(directory: string): Promise<string> {
  const logger = { debug() {}, info() {}, warn() {}, error() {} };
  const store = await openFileSnapshotStore(directory, { logger });
  const init = {
    index: 5n,
    term: 2n,
    configuration: { servers: SERVERS },
    configurationIndex: 1n,
  };
  const sink = await store.create(init);
  await new Blob(["the state"]).stream().pipeTo(sink);
  await store.close();
  const bad = join(directory, "snapshots", "1-1-1");
  for (const name of [EVIL, `${EVIL}.tmp`, "1-1-1"]) {
    await mkdir(join(directory, "snapshots", name));
  }
  await writeFile(join(bad, "meta.json"), `{"ID": "${EVIL}"`);
  await writeFile(join(directory, "snapshots", `file ${EVIL}`), "");
  return sink.id;
}

describe("names from outside the program", () => {
  it("reach neither stdout nor stderr raw", { skip }, async (t) => {
    const folder = await temporaryDirectory(t);
    const directory = join(folder, EVIL);
    const id = await makeHostileStore(directory);
    const file = (name: string) => join(folder, `${name} ${EVIL}`);
    const servers = SERVERS.map(() => ({
      Suffrage: 0,
      ID: EVIL,
      Address: EVIL,
    }));
    const meta = metaText({ ID: EVIL, Configuration: { Servers: servers } });
    await writeFile(file("good"), archive({ meta }));
    await writeFile(file("member"), archiveOf({ name: EVIL, content: "x" }));
    await writeFile(file("text"), EVIL);
    const at = ["--index", "9", "--term", "2"];
    const readers: string[][] = [
      ...[[], ["--json"]].flatMap((json) => [
        ["list", directory, ...json],
        ["inspect", directory, ...json],
        ["verify", directory, ...json],
        ...["good", "member", "text"].flatMap((name) => [
          ["inspect", file(name), ...json],
          ["verify", file(name), ...json],
        ]),
      ]),
      ["inspect", directory, "1-1-1"],
      ["export", directory, id, file("out")],
      ["export", directory, id, file("json"), "--json"],
      ["export", directory, EVIL, file("out")],
      ["export", directory, id, join(file("none"), "out")],
      ["export", directory, id, directory],
      ...["list", "cat", "verify", "inspect"].flatMap((name) => [
        [name, file("none")],
        [name, directory, EVIL],
      ]),
      [EVIL],
      ["help", EVIL],
      ["list", `--${EVIL}`],
    ];
    const writers: string[][] = [
      ["seal", directory, id],
      ["seal", directory, EVIL],
      ["save", directory, file("text"), ...at, "--json"],
      ["save", directory, file("none"), ...at],
      ["save", file("text"), file("text"), ...at],
      ["save", directory, "--index", EVIL, "--term", EVIL],
      ["save", directory, ...at, "--server", EVIL],
      ["import", directory, file("good"), "--json"],
      ["import", directory, file("member")],
      ["import", directory, file("none")],
    ];
    async function check(args: readonly string[]): Promise<void> {
      const { code, stdout, stderr } = await raftSnapshots(args, "x");
      const what = `${args.map(printable).join(" ")} (${code})`;
      assertPlain(stdout, what);
      assertPlain(stderr, what);
      assert.doesNotMatch(stderr, /^forged/m, what);
    }
    await Promise.all(readers.map(check));
    // These need the store for themselves.
    for (const args of writers) await check(args);
  });

  it("are printed unchanged with --json", async (t) => {
    const directory = await temporaryDirectory(t);
    const id = await makeHostileStore(directory);
    const { stdout } = await raftSnapshots([
      "inspect",
      directory,
      id,
      "--json",
    ]);
    assert.deepEqual(JSON.parse(stdout).configuration.servers, SERVERS);
  });

  it("do not reach the progress bar raw", () => {
    let drawn = "";
    let nowMs = 0;
    const stream = Object.assign(
      new Writable({
        decodeStrings: false,
        write(chunk, _encoding, done) {
          drawn += chunk;
          done();
        },
      }),
      { isTTY: true, columns: 200 },
    );
    const bar = startProgress(`Checking ${EVIL}`, {
      stream,
      clock: () => nowMs += 1000,
    });
    bar.update(10, 100);
    bar.stop();
    assert.ok(drawn.includes(printable(EVIL)), drawn);
    assert.ok(!drawn.includes("\x07") && !drawn.includes("\u202e"));
  });
});
