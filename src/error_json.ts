/**
 * Errors as JSON, whatever their causes and fields are.
 *
 * @module
 */

import { describe, formatCrc } from "./text.ts";

/** A value that `JSON.stringify()` takes. */
export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue };

/** An error as JSON: its name, code and message, and its other fields. */
export interface ErrorJson {
  /** The class's name. */
  readonly name: string;
  /** The message. */
  readonly message: string;
  /** The code, and the other fields of the error. */
  readonly [field: string]: JsonValue;
}

/** How deep a field may be nested, such as an error in a list of errors. */
const DEPTH_MAX = 2;

/** How many elements of a list are shown, or fields of an object. */
const ELEMENTS_MAX = 100;

/** The error as JSON; of its causes only the names, codes and messages. */
export function toErrorJson(error: Error): ErrorJson {
  const { cause } = error;
  return {
    ...shortJson(error),
    ...fieldsOf(error, DEPTH_MAX),
    ...(cause === undefined ? {} : { cause: toJson(cause, 1) ?? null }),
  };
}

/** The name, code and message of an error. */
function shortJson(error: Error): ErrorJson {
  const { name, code } = error as { name: unknown; code?: unknown };
  return {
    name: String(name),
    ...(typeof code === "string" ? { code } : {}),
    message: describe(error),
  };
}

function fieldsOf(value: object, depth: number): Record<string, JsonValue> {
  return Object.fromEntries(
    Object.entries(value).slice(0, ELEMENTS_MAX).flatMap(([name, field]) => {
      const json = toJson(field, depth);
      return json === undefined ? [] : [[name, json]];
    }),
  );
}

/** Any value as JSON, or `undefined` for a value that JSON can't hold. */
function toJson(value: unknown, depth: number): JsonValue | undefined {
  try {
    return typeof value === "object" && value !== null
      ? objectJson(value, depth)
      : primitiveJson(value);
  } catch {
    // A getter or a proxy of the caller's has thrown.
    return "(can't be read)";
  }
}

function primitiveJson(value: unknown): JsonValue | undefined {
  switch (typeof value) {
    case "bigint":
      // The only bigints in errors are CRCs.
      return formatCrc(value);
    case "number":
      return Number.isFinite(value) ? value : String(value);
    case "string":
    case "boolean":
      return value;
    default:
      return value === null ? null : undefined;
  }
}

function objectJson(value: object, depth: number): JsonValue {
  if (value instanceof Error) return shortJson(value);
  if (depth === 0) return describe(value);
  if (!Array.isArray(value)) return fieldsOf(value, depth - 1);
  return value.slice(0, ELEMENTS_MAX)
    .map((element) => toJson(element, depth - 1) ?? null);
}
