/**
 * Makes the paths in errors readable. Below a held directory, the system's
 * errors name a path that only this process can use.
 *
 * @module
 */

/**
 * Puts `path` in the place of `held` in the error's message; returns the error.
 * `held` is a path, or a pattern in which a number stands for any.
 */
export function showPath<E>(error: E, held: string, path: string): E {
  if (!(error instanceof Error) || held === path) return error;
  const pattern = new RegExp(`${held}(?!\\d)`, "g");
  const shown = (text: string) => text.replace(pattern, () => path);
  error.message = shown(error.message);
  const fields = error as { path?: unknown; dest?: unknown };
  for (const name of ["path", "dest"] as const) {
    const value = fields[name];
    if (typeof value === "string") fields[name] = shown(value);
  }
  return error;
}
