import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import process from "node:process";
import { describe, it } from "node:test";
import { tokensHeldHere } from "../../../src/fs/lock/held_tokens.ts";
import { livenessOf, type Question } from "../../../src/fs/lock/liveness.ts";
import { listenAt } from "../../../src/fs/lock/socket.ts";
import type { LockRecord } from "../../../src/fs/lock/record.ts";
import { incarnationOf } from "../../../src/runtime/process_identity.ts";
import { lockRecord, setUp } from "./records.ts";

const PATH = "/d/.lock";
const onLinux = process.platform === "linux" ? false : "needs /proc";

const QUESTION: Question = { path: PATH, socket: `${PATH}.sock`, hostId: null };

function ask(given: Partial<LockRecord>, asker: Partial<Question> = {}) {
  return livenessOf(lockRecord(given), { ...QUESTION, ...asker });
}

async function startOf(pid: number): Promise<string> {
  const started = (await incarnationOf(pid))?.started;
  assert.ok(started !== undefined);
  return started;
}

describe("livenessOf()", () => {
  it("takes a process that does not exist for dead", async () => {
    assert.deepEqual(await ask({}), { dead: true });
    assert.deepEqual(await ask({ host: null }), { dead: true });
  });

  it("takes a lock that this process holds for alive, whatever the record says", async () => {
    const record = lockRecord();
    tokensHeldHere.add(record.token);
    const liveness = await livenessOf(record, QUESTION);
    assert.deepEqual(liveness, { dead: false, here: true });
    tokensHeldHere.delete(record.token);
  });

  it("decides nothing about other hosts, and says which file to remove", async () => {
    const { dead, hint } = await ask({
      host: `not-${hostname()}`,
      boot: crypto.randomUUID(),
    });
    assert.equal(dead, false);
    assert.ok(hint?.includes(`remove ${PATH}`), hint);
    assert.ok(hint?.includes(hostname()), hint);
  });

  it("takes a process of that number for alive when it has no other evidence, with a hint", async () => {
    const { dead, hint } = await ask({ pid: process.pid, started: null });
    assert.equal(dead, false);
    assert.ok(hint?.includes(`remove ${PATH}`), hint);
  });

  it(
    "takes this process for the holder when the start time is equal: a worker has the lock",
    {
      skip: onLinux,
    },
    async () => {
      const started = await startOf(process.pid);
      assert.deepEqual(await ask({ pid: process.pid, started }), {
        dead: false,
      });
    },
  );

  it("knows a process again from which the boot ID is hidden", {
    skip: onLinux,
  }, async (t) => {
    const { path } = await setUp(t);
    const ticks = (await startOf(process.pid)).split("/").at(-1);
    const record = { pid: process.pid, boot: null, started: `/${ticks}` };
    const { dead } = await ask(record, { path });
    assert.equal(dead, false);
  });

  it(
    "distinguishes an earlier process of the same number from this one: a container was restarted",
    {
      skip: onLinux,
    },
    async () => {
      const [boot, ticks] = (await startOf(process.pid)).split("/");
      const { pid } = process;
      const earlier = `${boot}/${Number(ticks) - 1}`;
      assert.deepEqual(await ask({ pid, started: earlier }), { dead: true });
      const otherBoot = `${crypto.randomUUID()}/${ticks}`;
      const rebooted = { pid, boot: "another", started: otherBoot };
      assert.deepEqual(await ask(rebooted), { dead: true });
    },
  );

  it("distinguishes a process from a later one of the same number", {
    skip: onLinux,
  }, async () => {
    const { ppid } = process;
    const started = await startOf(ppid);
    assert.deepEqual(await ask({ pid: ppid, started }), { dead: false });
    const earlier = started + "0";
    assert.deepEqual(await ask({ pid: ppid, started: earlier }), {
      dead: true,
    });
  });

  it(
    "takes a process that has ended for dead, though its parent has not waited for it",
    {
      skip: onLinux,
    },
    async () => {
      // The shell becomes a program that does not wait for the shell's child.
      const parent = spawn("sh", ["-c", "sleep 60 & echo $!; exec sleep 60"]);
      try {
        const [line] = await once(parent.stdout, "data");
        const pid = Number(String(line));
        const name = () => readFile(`/proc/${parent.pid}/comm`, "utf8");
        while (await name() !== "sleep\n");
        process.kill(pid, "SIGKILL");
        let now = await incarnationOf(pid);
        while (now?.ended === false) now = await incarnationOf(pid);
        assert.ok(now !== undefined, "it was buried after all");
        assert.deepEqual(await ask({ pid, started: now.started }), {
          dead: true,
        });
      } finally {
        parent.kill("SIGKILL");
        await once(parent, "exit");
      }
    },
  );

  it("counts a process of another user as alive", {
    skip: onLinux || process.getuid?.() === 0 ? "needs a plain user" : false,
  }, async () => {
    assert.equal(
      (await ask({ pid: 1, started: await startOf(1) })).dead,
      false,
    );
  });

  it("identifies a process by its number only in its own namespace", {
    skip: onLinux,
  }, async () => {
    for (const namespace of ["1.1", null]) {
      const { dead, hint } = await ask({ namespace });
      assert.equal(dead, false);
      assert.ok(hint?.includes(`remove ${PATH}`), hint);
    }
  });

  it(
    "takes a holder that answers for alive, though its process can't be seen",
    {
      skip: onLinux,
    },
    async (t) => {
      const { path } = await setUp(t);
      await writeFile(path, "");
      const here = { path, socket: `${path}.sock` };
      const socket = await listenAt(here.socket, path);
      assert.ok(socket !== undefined);
      assert.deepEqual(await ask({ listens: true }, here), { dead: false });
      const rebooted = { listens: true, boot: crypto.randomUUID() };
      assert.deepEqual(await ask(rebooted, here), { dead: false });
      await socket.close();
      assert.deepEqual(await ask({ listens: true }, here), { dead: true });
    },
  );

  it("takes a missing socket as proof of death only under the same kernel", {
    skip: onLinux,
  }, async (t) => {
    const { path } = await setUp(t);
    const here = { path, socket: `${path}.sock` };
    const silent = { listens: true, namespace: "1.1", host: "other" };
    assert.equal((await ask(silent, here)).dead, true);
    assert.equal((await ask({ ...silent, listens: false }, here)).dead, false);
    const elsewhere = { ...silent, boot: crypto.randomUUID() };
    assert.equal((await ask(elsewhere, here)).dead, false);
  });

  it(
    "takes a missing socket as proof of death where only one kernel can use the disk",
    {
      skip: onLinux,
    },
    async (t) => {
      const { path } = await setUp(t);
      const here = { path, socket: `${path}.sock` };
      const hidden = { listens: true, namespace: "1.1", boot: null };
      assert.equal((await ask(hidden, here)).dead, true);
      const nfs = { ...hidden, diskType: 0x6969 };
      assert.equal((await ask(nfs, here)).dead, false);
      // The same kernel, and another mount: there the socket is another one.
      const mounted = { listens: true, namespace: "1.1", diskType: 0x6969 };
      assert.equal((await ask(mounted, here)).dead, false);
    },
  );

  it("trusts the identity that the user gave to the host", {
    skip: onLinux,
  }, async (t) => {
    const { path } = await setUp(t);
    const here = { path, socket: `${path}.sock`, hostId: "volume-1" };
    const moved = { host: "other", boot: crypto.randomUUID(), listens: true };
    assert.equal(
      (await ask({ ...moved, hostId: "volume-1" }, here)).dead,
      true,
    );
    assert.equal(
      (await ask({ ...moved, hostId: "volume-2" }, here)).dead,
      false,
    );
    assert.equal((await ask({ hostId: "volume-2" }, here)).dead, false);
  });
});
