/**
 * The members of an archive, by their names.
 *
 * @module
 */

/** The snapshot's metadata. */
export const META = "meta.json";

/** The snapshot's state. */
export const STATE = "state.bin";

/** The digests of these two members. */
export const SUMS = "SHA256SUMS";

/**
 * Vault's own member: the digests once more, sealed with a key that only the
 * cluster has, so that Vault detects when another program changed a snapshot.
 */
export const SEALED_SUMS = "SHA256SUMS.sealed";
