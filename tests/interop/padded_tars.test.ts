/**
 * What may follow the end of a tar: raft-snapshot's own readers do not agree.
 * We read what its restore reads, as far as it is padding of GNU tar's.
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
import { type Ask, judged } from "./go_program.ts";
import { moduleFolder } from "./go_binary.ts";

const { meta, state, sums } = members();
const TAR = tar(meta, state, sums);

/** Who takes an archive. */
interface Verdicts {
  readonly verify: boolean;
  readonly parse: boolean;
  readonly writeToTempFile: boolean;
  readonly ours: boolean;
}

async function verdicts(ask: Ask, packed: Uint8Array): Promise<Verdicts> {
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

judged("a tar that is padded", (ask) => {
  it("is read like Go's Parse and WriteToTempFile read it, which Go's Verify refuses", async () => {
    for (let blocks = 0; blocks < 20; blocks++) {
      const packed = Buffer.concat([TAR, Buffer.alloc(blocks * 512)]);
      const expected = blocks === 0 ? ALL : { ...ALL, verify: false };
      assert.deepEqual(
        await verdicts(ask, packed),
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
    it(`is refused with ${what} after its end, as by Go's Verify; Parse does not look there`, async () => {
      const expected = { ...ALL, verify: false, ours: false };
      const packed = Buffer.concat([TAR, rest]);
      assert.deepEqual(await verdicts(ask, packed), expected);
    });
  }

  it("is read, or refused, like raft-snapshot's own fixtures by Go's restore", async () => {
    const folder = await moduleFolder("github.com/hashicorp/raft-snapshot");
    const names = await readdir(join(folder, "testdata"));
    const taken: string[] = [];
    for (const name of names.filter((each) => each.endsWith(".tar"))) {
      const packed = await readFile(join(folder, "testdata", name));
      const { writeToTempFile, ours } = await verdicts(ask, packed);
      assert.equal(ours, writeToTempFile, name);
      if (ours) taken.push(name);
    }
    assert.deepEqual(taken, ["spaces-meta.tar"]);
  });

  it("is refused by all when it is empty", async () => {
    assert.deepEqual(await verdicts(ask, Buffer.alloc(10_240)), NONE);
  });
});
