/**
 * A store that is shared by the users of a group. With real users, so only
 * where the tests run as root.
 */

import assert from "node:assert/strict";
import { once } from "node:events";
import { chmod, chown, lstat, mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { describe, it } from "node:test";
import { killOutright } from "../support/kill.ts";
import { runtime } from "../support/runtime.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";

const isRoot = process.platform === "linux" && process.getuid?.() === 0;
const asRoot = { skip: isRoot ? false : "needs root on Linux" } as const;

const MEMBER = new URL("./group_member.ts", import.meta.url);
const FIRST = 10_001;
const SECOND = 10_002;
const GROUP = 10_000;

/** The output of a member of the group. */
interface Report {
  readonly pid?: number;
  readonly uid?: number;
  readonly ids?: readonly string[];
  readonly name?: string;
  readonly message?: string;
  readonly owner?: { readonly pid: number };
}

/** A directory of the first user's that the group can write to. */
async function sharedDirectory(
  t: Parameters<typeof temporaryDirectory>[0],
): Promise<string> {
  const parent = await temporaryDirectory(t);
  await chmod(parent, 0o755);
  const base = join(parent, "shared");
  await mkdir(base);
  await chmod(base, 0o770);
  await chown(base, FIRST, GROUP);
  return base;
}

/** Opens the store as a user; the process is ended with `use`. */
async function asMember(
  directory: string,
  uid: number,
  use: (report: Report) => Promise<void>,
): Promise<void> {
  const args = [directory, String(uid), String(GROUP)];
  const child = runtime.spawnScript(MEMBER, args, {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const closed = once(child, "close");
  try {
    assert.ok(child.stdout !== null);
    const lines = createInterface({ input: child.stdout });
    const { value } = await lines[Symbol.asyncIterator]().next();
    const report = JSON.parse(value ?? "{}") as Report;
    assert.equal(report.uid, uid, "the process is of another user");
    await use(report);
  } finally {
    killOutright(child);
    await closed;
  }
}

/** Permission bits, user and group of the files in the store, by name. */
async function rights(directory: string): Promise<Record<string, string>> {
  const snapshots = join(directory, "snapshots");
  const found: Record<string, string> = {};
  for (const name of await readdir(snapshots)) {
    const { mode, uid, gid } = await lstat(join(snapshots, name));
    const kind = name.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/, "TOKEN")
      .replace(/^\d.*/, "ID");
    found[kind] = `${(mode & 0o777).toString(8)} ${uid}:${gid}`;
  }
  return found;
}

describe("a store that two users of a group share", () => {
  it(
    "is refused to the second while the first has it, and taken over when the first was killed",
    asRoot,
    async (t) => {
      const directory = await sharedDirectory(t);
      let left: readonly string[] | undefined;
      await asMember(directory, FIRST, async (first) => {
        left = first.ids;
        assert.equal(left?.length, 1, first.message);
        assert.deepEqual(await rights(directory), {
          ".lock": `660 ${FIRST}:${GROUP}`,
          ".lock.TOKEN.sock": `660 ${FIRST}:${GROUP}`,
          ID: `770 ${FIRST}:${GROUP}`,
        });
        await asMember(directory, SECOND, (second) => {
          assert.equal(second.name, "StoreLockedError", second.message);
          assert.equal(second.owner?.pid, first.pid);
          assert.ok(!second.message?.includes("remove"), second.message);
          return Promise.resolve();
        });
      });
      await asMember(directory, SECOND, async (second) => {
        assert.equal(second.ids?.length, 1, second.message);
        assert.notDeepEqual(second.ids, left);
        assert.deepEqual(await rights(directory), {
          ".lock": `660 ${SECOND}:${GROUP}`,
          ".lock.TOKEN.sock": `660 ${SECOND}:${GROUP}`,
          ID: `770 ${SECOND}:${GROUP}`,
        });
      });
    },
  );
});
