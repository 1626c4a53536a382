/**
 * The names of the options of a store's methods.
 *
 * @module
 */

import type { OptionNames } from "../option_names.ts";
import type {
  CreateOptions,
  OpenOptions,
  RestoreOptions,
  SaveOptions,
  VerifyOptions,
} from "./types.ts";

/** Of `create()`. */
export const CREATE_OPTIONS: OptionNames<CreateOptions> = {
  signal: true,
  expected: true,
};

/** Of `save()`. */
export const SAVE_OPTIONS: OptionNames<SaveOptions> = {
  ...CREATE_OPTIONS,
  onProgress: true,
};

/** Of `open()`. */
export const OPEN_OPTIONS: OptionNames<OpenOptions> = {
  verify: true,
  signal: true,
  start: true,
  end: true,
  onProgress: true,
  reuseBuffers: true,
};

/** Of `restore()`. */
export const RESTORE_OPTIONS: OptionNames<RestoreOptions> = {
  reuseBuffers: true,
};

/** Of `verify()` and `seal()`. */
export const VERIFY_OPTIONS: OptionNames<VerifyOptions> = {
  signal: true,
  onProgress: true,
};
