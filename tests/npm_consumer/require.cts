/**
 * A user's program in CommonJS: Node 20.19 and later can `require()` modules.
 *
 * @module
 */

import assert = require("node:assert/strict");
import snapshots = require("@raft/snapshots");
import crc = require("@raft/snapshots/crc64");
import node = require("@raft/snapshots/node");
import s3 = require("@raft/snapshots/s3");
import testing = require("@raft/snapshots/testing");

assert.equal(typeof snapshots.openFileSnapshotStore, "function");
assert.equal(crc.crc64(new Uint8Array()), 0n);
assert.equal(typeof node.nodeFileSystem.resolve("."), "string");
assert.equal(typeof s3.openS3SnapshotStore, "function");
assert.equal(typeof testing.MemoryFileSystem, "function");
