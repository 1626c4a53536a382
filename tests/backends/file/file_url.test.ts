/**
 * Directories that are named by a `file:` URL.
 */

import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import { openFileSnapshotStore } from "@raft/snapshots";
import { openFileArchiveStore } from "@raft/snapshots/archive";
import { MemoryFileSystem } from "@raft/snapshots/testing";
import { listIds, save } from "../../support/store_fixture.ts";
import { temporaryDirectory } from "../../support/temporary_directory.ts";
import { urlOfAnotherRealm } from "../../support/url_of_another_realm.ts";

const REFUSED = [
  ["file://host/data", /found the host host, expected/],
  ["file:///data%2fstore", /found an encoded slash or zero byte/],
  ["file:///data%00", /found an encoded slash or zero byte/],
  ["file:data", /found a relative URL/],
  ["file:", /found a relative URL/],
  ["file:///data?x", /found a query \(write \? as %3F\)/],
  ["file:///data#x", /found a fragment \(write # as %23\)/],
  ["file:///data%zz", /found an invalid URL/],
  ["file://a b/", /found an invalid URL/],
] as const;

describe("a store in a directory that a file: URL names", () => {
  it("is the one of its path, as a URL or as its text", async (t) => {
    const directory = await temporaryDirectory(t);
    const path = join(directory, "with spaces, ä and 100%");
    const store = await openFileSnapshotStore(path);
    const id = await save(store, "state");
    await store.close();
    const url = pathToFileURL(path);
    for (
      const name of [
        url,
        url.href,
        `${url.href}/`,
        url.href.replace("file:", "FILE:"),
        url.href.replace("file://", "file://localhost"),
        url.href.replace("file://", "file:"),
      ]
    ) {
      const same = await openFileSnapshotStore(name, { readOnly: true });
      assert.deepEqual(await listIds(same), [id], String(name));
      await same.close();
    }
    assert.deepEqual(await readdir(directory), ["with spaces, ä and 100%"]);
  });

  it("may be named by a URL of another realm", async () => {
    const fileSystem = new MemoryFileSystem();
    const url = urlOfAnotherRealm("file:///a%20b");
    const store = await openFileSnapshotStore(url, { fileSystem });
    const id = await save(store, "state");
    await store.close();
    const same = await openFileSnapshotStore("/a b", { fileSystem });
    assert.deepEqual(await listIds(same), [id]);
    await same.close();
    const s3 = urlOfAnotherRealm("s3://bucket/data");
    await assert.rejects(openFileSnapshotStore(s3, { fileSystem }), TypeError);
  });

  it("is also found on a disk in memory", async () => {
    const fileSystem = new MemoryFileSystem();
    const store = await openFileSnapshotStore("/a b", { fileSystem });
    const id = await save(store, "state");
    await store.close();
    const same = await openFileSnapshotStore("file:///a%20b", { fileSystem });
    assert.deepEqual(await listIds(same), [id]);
    await same.close();
  });

  for (const [name, message] of REFUSED) {
    it(`is not opened when the URL is ${JSON.stringify(name)}`, async () => {
      const expected = { name: "TypeError", message };
      await assert.rejects(openFileSnapshotStore(name), expected);
      const fileSystem = new MemoryFileSystem();
      await assert.rejects(
        openFileSnapshotStore(name, { fileSystem }),
        expected,
      );
    });
  }

  it("is not opened when the URL is not of a file", async () => {
    await assert.rejects(
      openFileSnapshotStore(new URL("https://example.test/data")),
      {
        name: "TypeError",
        message: /found a URL of the kind https: \(servers .*\), expected/,
      },
    );
  });

  it("is not opened when it is the text of another address", async () => {
    for (const address of ["s3://bucket/raft", "HTTP://host", "gs://a/b"]) {
      const fileSystem = new MemoryFileSystem();
      await assert.rejects(openFileSnapshotStore(address, { fileSystem }), {
        name: "TypeError",
        message: /^Cannot use ".*" as the name of a directory: found a URL of /,
      });
      assert.throws(() => openFileArchiveStore(address, { fileSystem }), {
        name: "TypeError",
      });
    }
    const secrets = [
      "https://user:hunter2@host/x?token=abc",
      "https://user:hunter2@ho st/x",
      "s3://bucket/x?token=hunter2@abc",
    ];
    for (const address of secrets) {
      await assert.rejects(openFileSnapshotStore(address), (error: Error) => {
        assert.doesNotMatch(error.message, /hunter2|abc/);
        return error instanceof TypeError;
      });
    }
    const fileSystem = new MemoryFileSystem();
    const store = await openFileSnapshotStore("/a/s3:/b", { fileSystem });
    await store.close();
  });

  it("is not opened when the name is neither a text nor a URL", async () => {
    for (const [name, found] of [[5, "number"], [{}, "object"]] as const) {
      await assert.rejects(openFileSnapshotStore(name as never), {
        name: "TypeError",
        message: "Cannot use the name of a directory: found " +
          `${found}, expected a path or a file: URL`,
      });
    }
  });
});
