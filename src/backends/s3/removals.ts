/**
 * Removes snapshots: first writes an object that marks the snapshot as deleted,
 * then removes `meta.json`, and the rest once no other process can be reading
 * it.
 *
 * @module
 */

import { SnapshotNotFoundError, SnapshotRetainedError } from "../../errors.ts";
import { sideBySide } from "../../fs/side_by_side.ts";
import type { Found, FoundSnapshot } from "./catalog.ts";
import { S3Failure, toAccessError } from "./client/failure.ts";
import { deleteObject, putObject } from "./client/objects.ts";
import type { PartName } from "./names.ts";
import { type BucketParts, isOlder } from "./parts.ts";

/** How many are removed side by side. */
const CONCURRENCY = 4;

/** A snapshot that is to be removed. */
interface Doomed {
  /** When it was marked, by the server's clock. */
  readonly since: number;
  /** Whether `meta.json` may still be there. */
  readonly hasMeta: boolean;
}

/** Removes snapshots, and the remains of earlier removals. */
export class Removals {
  readonly #parts: BucketParts;
  readonly #isRead: (id: string) => boolean;
  #doomed = new Map<string, Doomed>();
  /** Whether it was reported that the bucket retains snapshots. */
  #hasSaidRetained = false;

  /** `isRead` says whether this process has a state open. */
  constructor(parts: BucketParts, isRead: (id: string) => boolean) {
    this.#parts = parts;
    this.#isRead = isRead;
  }

  /** Notes the snapshots that a listing shows as deleted. */
  note({ snapshots }: Found): void {
    this.#doomed = new Map(
      [...snapshots].flatMap(([id, found]) => {
        const since = found.part("deleted")?.modified;
        const hasMeta = found.part("meta.json") !== undefined;
        return since === undefined ? [] : [[id, { since, hasMeta }]];
      }),
    );
  }

  /** Resolves to the errors of those that are still visible. */
  async remove(
    ids: readonly string[],
    from: "published" | "quarantined",
  ): Promise<ReadonlyMap<string, unknown>> {
    const failures = new Map<string, unknown>();
    await sideBySide(ids, CONCURRENCY, async (id) => {
      try {
        await this.#removeOne(id, from);
      } catch (error) {
        failures.set(id, toAccessError(`delete snapshot ${id}`, error));
      }
    });
    return failures;
  }

  /** Continues with everything that is to be removed. */
  async finish(): Promise<void> {
    const due = [...this.#doomed].filter(([id, doomed]) =>
      doomed.hasMeta || this.#isDue(id, doomed)
    );
    await sideBySide(
      due,
      CONCURRENCY,
      ([id, doomed]) => this.#purge(id, doomed),
    );
  }

  async #removeOne(
    id: string,
    from: "published" | "quarantined",
  ): Promise<void> {
    const { catalog, client, keys, options } = this.#parts;
    const found = await catalog.look(id);
    if (found.state !== from) {
      if (from === "quarantined") return;
      throw new SnapshotNotFoundError(
        `Cannot find snapshot ${id} in the bucket`,
      );
    }
    // First, even without a claim, because it shows whether objects can be
    // deleted. Otherwise the mark could hide the snapshot, and never be taken
    // back.
    await this.#deleteUnlessRetained(id, "claim");
    const deleted = keys.key(id, "deleted");
    await putObject(client, { key: deleted, body: NOTHING }, options);
    catalog.forget(id);
    try {
      await this.#deleteUnlessRetained(id, "meta.json");
    } catch (error) {
      if (error instanceof SnapshotRetainedError) {
        await deleteObject(client, deleted);
        throw error;
      }
      // The snapshot is invisible already.
      this.#report(id, error);
    }
    const doomed = { since: client.serverTime, hasMeta: true };
    this.#doomed.set(id, doomed);
    if (this.#isDue(id, doomed)) await this.#purge(id, doomed);
  }

  /** Whether the rest may go. */
  #isDue(id: string, { since }: Doomed): boolean {
    return !this.#isRead(id) &&
      isOlder(this.#parts, since, this.#parts.options.graceMs);
  }

  /** Removes `meta.json`, and the rest if that is due. Failures are logged. */
  async #purge(id: string, doomed: Doomed): Promise<void> {
    const { catalog, client, keys } = this.#parts;
    try {
      if (doomed.hasMeta) await deleteObject(client, keys.key(id, "meta.json"));
      this.#doomed.set(id, { ...doomed, hasMeta: false });
      if (!this.#isDue(id, doomed)) return;
      await this.#deleteParts(await catalog.look(id));
      this.#doomed.delete(id);
      catalog.forget(id);
    } catch (error) {
      this.#report(id, error);
    }
  }

  /** Removes the objects of a snapshot, its mark last. */
  async #deleteParts({ id, parts }: FoundSnapshot): Promise<void> {
    const { client, keys } = this.#parts;
    const rest = parts.filter((part) => part !== "deleted");
    for (const part of [...rest, "deleted"] as const) {
      await deleteObject(client, keys.key(id, part));
    }
  }

  async #deleteUnlessRetained(id: string, part: PartName): Promise<void> {
    const { client, keys, report } = this.#parts;
    try {
      await deleteObject(client, keys.key(id, part));
    } catch (error) {
      if (!(error instanceof S3Failure) || !error.isDenied) throw error;
      const retained = new SnapshotRetainedError(
        `Cannot delete snapshot ${id}: the bucket retains it (${error.message})`,
        { cause: error },
      );
      report({
        type: "failed",
        operation: "remove",
        id,
        error: retained,
        isExpected: this.#hasSaidRetained,
      });
      this.#hasSaidRetained = true;
      throw retained;
    }
  }

  #report(id: string, error: unknown): void {
    const isExpected = error instanceof S3Failure && error.isDenied;
    const { report } = this.#parts;
    report({ type: "failed", operation: "remove", id, error, isExpected });
  }
}

const NOTHING = new Uint8Array();
