/**
 * A snapshot that is being written: its ID is claimed, its state is on its way,
 * and it becomes visible by its `meta.json`, which is written last.
 *
 * @module
 */

import { allSettled } from "../../backend/all_settled.ts";
import type { FinalParts, PendingSnapshot } from "../../backend/backend.ts";
import { MaybePublishedError } from "../../backend/maybe_published_error.ts";
import { WriteAgainError } from "../../backend/write_again_error.ts";
import { pause } from "../../backend/pause.ts";
import { ownBytes } from "../../bytes.ts";
import { SnapshotError, SnapshotPublishError } from "../../errors.ts";
import type { FoundSnapshot } from "./catalog.ts";
import { InDoubtError, S3Failure, toAccessError } from "./client/failure.ts";
import {
  createObject,
  deleteObject,
  headObject,
  type NewObject,
} from "./client/objects.ts";
import { checksumHeaders, checksumOf } from "./client/multipart.ts";
import type { PartName } from "./names.ts";
import type { BucketParts } from "./parts.ts";
import { choosePartSize, StateUpload } from "./state_upload.ts";

/** Claims an ID and begins its snapshot; `"taken"` when another writer has it. */
export async function beginPending(
  parts: BucketParts,
  id: string,
  { expectedSize, onPublished, onEnd }: {
    readonly expectedSize: number | undefined;
    /** Called when the snapshot is visible. */
    readonly onPublished: () => void;
    /** Called when it is not being written any more. */
    readonly onEnd: () => void;
  },
): Promise<PendingSnapshot | "taken"> {
  const { client, keys, options } = parts;
  const partSize = choosePartSize(options.partSize, expectedSize);
  const nonce = crypto.randomUUID();
  const body = new TextEncoder().encode(nonce);
  const claim = { key: keys.key(id, "claim"), body, nonce };
  try {
    if (!await createObject(client, claim, options)) return "taken";
  } catch (error) {
    // A claim that is in the way and is not found.
    const failure = error instanceof InDoubtError ? error.cause : undefined;
    if (failure instanceof S3Failure && failure.isUnmet) return "taken";
    throw error;
  }
  const key = keys.key(id, "state.bin");
  const upload = new StateUpload(client, {
    ...options,
    key,
    nonce,
    partSize,
    expectedSize,
  });
  const handlers = { onPublished, onEnd };
  return new PendingObjects(parts, { id, nonce, upload, ...handlers });
}

/**
 * How long to wait before each look, in milliseconds: a gateway may still carry
 * out a request that was given up, and replace an object by the same.
 */
const LOOKS_MS: readonly number[] = [0, 100, 400, 1_600];

/** The objects of a snapshot that is being written. */
class PendingObjects implements PendingSnapshot {
  readonly #parts: BucketParts;
  readonly #id: string;
  readonly #nonce: string;
  readonly #upload: StateUpload;
  readonly #onPublished: () => void;
  readonly #onEnd: () => void;

  constructor(
    parts: BucketParts,
    { id, nonce, upload, onPublished, onEnd }: {
      readonly id: string;
      readonly nonce: string;
      readonly upload: StateUpload;
      readonly onPublished: () => void;
      readonly onEnd: () => void;
    },
  ) {
    this.#parts = parts;
    this.#id = id;
    this.#nonce = nonce;
    this.#upload = upload;
    this.#onPublished = onPublished;
    this.#onEnd = onEnd;
  }

  append(bytes: Uint8Array): Promise<void> {
    try {
      return this.#upload.append(bytes).catch((error) => this.#fail(error));
    } catch (error) {
      this.#fail(error);
    }
  }

  async publish({ meta, blocks, extra }: FinalParts): Promise<void> {
    try {
      await allSettled([
        this.#upload.complete(),
        blocks === undefined ? done : this.#put("blocks.crc64", blocks),
        extra === undefined ? done : this.#put(extra.name, extra.bytes),
      ]);
      await this.#putMeta(meta);
    } catch (error) {
      // The snapshot may be visible, so it is not discarded.
      if (error instanceof MaybePublishedError) this.#onEnd();
      this.#fail(error);
    }
    this.#onPublished();
    try {
      await this.#confirm();
    } catch (error) {
      if (error instanceof MaybePublishedError) this.#onEnd();
      throw error;
    }
    this.#onEnd();
  }

  async discard(): Promise<void> {
    try {
      await this.#upload.abort();
      await this.#removeOwn();
    } catch (error) {
      // A sweep, or the bucket's own rule, removes the rest.
      this.#parts.report({
        type: "failed",
        operation: "discard",
        id: this.#id,
        error,
        isExpected: error instanceof S3Failure && error.isDenied,
      });
    } finally {
      this.#onEnd();
    }
  }

  /** Puts an object that another program's copy may have put there as well. */
  async #put(name: PartName, bytes: Uint8Array): Promise<void> {
    const { client, options } = this.#parts;
    const object = await this.#object(name, bytes);
    if (!await createObject(client, object, options)) throw this.#taken();
  }

  /** From here on the snapshot is visible, with all of its parts. */
  async #putMeta(bytes: Uint8Array): Promise<void> {
    const { client, options } = this.#parts;
    const object = await this.#object("meta.json", bytes);
    try {
      if (await createObject(client, object, options)) return;
    } catch (error) {
      if (!(error instanceof InDoubtError)) throw error;
      throw new MaybePublishedError(
        toAccessError(`publish snapshot ${this.#id}`, error.cause),
      );
    }
    throw this.#taken();
  }

  #taken(): SnapshotPublishError {
    return new SnapshotPublishError(
      `Cannot publish snapshot ${this.#id}: its name is taken`,
      { published: false },
    );
  }

  async #object(
    name: PartName,
    bytes: Uint8Array,
  ): Promise<NewObject & { readonly nonce: string }> {
    const { keys, options } = this.#parts;
    const body = ownBytes(bytes);
    return {
      key: keys.key(this.#id, name),
      body,
      nonce: this.#nonce,
      headers: checksumHeaders(await checksumOf(body, options.checksum)),
    };
  }

  /**
   * A sweep of another process may have taken this snapshot for the rest of a
   * writer that has ended. The sweep writes its mark first and then looks for
   * meta.json; the writer does it the other way round, so at least one of them
   * sees the other.
   */
  async #confirm(): Promise<void> {
    let found: FoundSnapshot | undefined;
    let isSwept = false;
    try {
      found = await this.#lookForDamage();
      if (found === undefined) return;
      // A sweep removes the claim first, and nothing else removes both.
      isSwept = !found.part("claim") && !found.part("state.bin");
      // Without its state it would be listed as corrupt.
      if (isSwept) await this.#deleteOwn("meta.json");
    } catch (error) {
      throw new MaybePublishedError(
        toAccessError(`look at snapshot ${this.#id}`, error),
      );
    }
    const why = isSwept || found.state === "abandoned"
      ? "a process that took it for unfinished has swept it: sweepAfterMs is " +
        "too short"
      : "the server may still be at work on a request that it has not answered";
    const message = `Cannot publish snapshot ${this.#id}: found ` +
      `${found.parts.join(", ") || "nothing"}, expected meta.json and ` +
      `state.bin; ${why}`;
    if (isSwept) throw new SnapshotPublishError(message, { published: false });
    throw new MaybePublishedError(new SnapshotError(message));
  }

  /** Its objects, if they stay other than expected for a while. */
  async #lookForDamage(): Promise<FoundSnapshot | undefined> {
    let found: FoundSnapshot | undefined;
    for (const pauseMs of LOOKS_MS) {
      await pause(pauseMs);
      found = await this.#parts.catalog.look(this.#id);
      // Another process has seen the snapshot, and removed it.
      if (found.state === "deleted") return undefined;
      if (found.isWhole && found.state !== "abandoned") return undefined;
    }
    return found;
  }

  /** Removes the objects that are certainly this writer's. */
  async #removeOwn(): Promise<void> {
    const { catalog } = this.#parts;
    const found = await catalog.look(this.#id);
    if (found.part("meta.json")) return;
    // The claim goes last: until then no other snapshot gets this ID.
    for (const part of [...WRITTEN, "claim"] as const) {
      if (found.part(part)) await this.#deleteOwn(part);
    }
    catalog.forget(this.#id);
  }

  /** Removes an object if this writer has put it. */
  async #deleteOwn(part: PartName): Promise<void> {
    const { client, keys } = this.#parts;
    const key = keys.key(this.#id, part);
    const head = await headObject(client, key);
    if (head?.nonce === this.#nonce) await deleteObject(client, key);
  }

  #fail(error: unknown): never {
    const failure = toAccessError(`write snapshot ${this.#id}`, error);
    throw isConflict(error) ? new WriteAgainError(failure) : failure;
  }
}

/**
 * Whether the server wants an object to be uploaded again. This one has a key
 * that no other snapshot gets, so another snapshot meets no such conflict.
 */
function isConflict(error: unknown): boolean {
  const failure = error instanceof InDoubtError ? error.cause : error;
  return failure instanceof S3Failure && failure.isConflict;
}

/** The objects that a writer puts between its claim and `meta.json`. */
const WRITTEN = ["state.bin", "blocks.crc64", "archive.origin"] as const;

const done = Promise.resolve();
