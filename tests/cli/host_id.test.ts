import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { archive } from "../archive/hand_made.ts";
import { lockRecord, writeRecord } from "../fs/lock/records.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import {
  endBySignal,
  makeStore,
  makeUnfinished,
  raftSnapshots,
  startRaftSnapshots,
} from "./raft_snapshots.ts";

const HOST_ID = ["--host-id", "volume-1"];

/** The record of a holder that was killed with a container of another name. */
const killed = () =>
  lockRecord({ host: "gone", hostId: "volume-1", boot: "another" });

const skip = process.platform === "linux"
  ? false
  : "needs a boot ID, which tells that the host was started again";

describe("raft-snapshots save, import, seal and clean", () => {
  it(
    "take over the lock of a dead program with the same --host-id",
    { skip },
    async (t) => {
      const directory = await temporaryDirectory(t);
      const [id = ""] = await makeStore(directory, ["a"]);
      await makeUnfinished(directory, "3-20-1.tmp", { isOurs: true });
      const path = join(directory, "snapshots", ".lock");
      const save = ["save", directory, "--index", "99", "--term", "3"];
      for (
        const [args, input] of [
          [["clean", directory, "--yes"], ""],
          [["seal", directory, id], ""],
          [save, "the state"],
          [["import", directory, "-"], new Uint8Array(archive())],
        ] as const
      ) {
        await writeRecord(path, killed());
        const refused = await raftSnapshots(args, input);
        assert.equal(refused.code, 1, args[0]);
        assert.match(
          refused.stderr,
          /Cannot lock .* on host gone .*give the same hostId \(--host-id\)/,
        );
        const other = await raftSnapshots([...args, "--host-id", "b"], input);
        assert.equal(other.code, 1, args[0]);
        const { code, stderr } = await raftSnapshots(
          [...args, ...HOST_ID],
          input,
        );
        assert.equal(code, 0, `${args[0]}: ${stderr}`);
      }
    },
  );

  it("write --host-id into the lock, so that the program can take it over", async (t) => {
    const directory = await temporaryDirectory(t);
    const args = ["save", directory, "--index", "99", "--term", "3"];
    const child = startRaftSnapshots([...args, ...HOST_ID]);
    const { stdin } = child;
    assert.ok(stdin);
    stdin.on("error", () => {}); // the signal ends its reader
    // More than a pipe holds: the tool has opened the store when it is taken.
    await new Promise((resolve) =>
      stdin.write(new Uint8Array(8 * 1024 * 1024), resolve)
    );
    const record = await readFile(
      join(directory, "snapshots", ".lock"),
      "utf8",
    );
    assert.equal(JSON.parse(record).hostId, "volume-1");
    await endBySignal(child, "SIGTERM");
  });
});
