/**
 * Checks the arguments of `create()`, for every kind of store.
 *
 * @module
 */

import { SUFFRAGES } from "./meta/encode.ts";
import { decodePeers, encodePeers } from "./meta/peers.ts";
import { SAVE_OPTIONS } from "./option_names.ts";
import { resolveTakenAt } from "./taken_at.ts";
import type {
  Configuration,
  Server,
  SnapshotInit,
  SnapshotMetaFields,
} from "./types.ts";
import { quote } from "../text.ts";
import { UINT64_MAX } from "../uint64.ts";

/** The metadata of a snapshot that is about to be written, without its ID. */
export type InitialMeta = Omit<SnapshotMetaFields, "id">;

/**
 * Turns the argument of `create()` into metadata; writes nothing.
 *
 * @throws {TypeError} when a value has the wrong type.
 * @throws {RangeError} when a number is not a uint64, or the version not 1.
 */
export function resolveInit(init: SnapshotInit): InitialMeta {
  if (typeof init !== "object" || init === null) {
    throw new TypeError(
      `Cannot create a snapshot: found ${
        init === null ? "null" : typeof init
      }` +
        ", expected its index, term, configuration and configurationIndex",
    );
  }
  requireNoOptions(init);
  const { version = 1 } = init;
  if (version !== 0 && version !== 1) {
    throw new RangeError(
      `Cannot create a snapshot of version ${String(version)}: expected 0 or 1`,
    );
  }
  if (version === 0) return resolveVersion1(upgrade(init));
  return resolveVersion1(init);
}

/**
 * Rejects options among the metadata: they would be ignored, and a transfer that
 * `expected` guards against could become a snapshot.
 */
function requireNoOptions(init: object): void {
  const found = Object.entries(init).find(([name, value]) =>
    value !== undefined && Object.hasOwn(SAVE_OPTIONS, name)
  );
  if (found === undefined) return;
  throw new TypeError(
    `Cannot create a snapshot: found the option "${
      found[0]
    }" in its metadata, ` +
      "expected it in the last argument",
  );
}

/**
 * In version 0 the servers are in `peers`, as of the snapshot's own index
 * (`installSnapshot` in Go's `raft.go`).
 */
function upgrade(init: SnapshotInit): SnapshotInit {
  const { peers = new Uint8Array() } = init;
  const configuration = peers.length === 0
    ? { servers: [] }
    : decodePeers(peers);
  return { ...init, configuration, configurationIndex: init.index };
}

function resolveVersion1(init: SnapshotInit): InitialMeta {
  const configuration = resolveConfiguration(init.configuration);
  return {
    version: 1,
    index: requireUint64("index", init.index),
    term: requireUint64("term", init.term),
    peers: encodePeers(configuration),
    configuration,
    configurationIndex: requireUint64(
      "configurationIndex",
      init.configurationIndex,
    ),
    size: 0,
    crc: 0n,
    ...resolveTakenAt(init.takenAt),
  };
}

/** A uint64 that a caller gave. */
export function requireUint64(name: string, value: bigint | number): bigint {
  if (typeof value !== "bigint" && typeof value !== "number") {
    throw new TypeError(
      `Cannot use ${name}: found ${typeof value}, expected a bigint or number`,
    );
  }
  const exact = typeof value === "bigint" || Number.isSafeInteger(value);
  if (exact && value >= 0 && value <= UINT64_MAX) return BigInt(value);
  throw new RangeError(
    `Cannot use ${name}: found ${value}, expected an integer from 0 to ` +
      `${UINT64_MAX} (a bigint above ${Number.MAX_SAFE_INTEGER})`,
  );
}

/** A checked copy of the servers that the caller gave. */
export function resolveConfiguration(
  configuration: Configuration,
): Configuration {
  if (Array.isArray(configuration?.servers)) {
    return { servers: configuration.servers.map(resolveServer) };
  }
  throw new TypeError(
    "Cannot use configuration: expected an object whose servers are an array",
  );
}

function resolveServer(server: Server, i: number): Server {
  const { suffrage, id, address } = server;
  if (!SUFFRAGES.includes(suffrage)) {
    throw new TypeError(
      `Cannot use the suffrage of server ${i}: found ` +
        `${quote(String(suffrage))}, expected one of ${SUFFRAGES.join(", ")}`,
    );
  }
  if (typeof id !== "string" || typeof address !== "string") {
    throw new TypeError(
      `Cannot use server ${i}: expected id and address to be strings`,
    );
  }
  // Half a surrogate pair has no form in UTF-8. It is replaced here, so that
  // the metadata in memory is equal to the metadata that a reader gets.
  return {
    suffrage,
    id: id.toWellFormed(),
    address: address.toWellFormed(),
  };
}
