/**
 * A store whose snapshots are served, and requests to its handler without a
 * network.
 */

import type { SnapshotStore } from "@raft/snapshots";
import {
  snapshotHandler,
  type SnapshotHandlerOptions,
} from "@raft/snapshots/http";
import { bytes } from "../support/random.ts";
import { INIT, Log, StoreFixture } from "../support/store_fixture.ts";

/** Bytes of a block: the state has several. */
export const BLOCK = 512;

/** Nine blocks, and a part of a tenth. */
export const STATE = bytes(9 * BLOCK + 100, 1);

/** Where the handler believes to be. */
export const SERVER = "http://leader.test:8300/raft";

/** A store with one snapshot, and the handler that serves it. */
export class Served {
  readonly fixture = new StoreFixture();
  readonly log = new Log();
  readonly store: SnapshotStore;
  readonly id: string;
  readonly handler: (request: Request) => Promise<Response>;

  private constructor(
    fixture: StoreFixture,
    { store, id }: { readonly store: SnapshotStore; readonly id: string },
    options: Partial<SnapshotHandlerOptions>,
  ) {
    this.fixture = fixture;
    this.store = store;
    this.id = id;
    this.handler = snapshotHandler(store, {
      authorize: () => true,
      logger: this.log,
      ...options,
    });
  }

  static async make(
    options: Partial<SnapshotHandlerOptions> = {},
    state: Uint8Array = STATE,
    blockSize: number = BLOCK,
  ): Promise<Served> {
    const fixture = new StoreFixture();
    const store = await fixture.open({ blockSize, retain: 9 });
    const { id } = await store.save(INIT, state);
    return new Served(fixture, { store, id }, options);
  }

  /** Asks for a path below `snapshots`. */
  get(path = "", init: RequestInit = {}): Promise<Response> {
    return this.handler(new Request(`${SERVER}/snapshots${path}`, init));
  }

  /** Asks for the state, with those headers. */
  state(headers: HeadersInit = {}, init: RequestInit = {}): Promise<Response> {
    return this.get(`/${this.id}`, { ...init, headers });
  }
}

/** The body of an answer. */
export async function bodyOf(response: Response): Promise<Uint8Array> {
  return new Uint8Array(await response.arrayBuffer());
}
