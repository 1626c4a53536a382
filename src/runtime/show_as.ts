/**
 * Sets how `console.log` shows an object on Deno, Bun and Node.
 *
 * @module
 */

/** Asked by Node and Bun, and by Deno where an object is not a web stream. */
const NODE = Symbol.for("nodejs.util.inspect.custom");

/** Asked by Deno first. */
const DENO = Symbol.for("Deno.customInspect");

/** Shows a value as text; each runtime passes its own. */
type Inspect = (value: unknown, options: unknown) => string;

/** The text form of an object. */
export interface Shown {
  /** The name of its class. */
  readonly name: string;
  readonly fields: object;
}

/**
 * Lets `console.log` show `target`, or the objects whose prototype it is, as
 * `Name { field: value }`.
 */
export function showAs<T extends object>(
  target: T,
  show: (object: T) => Shown,
): void {
  const text = (object: T, inspect: Inspect, options: unknown) => {
    const { name, fields } = show(object);
    // Not an object of that class: Bun shows only names that are in the source.
    return `${name} ${inspect(fields, options)}`;
  };
  Object.defineProperties(target, {
    [NODE]: {
      value(this: T, _depth: number, options: unknown, inspect: Inspect) {
        return text(this, inspect, options);
      },
    },
    [DENO]: {
      value(this: T, inspect: Inspect, options: unknown) {
        return text(this, inspect, options);
      },
    },
  });
}
