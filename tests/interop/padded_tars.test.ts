/**
 * The bytes that may follow the end of a tar. raft-snapshot's own readers do not
 * agree; we accept those that its restore accepts, if they are GNU tar's padding.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { it } from "node:test";
import { SnapshotArchiveError } from "@raft/snapshots/archive";
import { memberBytes, members, pack, tar } from "../archive/hand_made.ts";
import { check } from "../archive/stores.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import { type Ask, describeWithGo } from "./go_program.ts";
import { moduleFolder } from "./go_binary.ts";

const { meta, state, sums } = members();
const TAR = tar(meta, state, sums);

/** Which readers accept an archive. */
interface Acceptance {
  readonly verify: boolean;
  readonly parse: boolean;
  readonly writeToTempFile: boolean;
  readonly ours: boolean;
}

async function acceptance(ask: Ask, packed: Uint8Array): Promise<Acceptance> {
  const archive = pack(packed);
  const path = join(await temporaryDirectory(), "x.snap");
  await writeFile(path, archive);
  const said = await ask("archive.accept", { path });
  return {
    verify: said.verify === "",
    parse: said.parse === "",
    writeToTempFile: said.writeToTempFile === "",
    ours: await isTaken(archive),
  };
}

async function isTaken(archive: Uint8Array): Promise<boolean> {
  try {
    await check(archive);
    return true;
  } catch (error) {
    assert.ok(error instanceof SnapshotArchiveError, String(error));
    return false;
  }
}

const ALL = { verify: true, parse: true, writeToTempFile: true, ours: true };
const NONE = {
  verify: false,
  parse: false,
  writeToTempFile: false,
  ours: false,
};

describeWithGo("a tar that is padded", (ask) => {
  it("is accepted as by Go's Parse and WriteToTempFile, though Go's Verify refuses it", async () => {
    for (let blocks = 0; blocks < 20; blocks++) {
      const packed = Buffer.concat([TAR, Buffer.alloc(blocks * 512)]);
      const expected = blocks === 0 ? ALL : { ...ALL, verify: false };
      assert.deepEqual(
        await acceptance(ask, packed),
        expected,
        `${blocks} blocks`,
      );
    }
  });

  for (
    const [what, rest] of [
      ["more zeros than a record of GNU tar has", Buffer.alloc(20 * 512)],
      ["zeros that are not whole blocks", Buffer.alloc(100)],
      ["bytes that are not zeros", Buffer.from("more")],
      ["another member", memberBytes(state)],
      ["another tar", TAR],
    ] as const
  ) {
    it(`is refused with ${what} after its end, as by Go's Verify, though Go's Parse accepts it`, async () => {
      const expected = { ...ALL, verify: false, ours: false };
      const packed = Buffer.concat([TAR, rest]);
      assert.deepEqual(await acceptance(ask, packed), expected);
    });
  }

  it("is accepted exactly when Go's restore accepts it, for raft-snapshot's own fixtures", async () => {
    const folder = await moduleFolder("github.com/hashicorp/raft-snapshot");
    const names = await readdir(join(folder, "testdata"));
    const taken: string[] = [];
    for (const name of names.filter((each) => each.endsWith(".tar"))) {
      const packed = await readFile(join(folder, "testdata", name));
      const { writeToTempFile, ours } = await acceptance(ask, packed);
      assert.equal(ours, writeToTempFile, name);
      if (ours) taken.push(name);
    }
    assert.deepEqual(taken, ["spaces-meta.tar"]);
  });

  it("is refused by every reader when it is empty", async () => {
    assert.deepEqual(await acceptance(ask, Buffer.alloc(10_240)), NONE);
  });
});
