/**
 * The errors: a class for each condition, with fields for callers to use.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  InvalidSnapshotIdError,
  NoUsableSnapshotError,
  SnapshotCorruptError,
  SnapshotError,
  SnapshotNotFoundError,
  SnapshotPublishError,
  SnapshotUnreadableError,
  StoreAccessError,
  StoreClosedError,
  StoreLockedError,
  UnsupportedSnapshotVersionError,
} from "@raft/snapshots";

const full = Object.assign(new Error("ENOSPC: no space"), { code: "ENOSPC" });
const OWNER = {
  pid: 42,
  host: "somewhere",
  runtime: "deno 2.9.6",
  since: Date.UTC(2026, 0, 2),
};

describe("every error", () => {
  const plain = [
    SnapshotError,
    SnapshotNotFoundError,
    InvalidSnapshotIdError,
    UnsupportedSnapshotVersionError,
    SnapshotUnreadableError,
    StoreAccessError,
    StoreClosedError,
  ];

  it("is a SnapshotError with a name, and keeps its cause and code", () => {
    for (const PlainError of plain) {
      const error = new PlainError("Cannot do it", { cause: full });
      assert.ok(error instanceof SnapshotError && error instanceof Error);
      assert.equal(error.name, PlainError.name);
      assert.equal(error.message, "Cannot do it");
      assert.equal(error.cause, full);
      assert.equal(error.code, "ENOSPC");
      assert.ok(String(error).startsWith(`${PlainError.name}: `));
    }
  });

  it("has no code when the system error has none", () => {
    assert.equal(new SnapshotError("x").code, undefined);
    for (const cause of [null, undefined, "ENOSPC", 7, { code: 7 }]) {
      assert.equal(new SnapshotError("x", { cause }).code, undefined);
    }
  });
});

describe("the code of an error whose runtime has no name for it", () => {
  const number = (errno: number, fields: { code?: string }, message = "") =>
    Object.assign(new Error(message), { errno }, fields);
  for (const [code, errno] of Object.entries({ EDQUOT: 122, EUCLEAN: 117 })) {
    for (
      const [runtime, cause] of Object.entries({
        "Node, as a text": number(-errno, {
          code: `Unknown system error -${errno}`,
        }),
        "Deno, as a number": number(-errno, { code: "UNKNOWN" }),
        "Deno, in its message": new Error(`It failed (os error ${errno})`),
        "Bun, by its name": number(-errno, { code }),
      })
    ) {
      it(`is ${code} as ${runtime}`, () => {
        assert.equal(new SnapshotError("x", { cause }).code, code);
      });
    }
  }

  it("is unchanged where the number is unknown", () => {
    const of = (cause: unknown) => new SnapshotError("x", { cause }).code;
    assert.equal(of(number(-4094, { code: "UNKNOWN" })), "UNKNOWN");
    assert.equal(of({ code: "UNKNOWN", errno: Symbol() }), "UNKNOWN");
    assert.equal(of(new Error("no (os error 28) at the end")), undefined);
    assert.equal(of({ message: { toString: null } }), undefined);
  });
});

describe("SnapshotCorruptError", () => {
  it("has what was found and expected, and where", () => {
    const error = new SnapshotCorruptError("state.bin of snapshot 3-10-1", {
      reason: "block",
      expected: 1n,
      actual: 0xabcn,
      offset: 1048576,
    });
    assert.equal(error.reason, "block");
    assert.equal(error.expected, 1n);
    assert.equal(error.actual, 0xabcn);
    assert.equal(error.offset, 1048576);
    assert.equal(
      error.message,
      "Cannot trust state.bin of snapshot 3-10-1: found CRC-64 " +
        "0000000000000abc at byte 1048576, expected CRC-64 0000000000000001",
    );
  });

  it("gives sizes in bytes", () => {
    const error = new SnapshotCorruptError("x", {
      reason: "size",
      expected: 13,
      actual: 12,
    });
    assert.match(error.message, /found 12 bytes, expected 13 bytes/);
    assert.equal(error.offset, undefined);
  });
});

describe("StoreLockedError", () => {
  it("shows the content of a lock file as short, printable text", () => {
    const [runtime, host] = ["\u001b[31m", `\u202e\n${"h".repeat(4000)}`];
    const owner = { ...OWNER, runtime, host };
    const error = new StoreLockedError("/x", owner);
    assert.equal(error.owner, owner);
    assert.ok(error.message.includes("(\\u001b[31m) on host \\u202e\\u000ah"));
    assert.ok(error.message.length < 300, error.message);
  });

  it("names the holder of the lock, as far as it is known", () => {
    const error = new StoreLockedError("/data/snapshots/.lock", OWNER);
    assert.equal(error.owner, OWNER);
    assert.match(
      error.message,
      /process 42 \(deno 2\.9\.6\) on host somewhere since 2026-01-02T/,
    );
    const unknown = new StoreLockedError("/x", undefined, { hint: "do this" });
    assert.equal(unknown.owner, undefined);
    assert.match(unknown.message, /; do this$/);
    const hidden = new StoreLockedError("/x", { ...OWNER, host: null });
    assert.match(hidden.message, /\(unknown\)/);
  });

  it("accepts an invalid time", () => {
    for (const since of [NaN, Infinity, 1e300]) {
      const error = new StoreLockedError("/x", { ...OWNER, since });
      assert.match(error.message, /\(unknown\)/);
    }
  });
});

describe("SnapshotPublishError", () => {
  it("says whether the snapshot is published", () => {
    for (const published of [true, false]) {
      const error = new SnapshotPublishError("x", { published, cause: full });
      assert.equal(error.published, published);
      assert.equal(error.code, "ENOSPC");
    }
  });
});

describe("NoUsableSnapshotError", () => {
  it("keeps every failure, and the first as its cause", () => {
    const errors = [full, "another"];
    const error = new NoUsableSnapshotError("x", errors);
    assert.deepEqual(error.errors, errors);
    assert.equal(error.cause, full);
    assert.equal(error.code, "ENOSPC");
    assert.equal(new NoUsableSnapshotError("x", []).cause, undefined);
  });
});
