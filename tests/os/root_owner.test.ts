/**
 * Whose the files are that root writes: the owner's of the directory. With real
 * users, so only where the tests run as root.
 */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import {
  chmod,
  chown,
  lstat,
  mkdir,
  readdir,
  rm,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { openFileSnapshotStore } from "@raft/snapshots";
import { importArchive } from "@raft/snapshots/archive";
import { archive } from "../archive/hand_made.ts";
import { byteStream } from "../archive/stores.ts";
import { INIT, Log, save } from "../support/store_fixture.ts";
import { runtime } from "../support/runtime.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";

const isRoot = process.platform === "linux" && process.getuid?.() === 0;
const asRoot = { skip: isRoot ? false : "needs root on Linux" } as const;
const withSetpriv = {
  skip: isRoot && existsSync("/usr/bin/setpriv")
    ? false
    : "needs root and setpriv on Linux",
} as const;
const onDeno = {
  skip: isRoot && runtime.name === "deno" ? false : "needs root on Deno",
} as const;

const SERVICE = 65_533;
const GROUP = 65_532;

const service = new URL("./service.ts", import.meta.url);
const cli = new URL("../../src/cli/main.ts", import.meta.url);

/** A directory of the service's, which it can get at. */
async function serviceDirectory(
  t: Parameters<typeof temporaryDirectory>[0],
): Promise<string> {
  const parent = await temporaryDirectory(t);
  await chmod(parent, 0o755);
  const base = join(parent, "service");
  await mkdir(base, { mode: 0o700 });
  await chown(base, SERVICE, GROUP);
  return base;
}

/** `uid:gid` of all that is below a directory, by path. */
async function owners(directory: string): Promise<[string, string][]> {
  const names = await readdir(directory, { recursive: true });
  return await Promise.all(
    names.sort().map(async (name) => {
      const { uid, gid } = await lstat(join(directory, name));
      return [name, `${uid}:${gid}`] as [string, string];
    }),
  );
}

async function assertAllBelongTo(
  directory: string,
  uid: number,
  gid: number,
  count: number,
): Promise<void> {
  const found = await owners(directory);
  assert.ok(found.length >= count, found.join("\n"));
  const expected = found.map(([name]) => [name, `${uid}:${gid}`]);
  assert.deepEqual(found, expected);
}

/** Runs the command line as root without one of root's privileges. */
function withoutChown(
  args: readonly string[],
): Promise<{ code: unknown; stderr: string }> {
  const before = runtime.name === "deno" ? ["run", "--quiet", "-A"] : [];
  const command = [process.execPath, ...before, fileURLToPath(cli), ...args];
  return new Promise((resolve) => {
    const child = execFile(
      "setpriv",
      ["--bounding-set=-chown", "--inh-caps=-chown", ...command],
      (error, _stdout, stderr) => resolve({ code: error?.code ?? 0, stderr }),
    );
    child.stdin?.end("a state");
  });
}

const logger = new Log();

describe("a store in which root writes", () => {
  it(
    "belongs to the owner of the directory in all its files",
    asRoot,
    async (t) => {
      const base = await serviceDirectory(t);
      const store = await openFileSnapshotStore(base, { logger });
      const older = await save(store, "older", { index: 1n });
      await save(store, "newer", { index: 2n });
      await rm(join(base, "snapshots", older, "blocks.crc64"));
      await store.seal(older);
      const sink = await store.create({ ...INIT, index: 3n });
      // The lock, two snapshots and one that is being written, and their files.
      await assertAllBelongTo(base, SERVICE, GROUP, 14);
      await sink.cancel();
      await store.close();
    },
  );

  it(
    "belongs to that owner in archive.origin, too",
    asRoot,
    async (t) => {
      const base = await serviceDirectory(t);
      const store = await openFileSnapshotStore(base, { logger });
      const { id } = await importArchive(store, byteStream(archive()));
      await store.close();
      const snapshot = join(base, "snapshots", id);
      assert.ok((await readdir(snapshot)).includes("archive.origin"));
      await assertAllBelongTo(snapshot, SERVICE, GROUP, 4);
    },
  );

  it("can be used by the service afterwards", asRoot, async (t) => {
    const base = await serviceDirectory(t);
    const store = await openFileSnapshotStore(base, { logger });
    await save(store, "from root", { index: 1n });
    await store.close();
    const { code, stdout, stderr } = await runtime.runScript(
      service,
      [base, String(SERVICE), String(GROUP)],
      { becomesUser: true },
    );
    assert.equal(code, 0, stderr);
    const { states, kept } = JSON.parse(stdout);
    assert.deepEqual(states, ["from root"]);
    assert.equal(kept.length, 1, "the service could not reap root's snapshot");
  });

  it(
    "gets directories of the same owner as the one that they are made in",
    asRoot,
    async (t) => {
      const base = await serviceDirectory(t);
      const inner = join(base, "made", "by root");
      const store = await openFileSnapshotStore(inner, { logger });
      await save(store, "state");
      await assertAllBelongTo(base, SERVICE, GROUP, 8);
      await store.close();
    },
  );

  it("belongs to root where the directory does", asRoot, async (t) => {
    const base = await temporaryDirectory(t);
    const store = await openFileSnapshotStore(join(base, "own"), { logger });
    await save(store, "state");
    await assertAllBelongTo(base, 0, 0, 7);
    await store.close();
  });

  it(
    "keeps the writer as its owner when that is not root",
    asRoot,
    async (t) => {
      const base = await serviceDirectory(t);
      await chmod(base, 0o770);
      const other = SERVICE - 2;
      const { code, stderr } = await runtime.runScript(
        service,
        [base, String(other), String(GROUP)],
        { becomesUser: true },
      );
      assert.equal(code, 0, stderr);
      await assertAllBelongTo(base, other, GROUP, 5);
    },
  );

  it(
    "is refused when root may not change the owner of files, and nothing is written",
    withSetpriv,
    async (t) => {
      const base = await serviceDirectory(t);
      const args = ["save", base, "--index", "1", "--term", "1"];
      const missing = await withoutChown(args);
      assert.equal(missing.code, 1, missing.stderr);
      assert.ok(missing.stderr.includes(`sudo -u '#${SERVICE}' `));
      assert.deepEqual(await readdir(base), []);

      const snapshots = join(base, "snapshots");
      await mkdir(snapshots);
      await chown(snapshots, SERVICE, GROUP);
      const present = await withoutChown(args);
      assert.equal(present.code, 1, present.stderr);
      assert.ok(present.stderr.includes(`sudo -u '#${SERVICE}' `));
      assert.deepEqual(await readdir(snapshots), []);
    },
  );

  it(
    "needs only Deno's permission to read and write the directory",
    onDeno,
    async (t) => {
      const base = await serviceDirectory(t);
      const parent = join(base, "..");
      const source = fileURLToPath(new URL("../..", import.meta.url));
      const { code, stderr } = await runtime.runScript(
        cli,
        ["save", base, "--index", "1", "--term", "1"],
        {
          input: "state",
          denoFlags: [
            `--allow-read=${parent},${source}`,
            `--allow-write=${parent}`,
            "--allow-env",
          ],
        },
      );
      assert.equal(code, 0, stderr);
      await assertAllBelongTo(base, SERVICE, GROUP, 5);
    },
  );

  it(
    "does not give its owner to an archive that root exports",
    asRoot,
    async (t) => {
      const store = await temporaryDirectory(t);
      const opened = await openFileSnapshotStore(store, { logger });
      const id = await save(opened, "state");
      await opened.close();
      const base = await serviceDirectory(t);
      await writeFile(join(base, "theirs"), "");
      const file = join(base, "backup.snap");
      const { code, stderr } = await runtime.runScript(
        cli,
        ["export", store, id, file],
      );
      assert.equal(code, 0, stderr);
      assert.equal((await lstat(file)).uid, 0);
    },
  );
});
