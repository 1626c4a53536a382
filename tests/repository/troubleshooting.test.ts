/**
 * The messages that docs/troubleshooting.md quotes are those that users see.
 * Blocks marked `text` are provoked here; those marked `console` need another
 * tool, user or platform.
 */

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { openFileSnapshotStore } from "@raft/snapshots";
import { failOn, type Injector } from "@raft/snapshots/testing";
import { INIT, load, save, StoreFixture } from "../support/store_fixture.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import { lockRecord, writeRecord } from "../fs/lock/records.ts";
import { readSource } from "./source_files.ts";

const page = await readSource("docs/troubleshooting.md");
const quoted = [...page.matchAll(/^```text\n(.*)\n```$/gm)]
  .map(([, message = ""]) => message);

const seen = new Set<string>();

/** Matches a message that is quoted with `<...>` where it may differ. */
function toPattern(message: string): RegExp {
  const literal = message.split(/<[^<>]+>/)
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${literal.join(".+?")}$`);
}

/** Checks that the page quotes that message. */
function requireQuoted(message: string): void {
  // <term>-<index>-<unixMs> stands in the message itself.
  const shown = message.replace(/<(term|index|unixMs)>/g, "($1)");
  const matching = quoted.filter((each) => toPattern(each).test(shown));
  assert.ok(matching.length > 0, `the page does not quote: ${message}`);
  for (const each of matching) seen.add(each);
}

/** Checks that a call rejects with a message that the page quotes. */
async function rejects(call: Promise<unknown>): Promise<void> {
  await assert.rejects(call, (error: Error) => {
    requireQuoted(error.message);
    return true;
  });
}

describe("the troubleshooting page", () => {
  it("quotes the messages of the lock", async (t) => {
    const directory = await temporaryDirectory(t);
    const store = await openFileSnapshotStore(directory);
    await rejects(openFileSnapshotStore(directory));
    await store.close();
    const path = join(directory, "snapshots", ".lock");
    const elsewhere = { host: "elsewhere", boot: crypto.randomUUID() };
    await writeRecord(path, lockRecord(elsewhere));
    await rejects(openFileSnapshotStore(directory));
    await writeFile(path, "not a record");
    await rejects(openFileSnapshotStore(directory));
  });

  it("quotes the messages of the system's refusals", async () => {
    const fixture = new StoreFixture();
    const [id = ""] = await fixture.prepare([1]);
    const fail = (injector: Injector) => fixture.files.inject(injector);
    for (const code of ["EACCES", "EROFS", "ENOSPC"]) {
      fail(failOn("lock", code));
      await rejects(fixture.open());
    }
    fail(failOn("readDirectory", "EACCES"));
    await rejects(fixture.open({ readOnly: true }));
    fail(failOn("readDirectory", "ENOENT"));
    await rejects(fixture.open({ readOnly: true }));
    fail(() => undefined);
    const store = await fixture.open();
    const meta = { path: /meta\.json$/ };
    fail(failOn("open", "EACCES", meta));
    await rejects(store.stat(id));
    fail(failOn("open", "EMFILE", meta));
    await rejects(store.list());
    fail(failOn("open", "ENOSPC", meta));
    await rejects(store.create(INIT));
    fail(failOn("write", "ENOSPC", { path: /state/ }));
    await rejects(store.save(INIT, new Uint8Array(1)));
    fail(failOn("syncDirectory", "EIO", { path: /snapshots$/ }));
    await rejects(store.save(INIT, new Uint8Array(1)));
    fail(() => undefined);
    await store.close();
  });

  it("quotes the messages about snapshots", async () => {
    const fixture = new StoreFixture();
    const ids = await fixture.prepare([1, 2]);
    for (const id of ids) fixture.corrupt(id);
    const store = await fixture.open();
    await rejects(load(store, ids[0] ?? ""));
    await rejects(store.restore((source) => new Response(source).text()));
    await fixture.remove(ids[0] ?? "", "meta.json");
    await store.list();
    for (const line of fixture.log.matching("warn", "Skipping snapshot")) {
      requireQuoted(line.replace("warn: ", ""));
    }
    await store.close();
  });

  it("quotes the warnings of opening", async () => {
    const fixture = new StoreFixture();
    const unfinished = "/data/snapshots/1-1-1.tmp/state.bin";
    fixture.disk.writeFile(unfinished, new Uint8Array(1));
    fixture.files.inject(failOn("syncDirectory", "EINVAL"));
    // The disk in memory was last changed in 1970.
    const store = await fixture.open({ clock: () => 1000 });
    await save(store, "state");
    await store.close();
    const lines = [
      ...fixture.log.matching("warn"),
      ...fixture.log.matching("info", "Left"),
    ];
    assert.equal(lines.length, 2);
    for (const line of lines) requireQuoted(line.replace(/^\w+: /, ""));
  });

  it("quotes the mistakes of a program", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open();
    await save(store, "state");
    await rejects(store.restore(() => {}));
    await rejects(store.open("latest"));
    await store.close();
    await rejects(store.list());
    const misspelt = { retian: 3 } as object;
    await rejects(fixture.open(misspelt));
    const reader = await fixture.open({ readOnly: true });
    await rejects(reader.create(INIT));
    await reader.close();
  });

  it("quotes nothing that was not provoked", () => {
    const shown = quoted.filter((each) => !seen.has(each));
    assert.deepEqual(shown, []);
  });
});
