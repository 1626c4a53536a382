/**
 * A snapshot that is being written, from its first byte until it is published or
 * discarded.
 *
 * @module
 */

import type { FinalParts } from "../backend/backend.ts";
import { isMaybePublished } from "../backend/maybe_published_error.ts";
import { crc64 } from "../crc64/mod.ts";
import { SnapshotCorruptError, SnapshotPublishError } from "../errors.ts";
import { isSnapshotError } from "../is_snapshot_error.ts";
import {
  BLOCKS_FILE_SIZE_MAX,
  encodeBlocks,
} from "../snapshot/block_checksums.ts";
import type { MakeExtra } from "../snapshot/extras.ts";
import { encodeRecord } from "../snapshot/meta/encode.ts";
import { copyFields, makeMeta } from "../snapshot/meta/snapshot_meta.ts";
import type {
  ExpectedState,
  SnapshotMeta,
  SnapshotMetaFields,
} from "../snapshot/types.ts";
import { describe } from "../text.ts";
import { BlockWriter } from "./block_writer.ts";
import type { CheckedPending } from "./checked_pending.ts";
import type { StoreParts } from "./parts.ts";

type Parts = Pick<
  StoreParts,
  "backend" | "blockSize" | "health" | "newestFirst" | "report"
>;

/** Writes a snapshot. A sink ends it once, in one of two ways. */
export class SnapshotWriter {
  readonly #parts: Parts;
  readonly #pending: CheckedPending;
  /** A copy of the metadata, because callers can change theirs. */
  readonly #init: SnapshotMetaFields;
  readonly #blocks: BlockWriter;
  readonly #expected: ExpectedState;
  /** Bytes taken over so far. */
  #taken = 0;
  #meta: SnapshotMeta;
  #makeExtra: MakeExtra | undefined;

  constructor(
    parts: Parts,
    pending: CheckedPending,
    { meta, expected = {} }: {
      readonly meta: SnapshotMetaFields;
      readonly expected?: ExpectedState | undefined;
    },
  ) {
    this.#expected = expected;
    this.#parts = parts;
    this.#meta = makeMeta(meta);
    this.#init = copyFields(meta);
    this.#pending = pending;
    this.#blocks = new BlockWriter(pending, parts.blockSize);
  }

  /** The metadata; `size` and `crc` are final once it is published. */
  get meta(): SnapshotMeta {
    return this.#meta;
  }

  /**
   * Appends to the state; returns `undefined` when that is done at once. Calls
   * do not overlap.
   */
  write(bytes: Uint8Array): Promise<void> | undefined {
    this.#taken += bytes.length;
    const { size } = this.#expected;
    if (size !== undefined && this.#taken > size) {
      throw this.#unexpected("size", size, `${this.#taken} bytes or more`);
    }
    return this.#blocks.write(bytes)?.catch((error) => {
      throw this.#failure("write", error, false);
    });
  }

  /** See {@linkcode BlockWriter.writeDirectly}. */
  writeDirectly(): void {
    this.#blocks.writeDirectly();
  }

  /** Whether the snapshot can carry a file. */
  get canCarryExtras(): boolean {
    return this.#parts.backend.canCarryExtras;
  }

  /** Lets the snapshot carry a file; before the publication. */
  addExtra(make: MakeExtra): void {
    this.#makeExtra = make;
  }

  /** Publishes the snapshot, or removes every trace and rejects. */
  async publish(): Promise<void> {
    try {
      await this.#pending.publish(await this.#finish());
    } catch (error) {
      if (isMaybePublished(error)) {
        throw this.#failure("publish", error.cause, true);
      }
      await this.discard(error);
      throw this.#failure("publish", error, false);
    }
    this.#parts.newestFirst.note(this.#meta);
    this.#parts.health.acknowledge(this.#init.id);
  }

  /** Makes the parts beside the state; the backend then has the whole state. */
  async #finish(): Promise<FinalParts> {
    await this.#blocks.finish();
    const { size, crc, blockCrcs } = this.#blocks;
    const { size: expectedSize = size, crc: expectedCrc = crc } =
      this.#expected;
    // The size is checked first, because its error is clearer.
    if (size !== expectedSize) {
      throw this.#unexpected("size", expectedSize, size);
    }
    if (crc !== expectedCrc) throw this.#unexpected("crc", expectedCrc, crc);
    this.#meta = makeMeta({ ...this.#meta, size, crc });
    const meta = encodeRecord({ ...this.#init, size, crc });
    const blocks = encodeBlocks({
      blockSize: this.#parts.blockSize,
      stateSize: size,
      metaCrc: crc64(meta),
      crcs: blockCrcs,
    });
    // Readers reject a longer file, so the CRC of the state must be enough
    // then.
    const isRead = blocks.length <= BLOCKS_FILE_SIZE_MAX;
    return {
      meta,
      blocks: isRead ? blocks : undefined,
      extra: this.#makeExtra?.(),
    };
  }

  /**
   * Discards the snapshot unless its publication has been handed to the
   * backend, also while `publish()` waits for an append.
   */
  async giveUp(reason: unknown): Promise<void> {
    if (!this.#pending.isPublishing) await this.discard(reason);
  }

  /** Removes every trace, also of a write that is under way. Never rejects. */
  async discard(reason: unknown): Promise<void> {
    this.#blocks.stop();
    try {
      await this.#pending.discard(reason);
    } catch (error) {
      // The failure that led here must not be hidden by this one.
      const { id } = this.#init;
      this.#parts.report({ type: "failed", operation: "discard", id, error });
    }
  }

  #unexpected(
    reason: "size" | "crc",
    expected: number | bigint,
    actual: string | number | bigint,
  ): Error {
    const what = `the state given for snapshot ${this.#init.id}`;
    const details = { reason, expected, actual };
    const error = new SnapshotCorruptError(what, details);
    return this.#failure("publish", error, false);
  }

  #failure(doing: string, error: unknown, published: boolean): Error {
    const isPublishError = isSnapshotError(error, "ERR_SNAPSHOT_PUBLISH");
    // A backend's own error may contradict the outcome of the publication.
    if (isPublishError && error.published === published) return error;
    return new SnapshotPublishError(
      `Cannot ${doing} snapshot ${this.#init.id}: ${describe(error)}`,
      { published, cause: error },
    );
  }
}
