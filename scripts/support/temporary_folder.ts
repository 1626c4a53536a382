/**
 * A folder for the time that something takes.
 *
 * @module
 */

/** Makes an empty folder, which is removed with all its contents on disposal. */
export async function temporaryFolder(dir?: string): Promise<
  AsyncDisposable & { readonly path: string }
> {
  const prefix = "raft-snapshots-build-";
  const made = await Deno.makeTempDir(
    dir === undefined ? { prefix } : { prefix, dir },
  );
  const path = await Deno.realPath(made);
  return {
    path,
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}
