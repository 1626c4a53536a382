/**
 * The work of a process on a store in a bucket, and the rules that must hold for
 * the bucket when the process has ended in whatever way.
 */

import assert from "node:assert/strict";
import { SnapshotPublishError, type SnapshotStore } from "@raft/snapshots";
import type { Fetch } from "../../src/net/exchange.ts";
import type { RetryOptions } from "../../src/net/retry.ts";
import { bytes } from "../support/random.ts";
import {
  isRealServer,
  makeBucket,
  type TestBucket,
} from "../support/s3/bucket.ts";
import { INIT } from "../support/store_fixture.ts";

/**
 * The smallest part that a server accepts; the one in memory accepts small
 * ones.
 */
const PART = isRealServer ? 5 * 1024 * 1024 : 4096;

/** How many snapshots the store keeps. */
const RETAIN = 3;

/** The process's record of a snapshot. */
interface Known {
  readonly state: Uint8Array<ArrayBuffer>;
  /** "unknown": the call had not ended, or said that it can't tell. */
  outcome: "acknowledged" | "failed" | "unknown";
  /** Whether it was deleted, or may have been. */
  deleted: "no" | "yes" | "unknown";
  corrupted: boolean;
}

/** One process's work in a bucket of its own. */
export class Workload {
  readonly bucket: TestBucket = makeBucket({ partSizeMin: PART });
  readonly known = new Map<string, Known>();

  /** Works until it is done, or a call fails. */
  async run(fetch: Fetch, retry: RetryOptions, stallTimeoutMs = 30_000) {
    const store = await this.bucket.open({
      fetch,
      stallTimeoutMs,
      retain: RETAIN,
      blockSize: 1024,
      tuning: { retry, partSize: PART },
    });
    try {
      await this.#work(store);
    } finally {
      await store.close().catch(() => {});
    }
  }

  async #work(store: SnapshotStore): Promise<void> {
    const first = await this.#save(store, 1, 2 * PART + 100);
    const second = await this.#save(store, 2, 300);
    const cancelled = await store.create({ ...INIT, index: 3n });
    await cancelled.cancel();
    await this.#delete(store, first);
    await this.bucket.remove(second, "blocks.crc64");
    await store.seal(second);
    const third = await this.#save(store, 4, 700);
    await this.bucket.corrupt(third);
    this.#of(third).corrupted = true;
    await store.restore((source) => new Response(source).arrayBuffer());
    for (const index of [5, 6, 7]) await this.#save(store, index, 100);
  }

  async #save(
    store: SnapshotStore,
    index: number,
    size: number,
  ): Promise<string> {
    const sink = await store.create({ ...INIT, index: BigInt(index) });
    const state = bytes(size, index);
    const known: Known = {
      state,
      outcome: "unknown",
      deleted: "no",
      corrupted: false,
    };
    this.known.set(sink.id, known);
    const writer = sink.getWriter();
    try {
      await writer.write(state);
      await writer.close();
      known.outcome = "acknowledged";
    } catch (error) {
      const outcome = await sink.published.catch((reason) => reason);
      const isMaybe = outcome instanceof SnapshotPublishError &&
        outcome.published;
      known.outcome = isMaybe ? "unknown" : "failed";
      throw error;
    }
    return sink.id;
  }

  async #delete(store: SnapshotStore, id: string): Promise<void> {
    const known = this.#of(id);
    known.deleted = "unknown";
    await store.delete(id);
    known.deleted = "yes";
  }

  #of(id: string): Known {
    return this.known.get(id) as Known;
  }

  /** Checks the bucket as the next process finds it. */
  async check(): Promise<void> {
    // An operator: one day later nothing of it is still being written.
    const store = await this.bucket.open({ retain: RETAIN, sweepAfterMs: 0 });
    const listed = await store.list();
    for (const { id } of listed) await this.#checkListed(store, id);
    this.#checkRequired(listed.map(({ id }) => id));
    await this.#checkRestored(store, listed.map(({ id }) => id));
    await store.reap();
    await store.close();
    await this.#checkNames();
  }

  async #checkListed(store: SnapshotStore, id: string): Promise<void> {
    const known = this.known.get(id);
    assert.ok(known !== undefined, `${id} is listed, and was never written`);
    assert.notEqual(known.outcome, "failed", `${id} is listed, and has failed`);
    assert.notEqual(known.deleted, "yes", `${id} is listed, and was deleted`);
    const { ok } = await store.verify(id);
    assert.equal(ok, !known.corrupted, `verify() of ${id}`);
    if (known.corrupted) return;
    const source = await store.open(id);
    const state = new Uint8Array(await new Response(source).arrayBuffer());
    assert.deepEqual(state, known.state, `the state of ${id}`);
  }

  #checkRequired(listed: readonly string[]): void {
    const acknowledged = [...this.known].filter(([, known]) =>
      known.outcome === "acknowledged" && known.deleted === "no" &&
      !known.corrupted
    ).map(([id]) => id);
    for (const id of acknowledged.slice(-RETAIN)) {
      assert.ok(listed.includes(id), `${id} was acknowledged, and is lost`);
    }
  }

  async #checkRestored(
    store: SnapshotStore,
    listed: readonly string[],
  ): Promise<void> {
    const good = listed.filter((id) => !this.#of(id).corrupted);
    if (good.length === 0) return;
    const meta = await store.restore((source) =>
      new Response(source).arrayBuffer()
    );
    assert.equal(idOf(meta), good[0], "the snapshot that was restored");
  }

  /** Nothing is left but whole snapshots, and those in quarantine. */
  async #checkNames(): Promise<void> {
    const names = await this.bucket.names();
    const ids = new Set(names.map((name) => name.split("/")[0] as string));
    for (const id of ids) {
      const parts = names.filter((name) => name.startsWith(`${id}/`))
        .map((name) => name.slice(id.length + 1));
      assert.ok(parts.includes("meta.json"), `${id} is left with ${parts}`);
      const isOdd = parts.some((part) => /^(deleted|abandoned-.*)$/.test(part));
      assert.ok(!isOdd, `${id} is left with ${parts}`);
    }
    assert.equal(await this.bucket.uploadCount(), 0, "uploads");
  }
}

/** The ID of the snapshot that restore() has restored. */
function idOf(restored: unknown): string | undefined {
  const { id, meta } = (restored ?? {}) as {
    id?: string;
    meta?: { id: string };
  };
  return id ?? meta?.id;
}
