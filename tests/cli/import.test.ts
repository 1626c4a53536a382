import assert from "node:assert/strict";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { listed } from "../support/listed.ts";
import { archive, metaText, STATE } from "../archive/hand_made.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import { makeStore, raftSnapshots, snapshotNames } from "./raft_snapshots.ts";

/** An archive that Go wrote. */
function golden(name: string): string {
  const path = `../fixtures/archives/${name}.snap`;
  return fileURLToPath(new URL(path, import.meta.url));
}

describe("raft-snapshots import", () => {
  it("puts an archive's snapshot into a store, and prints its ID", async () => {
    const directory = await temporaryDirectory();
    const { code, stdout, stderr } = await raftSnapshots(
      ["import", directory, golden("consul")],
    );
    assert.deepEqual([code, stderr], [0, ""]);
    const [meta] = await listed(directory);
    assert.equal(stdout, `${meta?.id}\n`);
    assert.deepEqual([meta?.term, meta?.index, meta?.size], [3n, 10n, 13]);
    assert.deepEqual(meta?.configuration.servers, [
      { suffrage: "voter", id: "my id", address: "over here" },
    ]);
  });

  it("takes - for stdin, and prints JSON", async () => {
    const directory = await temporaryDirectory();
    const { code, stdout } = await raftSnapshots(
      ["import", directory, "-", "--json"],
      new Uint8Array(archive()),
    );
    assert.equal(code, 0);
    const { id, index, size } = JSON.parse(stdout);
    assert.deepEqual([index, size], ["10", STATE.length]);
    const path = join(directory, "snapshots", id, "state.bin");
    assert.equal(await readFile(path, "utf8"), STATE);
  });

  it("retains as many snapshots as --retain says", async () => {
    const directory = await temporaryDirectory();
    await makeStore(directory, ["a", "b", "c"]);
    const file = join(await temporaryDirectory(), "newer.snap");
    await writeFile(file, archive({ meta: metaText({ Index: 99 }) }));
    const { code } = await raftSnapshots(
      ["import", directory, file, "--retain", "2"],
    );
    assert.equal(code, 0);
    const indices = (await listed(directory)).map(({ index }) => index);
    assert.deepEqual(indices, [99n, 12n]);
  });

  it("warns that it can't check the seal of Vault", async () => {
    const directory = await temporaryDirectory();
    const { code, stderr } = await raftSnapshots(
      ["import", directory, golden("vault")],
    );
    assert.equal(code, 0);
    assert.match(
      stderr,
      /^raft-snapshots: cannot check SHA256SUMS\.sealed.*\n$/,
    );
  });

  it("leaves the store as it was when the archive is bad", async () => {
    const directory = await temporaryDirectory();
    const ids = await makeStore(directory, ["a"]);
    const good = archive();
    for (
      const [bad, says] of [
        [good.subarray(0, 1_000), /^raft-snapshots: .* truncated: .*\n$/],
        [
          archive({ sums: "\n" }),
          /^raft-snapshots: Cannot trust SHA256SUMS .*\n$/,
        ],
      ] as const
    ) {
      const { code, stdout, stderr } = await raftSnapshots(
        ["import", directory, "-"],
        new Uint8Array(bad),
      );
      assert.deepEqual([code, stdout], [1, ""]);
      assert.match(stderr, says);
      assert.deepEqual(await snapshotNames(directory), ids);
    }
  });

  it("removes the directories that it has made when the archive is bad", async () => {
    const folder = await temporaryDirectory();
    const { code } = await raftSnapshots(
      ["import", join(folder, "new", "store"), "-"],
      "no archive",
    );
    assert.equal(code, 1);
    assert.deepEqual(await readdir(folder), []);
  });

  it("makes no store when there is no such file", async () => {
    const directory = await temporaryDirectory();
    const { code, stderr } = await raftSnapshots(
      ["import", join(directory, "store"), join(directory, "none.snap")],
    );
    assert.equal(code, 1);
    assert.match(
      stderr,
      /Cannot read .*none\.snap: no such file or directory\n$/,
    );
    assert.deepEqual(await readdir(directory), []);
  });
});

describe("raft-snapshots inspect", () => {
  it("shows the metadata of an archive, and which checks it passed", async () => {
    const file = golden("vault");
    const { code, stdout, stderr } = await raftSnapshots(["inspect", file]);
    assert.deepEqual([code, stderr], [0, ""]);
    const lines = stdout.trimEnd().split("\n").map((line) =>
      line.split(/ {2,}/)
    );
    const shown = new Map(lines.map(([name, value]) => [name, value]));
    assert.equal(shown.get("Index"), "10");
    assert.equal(shown.get("Term"), "3");
    assert.equal(shown.get("Version"), "1");
    assert.equal(shown.get("Size"), "13 B");
    assert.match(shown.get("ID") ?? "", /^3-10-\d+$/);
    assert.match(
      shown.get("Taken") ?? "",
      /^\d{4}-.*Z \(.* ago\), .* local time$/,
    );
    assert.match(shown.get("CRC-64") ?? "", /^[0-9a-f]{16}$/);
    assert.equal(shown.get("Archive"), file);
    assert.match(
      shown.get("Archive size") ?? "",
      /^5\.0 KiB \(5,\d{3} bytes\)$/,
    );
    assert.match(shown.get("Checks") ?? "", /passed$/);
    assert.equal(shown.get("Not checked"), "SHA256SUMS.sealed");
    // A summary of the state follows the metadata.
    const [server, empty, state] = lines.slice(-3);
    assert.deepEqual(server, ["", "voter", "my id", "over here"]);
    assert.deepEqual([empty, state], [[""], [
      "State: of another program than Consul and Nomad",
    ]]);
  });

  it("distinguishes archives from directories by their content, not by name", async () => {
    const folder = await temporaryDirectory();
    const file = join(folder, "directory");
    await writeFile(file, archive());
    const directory = join(folder, "archive.snap");
    await makeStore(directory, ["in the store"]);
    const sizes = await Promise.all([file, directory].map(async (path) => {
      const { stdout } = await raftSnapshots(["inspect", path, "--json"]);
      return JSON.parse(stdout).size;
    }));
    assert.deepEqual(sizes, [STATE.length, "in the store".length]);
  });

  it("shows no control character that an archive has in its names", async () => {
    const meta = metaText({
      ID: "\x1b[2J",
      Configuration: {
        Servers: [{ Suffrage: 0, ID: "a\nb", Address: "\u202egnp.exe" }],
      },
    });
    const { code, stdout } = await raftSnapshots(
      ["inspect", "-"],
      new Uint8Array(archive({ meta })),
    );
    assert.equal(code, 0);
    assert.match(stdout, /^ID {2,}\\u001b\[2J$/m);
    assert.match(stdout, /^ {2}voter {2}a\\u000ab {2}\\u202egnp\.exe$/m);
  });

  it("names the fault of an archive, and exits with 1", async () => {
    const { code, stdout, stderr } = await raftSnapshots(
      ["inspect", "-"],
      "no archive",
    );
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(
      stderr,
      /text \("no archive"\).*expected a gzip file; the server .*\n$/,
    );
  });

  it("rejects an ID for an archive", async () => {
    const { code, stdout, stderr } = await raftSnapshots(
      ["inspect", golden("consul"), "3-10-5"],
    );
    assert.deepEqual([code, stdout], [2, ""]);
    assert.match(stderr, /^raft-snapshots: Cannot inspect 3-10-5: .*\n$/);
  });
});

describe("raft-snapshots verify", () => {
  it("reports which archives are good and which are bad", async () => {
    const folder = await temporaryDirectory();
    const bad = join(folder, "bad.snap");
    await writeFile(
      bad,
      archive({ state: "another state of the same" }).fill(0, 30),
    );
    const { code, stdout, stderr } = await raftSnapshots(
      ["verify", golden("consul"), bad, golden("vault")],
    );
    assert.equal(code, 1);
    const lines = stdout.trimEnd().split("\n");
    assert.match(lines[0] ?? "", /^ok {3}.*consul\.snap +13 B$/);
    assert.match(lines[1] ?? "", /^bad {2}.*bad\.snap$/);
    assert.match(lines[2] ?? "", /^ {5}Cannot trust the archive: /);
    assert.match(lines[3] ?? "", /^ok {3}.*vault\.snap +13 B$/);
    assert.match(stderr, /cannot check SHA256SUMS\.sealed in /);
    assert.match(stderr, /1 of 3 snapshots: bad\n$/);
  });

  it("prints JSON, with the member and the place", async () => {
    const { code, stdout } = await raftSnapshots(
      ["verify", "-", "--json"],
      new Uint8Array(archive({ sums: "\n" })),
    );
    assert.equal(code, 1);
    const { snapshots } = JSON.parse(stdout);
    const [{ id, ok, unchecked, errors: [error] }] = snapshots;
    assert.deepEqual([id, ok, unchecked], ["-", false, []]);
    assert.deepEqual(
      [error.reason, error.member, error.offset],
      ["digest", "SHA256SUMS", 2560],
    );
  });
});
