/**
 * A user of a group that shares a store: `group_member.ts DIRECTORY UID GID`.
 * It becomes that user, opens the store, saves, reports the outcome, and holds
 * the store until its input ends.
 */

import process from "node:process";
import { openFileSnapshotStore } from "@raft/snapshots";

const [directory = "", uid = "", gid = ""] = process.argv.slice(2);

// Only now, because another user could not read the modules.
process.umask(0);
process.setgroups?.([]);
process.setgid?.(Number(gid));
process.setuid?.(Number(uid));

function say(message: unknown): void {
  process.stdout.write(JSON.stringify(message) + "\n");
}

const who = { pid: process.pid, uid: process.getuid?.() };
try {
  const store = await openFileSnapshotStore(directory, {
    fileMode: 0o660,
    directoryMode: 0o770,
    retain: 1,
  });
  const sink = await store.create({
    index: 1n,
    term: 1n,
    configuration: { servers: [] },
    configurationIndex: 1n,
  });
  await new Blob(["state"]).stream().pipeTo(sink);
  await store.reap();
  say({ ...who, ids: (await store.list()).map(({ id }) => id) });
  for await (const _ of process.stdin);
  await store.close();
} catch (error) {
  const { name, message, owner } = error as Error & { owner?: unknown };
  say({ ...who, name, message, owner });
}
