/**
 * The errors: a class for each condition, with fields for callers to use.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as exported from "@raft/snapshots";
import {
  InvalidSnapshotIdError,
  NoUsableSnapshotError,
  OperationUnsupportedError,
  SnapshotCorruptError,
  SnapshotError,
  SnapshotNotFoundError,
  SnapshotPublishError,
  SnapshotRetainedError,
  SnapshotTooLargeError,
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

const FIGURES = { reason: "crc", expected: 1n, actual: 0xabcn } as const;

/** The handlers of an object of which nothing can be read. */
const THROWING: ProxyHandler<object> = {
  get: () => {
    throw new Error("hostile");
  },
};

describe("every error", () => {
  const plain = [
    SnapshotError,
    OperationUnsupportedError,
    SnapshotNotFoundError,
    SnapshotRetainedError,
    InvalidSnapshotIdError,
    UnsupportedSnapshotVersionError,
    SnapshotUnreadableError,
    StoreAccessError,
    StoreClosedError,
  ];

  it("is a SnapshotError with a name and a code, and keeps its cause", () => {
    for (const PlainError of plain) {
      const error = new PlainError("Cannot do it", { cause: full });
      assert.ok(error instanceof SnapshotError && error instanceof Error);
      assert.equal(error.name, PlainError.name);
      assert.equal(error.message, "Cannot do it");
      assert.equal(error.cause, full);
      assert.equal(error.systemCode, "ENOSPC");
      assert.ok(String(error).startsWith(`${PlainError.name}: `));
    }
  });

  it("has a code that no other class has", () => {
    const codes = [
      ...plain.map((PlainError) => new PlainError("x").code),
      new NoUsableSnapshotError("x", []).code,
      new SnapshotCorruptError("x", FIGURES).code,
      new SnapshotPublishError("x", { published: false }).code,
      new SnapshotTooLargeError("x", { size: 2, maxSize: 1 }).code,
      new StoreLockedError("x", undefined).code,
    ];
    assert.deepEqual(codes.toSorted(), [
      "ERR_NO_USABLE_SNAPSHOT",
      "ERR_OPERATION_UNSUPPORTED",
      "ERR_SNAPSHOT",
      "ERR_SNAPSHOT_CORRUPT",
      "ERR_SNAPSHOT_ID_INVALID",
      "ERR_SNAPSHOT_NOT_FOUND",
      "ERR_SNAPSHOT_PUBLISH",
      "ERR_SNAPSHOT_RETAINED",
      "ERR_SNAPSHOT_TOO_LARGE",
      "ERR_SNAPSHOT_UNREADABLE",
      "ERR_SNAPSHOT_VERSION_UNSUPPORTED",
      "ERR_STORE_ACCESS",
      "ERR_STORE_CLOSED",
      "ERR_STORE_LOCKED",
    ]);
    const classes = Object.keys(exported).filter((name) =>
      name.endsWith("Error") && name !== "isSnapshotError"
    );
    assert.equal(codes.length, classes.length, String(classes));
  });

  it("has no systemCode when no cause is an error of the system", () => {
    const systemCode = (cause: unknown) =>
      new SnapshotError("x", { cause }).systemCode;
    assert.equal(new SnapshotError("x").systemCode, undefined);
    for (const cause of [null, undefined, "ENOSPC", 7, { code: 7 }]) {
      assert.equal(systemCode(cause), undefined);
    }
    assert.equal(systemCode(new StoreClosedError("closed")), undefined);
    assert.equal(systemCode({ code: "ERR_INVALID_ARG_TYPE" }), undefined);
  });

  it("has the systemCode of the nearest cause that has one", () => {
    const systemCode = (cause: unknown) =>
      new SnapshotError("x", { cause }).systemCode;
    const far = new TypeError("fetch failed", {
      cause: new StoreAccessError("x", { cause: full }),
    });
    assert.equal(systemCode(far), "ENOSPC");
    assert.equal(systemCode({ code: "EIO", cause: full }), "EIO");
    const own: { cause?: unknown } = {};
    own.cause = own;
    assert.equal(systemCode(own), undefined);
    assert.equal(systemCode(new Proxy({}, THROWING)), undefined);
  });
});

describe("the systemCode of an error whose runtime has no name for it", () => {
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
        assert.equal(new SnapshotError("x", { cause }).systemCode, code);
      });
    }
  }

  it("is unchanged where the number is unknown", () => {
    const of = (cause: unknown) => new SnapshotError("x", { cause }).systemCode;
    assert.equal(of(number(-4094, { code: "UNKNOWN" })), "UNKNOWN");
    assert.equal(of({ code: "UNKNOWN", errno: Symbol() }), "UNKNOWN");
    assert.equal(of(new Error("no (os error 28) at the end")), undefined);
    assert.equal(of({ message: { toString: null } }), undefined);
  });
});

describe("SnapshotCorruptError", () => {
  it("has the found and the expected value, and the place", () => {
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
      assert.equal(error.systemCode, "ENOSPC");
    }
  });
});

describe("NoUsableSnapshotError", () => {
  it("keeps every failure, and the first as its cause", () => {
    const errors = [full, "another"];
    const error = new NoUsableSnapshotError("x", errors);
    assert.deepEqual(error.errors, errors);
    assert.equal(error.cause, full);
    assert.equal(error.systemCode, "ENOSPC");
    assert.equal(new NoUsableSnapshotError("x", []).cause, undefined);
  });
});
