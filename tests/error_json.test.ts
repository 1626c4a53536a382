/** Errors as JSON, which log collectors and HTTP servers make of them. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  NoUsableSnapshotError,
  SnapshotCorruptError,
  SnapshotError,
  SnapshotNotFoundError,
  SnapshotPublishError,
  StoreLockedError,
} from "@raft/snapshots";
import { SnapshotArchiveError } from "@raft/snapshots/archive";

const parsed = (value: unknown) => JSON.parse(JSON.stringify(value));
const full = Object.assign(new Error("ENOSPC: no space"), { code: "ENOSPC" });

/** A value of which nothing can be read. */
function unreadable(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

describe("JSON.stringify() of an error", () => {
  it("gives its name, code and message first, then its fields", () => {
    const error = new SnapshotPublishError("Cannot publish", {
      published: true,
      cause: full,
    });
    assert.equal(
      JSON.stringify(error),
      JSON.stringify({
        name: "SnapshotPublishError",
        code: "ERR_SNAPSHOT_PUBLISH",
        message: "Cannot publish",
        systemCode: "ENOSPC",
        published: true,
        cause: { name: "Error", code: "ENOSPC", message: "ENOSPC: no space" },
      }),
    );
    assert.deepEqual(parsed(new SnapshotNotFoundError("Cannot find it")), {
      name: "SnapshotNotFoundError",
      code: "ERR_SNAPSHOT_NOT_FOUND",
      message: "Cannot find it",
    });
  });

  it("shows CRCs as 16 hexadecimal digits, and sizes as numbers", () => {
    const crc = new SnapshotCorruptError("state.bin", {
      reason: "block",
      expected: 2n ** 64n - 1n,
      actual: 0xabcn,
      offset: 4096,
    });
    const { reason, expected, actual, offset } = parsed(crc);
    assert.deepEqual([reason, expected, actual, offset], [
      "block",
      "ffffffffffffffff",
      "0000000000000abc",
      4096,
    ]);
    const size = new SnapshotCorruptError("state.bin", {
      reason: "size",
      expected: 13,
      actual: 12,
    });
    assert.deepEqual([parsed(size).expected, parsed(size).actual], [13, 12]);
  });

  it("has the fields of an error: a lock's owner, a list, an archive's member", () => {
    const owner = { pid: 1, host: null, runtime: "node", since: NaN };
    assert.deepEqual(parsed(new StoreLockedError("/x", owner)).owner, {
      ...owner,
      since: "NaN",
    });
    const { errors, cause } = parsed(
      new NoUsableSnapshotError("none", [
        new SnapshotNotFoundError("one"),
        "two",
        undefined,
      ]),
    );
    const one = {
      name: "SnapshotNotFoundError",
      code: "ERR_SNAPSHOT_NOT_FOUND",
      message: "one",
    };
    assert.deepEqual([errors, cause], [[one, "two", null], one]);
    const { code, member } = parsed(
      new SnapshotArchiveError({
        reason: "member",
        expected: "state.bin",
        actual: "none",
        member: "state.bin",
      }),
    );
    assert.deepEqual([code, member], ["ERR_SNAPSHOT_ARCHIVE", "state.bin"]);
  });

  it("does not follow a cause that is its own cause", () => {
    const cause = new Error("around");
    cause.cause = cause;
    assert.deepEqual(parsed(new SnapshotError("x", { cause })).cause, {
      name: "Error",
      message: "around",
    });
    const plain: { self?: unknown } = {};
    plain.self = plain;
    assert.ok(JSON.stringify(new SnapshotError("x", { cause: plain })));
  });

  it("never throws, whatever the cause is", () => {
    const causes: unknown[] = [
      unreadable(),
      {
        get secret() {
          throw new Error("hostile");
        },
      },
      Object.assign(new Error("x"), {
        toJSON: () => {
          throw new Error("y");
        },
      }),
      Object.defineProperty(new Error("x"), "message", {
        get() {
          throw new Error("hostile");
        },
      }),
      Object.defineProperty(new Error("x"), "name", {
        get() {
          throw new Error("hostile");
        },
      }),
      [unreadable(), 1n, Symbol("x"), () => {}],
      { big: 10n, deep: { deeper: { deepest: 1n } }, toJSON: () => 1n },
      1n,
      Symbol("x"),
      new Map([[1n, 1n]]),
    ];
    for (const cause of causes) {
      const json = JSON.stringify(new SnapshotError("Cannot", { cause }));
      assert.equal(JSON.parse(json).message, "Cannot");
      const listed = new NoUsableSnapshotError("none", [cause]);
      assert.equal(JSON.parse(JSON.stringify(listed)).message, "none");
    }
  });
});
