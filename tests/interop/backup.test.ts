/**
 * Backups beside HashiCorp's own clients (`consul/api`, `vault/api`), of archives
 * that HashiCorp's `raft-snapshot` has written.
 *
 * @module
 */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { it } from "node:test";
import { buffer } from "node:stream/consumers";
import { promisify } from "node:util";
import { openFileArchiveStore } from "@raft/snapshots/archive";
import { makeBackup } from "../../src/cli/backup/run.ts";
import { readSourceSettings } from "../../src/cli/backup/source_options.ts";
import { type AnswerWith, withSnapshotServer } from "../cli/snapshot_server.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import { buildGoProgram } from "./go_binary.ts";
import { type Ask, describeWithGo } from "./go_program.ts";
import { MATRIX } from "./matrix.ts";
import { caseForGo, RETAIN_ALL, wellFormed } from "./states.ts";

const clients = await buildGoProgram("v1", "go_clients");

type Vendor = "consul" | "vault";

/** Runs a client; gives its error, or "". */
async function runClient(
  vendor: Vendor,
  verb: "save" | "restore",
  url: string,
  file: string,
): Promise<string> {
  const args = [vendor, verb, url, file];
  try {
    await promisify(execFile)(clients.path ?? "", args);
    return "";
  } catch (error) {
    return (error as { stderr: string }).stderr.trim() || String(error);
  }
}

/** Makes a backup; gives its path, or the error. */
async function backUp(
  vendor: Vendor,
  url: string,
  directory: string,
): Promise<{ path: string } | { error: string }> {
  const source = readSourceSettings({ [vendor]: url, stallTimeout: 60_000 });
  const store = openFileArchiveStore(directory);
  const { signal } = new AbortController();
  const task = { source, store, policy: undefined };
  try {
    const { backup } = await makeBackup(task, { signal });
    return { path: join(directory, backup.name) };
  } catch (error) {
    return { error: String(error) };
  }
}

/** An archive that raft-snapshot writes of a snapshot that Go's store has. */
async function archiveOfGo(ask: Ask, sealed: boolean): Promise<Uint8Array> {
  const directory = await temporaryDirectory();
  const store = { base: directory, retain: RETAIN_ALL };
  const [first] = MATRIX.map(wellFormed);
  assert.ok(first !== undefined);
  const { id } = await ask("store.create", { ...store, ...caseForGo(first) });
  const path = join(directory, "snapshot.snap");
  await ask("archive.write", { ...store, id, path, level: 6, sealed });
  return new Uint8Array(await readFile(path));
}

describeWithGo("backups", (ask) => {
  it("are the bytes that HashiCorp's clients save, and they restore them", async () => {
    for (const vendor of ["consul", "vault"] as const) {
      const archive = await archiveOfGo(ask, vendor === "vault");
      const directory = await temporaryDirectory();
      const restored: Uint8Array[] = [];
      await withSnapshotServer(async (response, request) => {
        if (request.method === "GET") return void response.end(archive);
        restored.push(new Uint8Array(await buffer(request)));
        response.writeHead(vendor === "vault" ? 204 : 200).end();
      }, async ({ url }) => {
        const saved = join(directory, "saved");
        assert.equal(await runClient(vendor, "save", url, saved), "");
        assert.deepEqual(new Uint8Array(await readFile(saved)), archive);
        const backup = await backUp(vendor, url, join(directory, "backups"));
        assert.ok("path" in backup, JSON.stringify(backup));
        assert.deepEqual(new Uint8Array(await readFile(backup.path)), archive);
        const { path } = backup;
        assert.deepEqual(await ask("archive.accept", { path }), {
          verify: "",
          parse: "",
          writeToTempFile: "",
        });
        assert.equal(await runClient(vendor, "restore", url, path), "");
        assert.deepEqual(restored, [archive]);
      });
    }
  });

  it("are refused where raft-snapshot or a client refuses", async () => {
    const plain = await archiveOfGo(ask, false);
    const sealed = await archiveOfGo(ask, true);
    const flipped = new Uint8Array(plain);
    const middle = plain.length >> 1;
    flipped[middle] = (flipped[middle] ?? 0) ^ 1;
    const cases: readonly [string, Vendor, Uint8Array | AnswerWith][] = [
      ["no sealed sums", "vault", plain],
      ["half of an archive", "consul", plain.subarray(0, middle)],
      ["half of one of Vault", "vault", sealed.subarray(0, middle)],
      ["a flipped bit", "consul", flipped],
      ["an error", "consul", (r) => r.writeHead(500).end("no")],
      ["an error of Vault", "vault", (r) => r.writeHead(500).end("{}")],
      ["JSON", "vault", (r) => r.end('{"errors":[]}')],
      ["nothing", "consul", (r) => r.end()],
    ];
    for (const [name, vendor, answer] of cases) {
      const directory = await temporaryDirectory();
      const saved = join(directory, "saved");
      const respond: AnswerWith = typeof answer === "function"
        ? answer
        : (response) => response.end(answer);
      await withSnapshotServer(respond, async ({ url }) => {
        const byClient = await runClient(vendor, "save", url, saved);
        const byGo = byClient ||
          (await ask("archive.accept", { path: saved })).verify;
        assert.notEqual(byGo, "", name);
        await rm(saved, { force: true });
        const backup = await backUp(vendor, url, directory);
        assert.ok("error" in backup, name);
        assert.deepEqual(await readdir(directory), [], name);
      });
    }
  });
}, clients.path === undefined ? clients : undefined);
