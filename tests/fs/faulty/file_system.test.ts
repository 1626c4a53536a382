import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fileSystemConformance } from "@raft/snapshots/testing";
import {
  failAt,
  failOn,
  type Operation,
} from "../../../src/fs/faulty/fault.ts";
import { FaultyFileSystem } from "../../../src/fs/faulty/file_system.ts";
import { MemoryFileSystem } from "../../../src/fs/memory/file_system.ts";

const BYTES = new Uint8Array([1, 2, 3, 4]);

function setUp(): { memory: MemoryFileSystem; files: FaultyFileSystem } {
  const memory = new MemoryFileSystem();
  return { memory, files: new FaultyFileSystem(memory) };
}

describe("FaultyFileSystem without faults", () => {
  const checks = fileSystemConformance(() => ({
    fileSystem: setUp().files,
    directory: "",
  }));
  for (const { name, run } of checks) it(name, run);
});

/** Does one of everything, and gives up at the first error. */
async function useEverything(files: FaultyFileSystem): Promise<void> {
  const lock = await files.lock("/.lock");
  try {
    await files.makeDirectory("/d", 0o700);
    const out = await files.open("/d/f", "create");
    try {
      await out.write(BYTES, 0);
      await out.sync();
      await out.stat();
    } finally {
      await out.close();
    }
    await files.rename("/d/f", "/d/g");
    const handle = await files.open("/d/g", "read");
    try {
      await handle.read(new Uint8Array(4), 0);
    } finally {
      await handle.close();
    }
    await files.stat("/d/g");
    await files.readDirectory("/d");
    await files.removeFile("/d/g");
    await files.removeDirectory("/d");
    await files.syncDirectory("/");
  } finally {
    await lock.release();
  }
}

describe("FaultyFileSystem", () => {
  it("records every operation with its paths, in order", async () => {
    const { files } = setUp();
    await useEverything(files);
    const shown = files.trace.map(({ index, name, path, to }) =>
      `${index} ${name} ${path}` + (to === undefined ? "" : ` ${to}`)
    );
    assert.deepEqual(shown, [
      "0 lock /.lock",
      "1 makeDirectory /d",
      "2 open /d/f",
      "3 write /d/f",
      "4 sync /d/f",
      "5 statHandle /d/f",
      "6 close /d/f",
      "7 rename /d/f /d/g",
      "8 open /d/g",
      "9 read /d/g",
      "10 close /d/g",
      "11 stat /d/g",
      "12 readDirectory /d",
      "13 removeFile /d/g",
      "14 removeDirectory /d",
      "15 syncDirectory /",
      "16 release /.lock",
    ]);
  });

  it("fails each operation that the injector chooses, and leaves no file open", async () => {
    for (const when of ["before", "after"] as const) {
      const { files: whole } = setUp();
      await useEverything(whole);
      assert.equal(whole.trace.length, 17);
      for (const { index, name, path } of whole.trace) {
        const { memory, files } = setUp();
        files.inject((operation) =>
          operation.index === index ? { code: "EIO", when } : undefined
        );
        await assert.rejects(useEverything(files), {
          code: "EIO",
          syscall: name,
          path,
        });
        assert.equal(files.openHandles, 0, `${when} ${name}`);
        assert.equal(memory.openHandles, 0, `${when} ${name}`);
      }
    }
  });

  it("does not do an operation that fails before it, and does one that fails after it", async () => {
    const { memory, files } = setUp();
    files.inject(failOn("makeDirectory", "EIO"));
    await assert.rejects(files.makeDirectory("/d", 0o700), { code: "EIO" });
    assert.deepEqual(memory.tree(), []);
    files.inject(failOn("makeDirectory", "EIO", { when: "after" }));
    await assert.rejects(files.makeDirectory("/d", 0o700), { code: "EIO" });
    assert.deepEqual(memory.tree(), ["/d/"]);
  });

  it("holds no lock after lock() was made to fail", async () => {
    for (const when of ["before", "after"] as const) {
      const { files } = setUp();
      files.inject(failOn("lock", "EACCES", { when }));
      await assert.rejects(files.lock("/.lock"), { code: "EACCES" });
      files.inject();
      await (await files.lock("/.lock")).release();
    }
  });

  it("passes on the file system's own errors", async () => {
    const { files } = setUp();
    files.inject(failOn("stat", "EIO", { when: "after" }));
    await assert.rejects(files.stat("/missing"), { code: "ENOENT" });
  });

  it("cuts reads and writes short", async () => {
    const { memory, files } = setUp();
    files.inject(({ name }) =>
      name === "write" || name === "read" ? { length: 3 } : undefined
    );
    const out = await files.open("/f", "create");
    assert.equal(await out.write(BYTES, 0), 3);
    assert.equal(await out.write(BYTES.subarray(0, 2), 3), 2);
    assert.deepEqual([...memory.readFile("/f")], [1, 2, 3, 1, 2]);
    const buffer = new Uint8Array(5);
    const handle = await files.open("/f", "read");
    assert.equal(await handle.read(buffer, 0), 3);
    assert.deepEqual([...buffer], [1, 2, 3, 0, 0]);
  });

  it("does not begin an operation before its wait has ended", async () => {
    const { memory, files } = setUp();
    let go = () => {};
    const wait = new Promise<void>((resolve) => go = resolve);
    files.inject(() => ({ wait }));
    const made = files.makeDirectory("/d", 0o700);
    await memory.stat("/");
    assert.deepEqual(memory.tree(), []);
    go();
    await made;
    assert.deepEqual(memory.tree(), ["/d/"]);
  });

  it("fails an operation whose wait fails, and still closes the handle", async () => {
    const { memory, files } = setUp();
    const out = await files.open("/f", "create");
    files.inject(() => ({ wait: Promise.reject(new Error("no more")) }));
    await assert.rejects(out.close(), { message: "no more" });
    assert.deepEqual([files.openHandles, memory.openHandles], [0, 0]);
  });

  it("counts each open file once, however often it is closed", async () => {
    const { files } = setUp();
    const [a, b] = [
      await files.open("/a", "create"),
      await files.open("/b", "create"),
    ];
    assert.equal(files.openHandles, 2);
    await a.close();
    await a.close();
    assert.equal(files.openHandles, 1);
    await b.close();
    assert.equal(files.openHandles, 0);
  });

  it("works again when the injector is removed", async () => {
    const { files } = setUp();
    files.inject(() => ({ code: "EIO" }));
    await assert.rejects(useEverything(files), { code: "EIO" });
    files.inject();
    await useEverything(files);
  });
});

describe("failAt()", () => {
  it("fails the operation of that index, once", async () => {
    const { files } = setUp();
    files.inject(failAt(1, "ENOSPC"));
    await files.stat("/");
    await assert.rejects(files.stat("/"), { code: "ENOSPC" });
    await files.stat("/");
  });
});

describe("failOn()", () => {
  const operation = (more: Partial<Operation>): Operation => ({
    index: 0,
    name: "rename",
    path: "/a",
    ...more,
  });

  it("fails operations of that name, as many times as given", () => {
    const injector = failOn("rename", "EIO", { times: 2 });
    assert.equal(injector(operation({ name: "stat" })), undefined);
    assert.equal(injector(operation({}))?.code, "EIO");
    assert.equal(injector(operation({}))?.code, "EIO");
    assert.equal(injector(operation({})), undefined);
  });

  it("fails on paths that match, of a rename on either", () => {
    const injector = failOn("rename", "EIO", { path: /b$/g });
    assert.equal(injector(operation({})), undefined);
    assert.equal(injector(operation({ to: "/b" }))?.code, "EIO");
    assert.equal(injector(operation({ path: "/b", to: "/a" }))?.code, "EIO");
    assert.equal(injector(operation({ path: "/b" }))?.code, "EIO");
  });
});
