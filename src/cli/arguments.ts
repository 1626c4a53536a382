/** Reads the values of options and arguments; a wrong one is a usage error. */

import { InvalidArgumentError, Option } from "commander";
import type { Server, Suffrage } from "../../mod.ts";
import { nodeFileSystem } from "../node/mod.ts";
import { messageOf } from "./reason.ts";

const UINT64_MAX = 2n ** 64n - 1n;

/**
 * A path, or the one that a `file:` URL stands for. An empty one, from an unset
 * variable, would be the working directory.
 */
export function parsePath(text: string): string {
  if (/^file:/i.test(text)) return parseFileUrl(text);
  if (text !== "") return text;
  throw new InvalidArgumentError("Expected a path that is not empty.");
}

function parseFileUrl(text: string): string {
  try {
    return nodeFileSystem.resolve(text);
  } catch (error) {
    throw new InvalidArgumentError(`${messageOf(error)}.`);
  }
}

/** A uint64 in decimal digits, without loss. */
export function parseUint64(text: string): bigint {
  if (/^\d{1,20}$/.test(text)) {
    const value = BigInt(text);
    if (value <= UINT64_MAX) return value;
  }
  throw new InvalidArgumentError(`Expected an integer of 0 to ${UINT64_MAX}.`);
}

/** A number of snapshots, 1 or more. */
export function parseRetain(text: string): number {
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new InvalidArgumentError("Expected an integer of 1 or more.");
}

/** A length in bytes. */
export function parseSize(text: string): number {
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError(
    `Expected an integer of 0 to ${Number.MAX_SAFE_INTEGER}.`,
  );
}

/** A CRC-64 as `formatCrc()` prints it. */
export function parseCrc(text: string): bigint {
  if (/^[\da-f]{16}$/i.test(text)) return BigInt(`0x${text}`);
  throw new InvalidArgumentError("Expected 16 hexadecimal digits.");
}

/** A level of compression, 0 to 9. */
export function parseLevel(text: string): number {
  if (/^\d$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Expected an integer of 0 to 9.");
}

const SERVER = /^(?:(voter|nonvoter|staging):)?([^=]+)=(.+)$/s;

/** `[SUFFRAGE:]ID=ADDRESS`, added to the servers that came before. */
export function parseServer(
  text: string,
  earlier: readonly Server[],
): readonly Server[] {
  const [, suffrage = "voter", id, address] = SERVER.exec(text) ?? [];
  if (id === undefined || address === undefined) {
    throw new InvalidArgumentError("Expected [SUFFRAGE:]ID=ADDRESS.");
  }
  // As `checkConfiguration` in Go's configuration.go.
  if (earlier.some((other) => other.id === id || other.address === address)) {
    throw new InvalidArgumentError("Expected each ID and each address once.");
  }
  return [...earlier, { suffrage: suffrage as Suffrage, id, address }];
}

/** `--host-id`, for the commands that take the store's lock. */
export function hostIdOption(): Option {
  return new Option(
    "--host-id <ID>",
    "the identity of this host in the store's lock, instead of its name: the " +
      "same as the option hostId of the program that uses the store; two " +
      "machines must never have the same identity",
  );
}

const UNITS_MS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** A duration such as `90s`, `30m`, `2h` or `1d`, in milliseconds. */
export function parseDuration(text: string): number {
  const [, count = "", unit = ""] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  const unitMs = UNITS_MS[unit];
  if (unitMs !== undefined) return Number(count) * unitMs;
  throw new InvalidArgumentError("Expected a duration such as 90s, 2h or 1d.");
}
