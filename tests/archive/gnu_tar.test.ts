import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { Buffer } from "node:buffer";
import { readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { SnapshotArchiveError } from "@raft/snapshots/archive";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import {
  archiveOf,
  GNU_MAGIC,
  members,
  octal,
  pack,
  STATE,
  tar,
} from "./hand_made.ts";
import { check } from "./stores.ts";

const isGnu = spawnSync("tar", ["--version"]).stdout?.toString()
  .includes("GNU tar");
const skip = isGnu ? false : "there is not GNU tar here";

const NAMES = ["meta.json", "state.bin", "SHA256SUMS"];

/** Lets the real tar pack a good archive's members with these options. */
async function packed(...options: readonly string[]): Promise<Uint8Array> {
  const directory = await temporaryDirectory();
  for (const { name, content = "" } of Object.values(members())) {
    await writeFile(join(directory, name), content);
  }
  const { status, stderr } = spawnSync(
    "tar",
    [...options, "-czf", "x.snap", ...NAMES],
    { cwd: directory },
  );
  assert.equal(status, 0, String(stderr));
  return await readFile(join(directory, "x.snap"));
}

describe("an archive by GNU tar", () => {
  for (
    const options of [
      [],
      ["-b1"],
      // Records of 3,584 bytes.
      ["-b7"],
      ["-b20", "--format=ustar"],
      ["-b1", "--format=gnu"],
      ["-b1", "--format=ustar"],
      // The times are then where ustar has a prefix.
      ["-b1", "--format=gnu", "--listed-incremental=list"],
    ]
  ) {
    it(
      `is read when it was made with ${options.join(" ") || "no options"}`,
      { skip },
      async () => {
        const state = await check(await packed(...options));
        assert.equal(new TextDecoder().decode(state), STATE);
      },
    );
  }

  it(
    "is refused when its records are longer than usual, with the option that helps",
    {
      skip,
    },
    async () => {
      await assert.rejects(check(await packed("-b60")), {
        name: "SnapshotArchiveError",
        reason: "tar",
        message: /more zeros .* -b 20$/,
      });
    },
  );

  for (const blocks of [1, 2, 18, 19]) {
    it(`is read with ${blocks} blocks of zeros after its end`, async () => {
      const { meta, state, sums } = members();
      const zeros = Buffer.alloc(blocks * 512);
      const packed = Buffer.concat([tar(meta, state, sums), zeros]);
      assert.equal(new TextDecoder().decode(await check(pack(packed))), STATE);
    });
  }

  it("is refused when its state is a sparse file, with an error that says so", {
    skip,
  }, async () => {
    const directory = await temporaryDirectory();
    for (const { name, content = "" } of Object.values(members())) {
      await writeFile(join(directory, name), content);
    }
    await truncate(join(directory, "state.bin"), 1024 * 1024);
    const { status } = spawnSync(
      "tar",
      ["-b1", "-S", "-czf", "x.snap", ...NAMES],
      { cwd: directory },
    );
    assert.equal(status, 0);
    await assert.rejects(
      check(await readFile(join(directory, "x.snap"))),
      (error) =>
        error instanceof SnapshotArchiveError && error.reason === "tar" &&
        error.message.includes("sparse"),
    );
  });

  it("is read with a size in base 256", async () => {
    const { meta, state, sums } = members();
    const size = "\x80".padEnd(11, "\0") + String.fromCharCode(STATE.length);
    const file = archiveOf(meta, { ...state, size, magic: GNU_MAGIC }, sums);
    assert.equal(new TextDecoder().decode(await check(file)), STATE);
  });

  it("is read with times where ustar has a prefix", async () => {
    const { meta, state, sums } = members();
    const prefix = octal(1_700_000_000) + octal(1_700_000_001);
    const file = archiveOf(meta, { ...state, prefix, magic: GNU_MAGIC }, sums);
    assert.equal(new TextDecoder().decode(await check(file)), STATE);
  });
});
