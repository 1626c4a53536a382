/**
 * The part of Deno's own interface that `node:` modules lack.
 *
 * @module
 */

/** An open file of Deno. */
export interface DenoFile {
  /** Takes the kernel's lock, or resolves to `false`. Not in every Deno 2. */
  tryLock?(exclusive: boolean): Promise<boolean>;
  /** `whence` 0: from the beginning. */
  seek(offset: number, whence: 0): Promise<number>;
  write(bytes: Uint8Array): Promise<number>;
  close(): void;
}

/** The used part of the global `Deno`. */
export interface DenoRuntime {
  readonly build: { readonly os: string };
  readonly permissions: {
    querySync(descriptor: DenoPermission): { readonly state: string };
  };
  lstatSync(path: string): unknown;
  open(
    path: string,
    options: { readonly read?: boolean; readonly write: boolean },
  ): Promise<DenoFile>;
}

/** A permission, as Deno describes it. */
export interface DenoPermission {
  readonly name: "env" | "ffi" | "net" | "read" | "run" | "sys" | "write";
  readonly path?: string;
  readonly kind?: "hostname" | "uid";
  readonly variable?: string;
}

/** Deno itself, or `undefined` on another runtime. */
export const deno: DenoRuntime | undefined =
  (globalThis as { readonly Deno?: DenoRuntime }).Deno;

/**
 * Whether the runtime allows something. Asked before it is tried, because in a
 * terminal Deno would stop the program and ask the user for the permission.
 */
export function isPermitted(permission: DenoPermission): boolean {
  return deno === undefined ||
    deno.permissions.querySync(permission).state === "granted";
}

const EVERYTHING = [
  "read",
  "write",
  "net",
  "run",
  "env",
  "sys",
  "ffi",
] as const;

/**
 * Whether the runtime allows everything. Deno asks for that (`--allow-all`)
 * where a path leads below `/proc`, because such a path can reach anything.
 */
export function isEverythingPermitted(): boolean {
  return EVERYTHING.every((name) => isPermitted({ name }));
}
