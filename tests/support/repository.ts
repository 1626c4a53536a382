/**
 * Where the sources are, for tests of the repository itself.
 *
 * @module
 */

import process from "node:process";
import { pathToFileURL } from "node:url";

/**
 * The repository's root. On Node and Bun the tests run in a copy, beside the
 * installed package; the environment of the test run says where it came from.
 */
export const repository: URL = locate();

function locate(): URL {
  const path = process.env["RAFT_SNAPSHOTS_REPOSITORY"];
  return path === undefined
    ? new URL("../../", import.meta.url)
    : pathToFileURL(`${path}/`);
}
