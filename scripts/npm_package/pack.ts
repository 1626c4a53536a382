/**
 * Packs the sources with Deno's own packer, and unpacks the result.
 *
 * @module
 */

import { join } from "node:path";
import { mustRun } from "../support/command.ts";
import { root } from "../support/repository.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

/** Puts the sources as JavaScript, with their types, into the folder `to`. */
export async function packSources(to: string): Promise<void> {
  await using temporary = await temporaryFolder();
  const tarball = join(temporary.path, "package.tgz");
  // Source maps would carry the paths of this machine.
  const pack = ["pack", "--allow-dirty", "--no-source-maps", "-o", tarball];
  await mustRun(Deno.execPath(), pack, { cwd: root });
  await Deno.mkdir(to, { recursive: true });
  await mustRun("tar", ["-xzf", tarball, "-C", to, "--strip-components=1"]);
}
