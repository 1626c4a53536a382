/**
 * The output of `--version`; a test holds it equal to the package's version.
 */
export const VERSION = "0.1.0";
