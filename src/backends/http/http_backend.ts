/**
 * A snapshot server as a place that snapshots are read from.
 *
 * @module
 */

import type {
  BackendHost,
  BackendNames,
  ReadableBackend,
  StateHandle,
} from "../../backend/backend.ts";
import { StoreAccessError } from "../../errors.ts";
import { parseId } from "../../snapshot/id.ts";
import { assertNotTooLarge } from "../../snapshot/max_size.ts";
import { corruptMeta } from "../../snapshot/meta/corrupt_meta.ts";
import { decodeRecord, META_SIZE_MAX } from "../../snapshot/meta/decode.ts";
import type { ByteRange } from "../../snapshot/open_options.ts";
import { HttpClient } from "./client.ts";
import {
  type HttpBackendOptions,
  requireServerUrl,
  resolveHttpOptions,
} from "./options.ts";
import { etagOf, LIST_NAME, type SnapshotListing } from "./protocol.ts";
import { NoBlocksError } from "./refusal.ts";
import { RemoteState } from "./remote_state.ts";

/** A longer list is not read; it would be one of tens of thousands. */
const LIST_SIZE_MAX = 16 * 1024 * 1024;

/** The remembered part of a snapshot's metadata. */
interface KnownState {
  readonly size: number;
  readonly etag: string;
}

/**
 * The oldest are forgotten beyond this number, and requested again if needed.
 */
const KNOWN_MAX = 1024;

/** Reads the snapshots that a `snapshotHandler` serves. */
export class HttpBackend implements ReadableBackend {
  /** The address of the server. */
  readonly place: string;
  readonly #client: HttpClient;
  readonly #maxSize: number;
  readonly #known = new Map<string, KnownState>();
  readonly #open = new Set<RemoteState>();

  /**
   * Makes the backend; no request is made before it is used.
   *
   * @throws {TypeError} when the address or an option has the wrong type.
   * @throws {RangeError} when a number is out of its bounds.
   */
  constructor(url: string | URL, options: HttpBackendOptions = {}) {
    this.place = requireServerUrl(url);
    const resolved = resolveHttpOptions(options);
    this.#client = new HttpClient(this.place, resolved);
    this.#maxSize = resolved.maxSize;
  }

  /** No request is made: the server may be away now, and back when it is used. */
  connect({ report }: BackendHost): Promise<void> {
    this.#client.report = report;
    return Promise.resolve();
  }

  async names(): Promise<BackendNames> {
    const bytes = await this.#client.readWhole({
      what: "the list of snapshots",
      path: "snapshots",
      name: LIST_NAME,
      sizeMax: LIST_SIZE_MAX,
    });
    const published = idsIn(bytes, this.place);
    return { published, quarantined: [], unfinished: [], foreign: [] };
  }

  async readMeta(id: string, sizeMax: number): Promise<Uint8Array> {
    const bytes = await this.#client.readWhole({
      what: `meta.json of snapshot ${id}`,
      path: `snapshots/${id}/meta`,
      name: id,
      id,
      sizeMax,
    });
    this.#remember(id, bytes);
    return bytes;
  }

  async readBlocks(
    id: string,
    sizeMax: number,
  ): Promise<Uint8Array | undefined> {
    try {
      return await this.#client.readWhole({
        what: `blocks.crc64 of snapshot ${id}`,
        isOptional: true,
        path: `snapshots/${id}/blocks`,
        name: id,
        id,
        sizeMax,
      });
    } catch (error) {
      if (error instanceof NoBlocksError) return undefined;
      throw error;
    }
  }

  /** The server looks at it whenever it gives the metadata. */
  async stateSize(id: string): Promise<number> {
    return (await this.#knownState(id)).size;
  }

  async openState(id: string, range: ByteRange): Promise<StateHandle> {
    const known = await this.#knownState(id);
    assertNotTooLarge({ id, size: known.size }, this.#maxSize);
    const state = new RemoteState(this.#client, { id, ...known, range });
    this.#open.add(state);
    return {
      size: state.size,
      read: (buffer, position) => state.read(buffer, position),
      reread: (buffer, position) => state.reread(buffer, position),
      close: async () => {
        this.#open.delete(state);
        await state.close();
      },
    };
  }

  async close(): Promise<void> {
    for (const state of this.#open) await state.close();
    this.#client.close();
  }

  async #knownState(id: string): Promise<KnownState> {
    const known = this.#known.get(id);
    if (known !== undefined) return known;
    const bytes = await this.readMeta(id, META_SIZE_MAX);
    return this.#known.get(id) ?? knownStateOf(id, bytes);
  }

  /** Metadata that can't be read is not remembered; the store reports why. */
  #remember(id: string, bytes: Uint8Array): void {
    this.#known.delete(id);
    try {
      this.#known.set(id, knownStateOf(id, bytes));
    } catch {
      return;
    }
    const [oldest] = this.#known.keys();
    if (this.#known.size > KNOWN_MAX && oldest) this.#known.delete(oldest);
  }
}

function knownStateOf(id: string, bytes: Uint8Array): KnownState {
  const what = `meta.json of snapshot ${id}`;
  const { size, crc } = decodeRecord(bytes, what);
  if (crc !== null) return { size, etag: etagOf(id, crc) };
  throw corruptMeta(what, { expected: "a CRC", actual: "none" });
}

function idsIn(bytes: Uint8Array, place: string): string[] {
  try {
    const text = new TextDecoder().decode(bytes);
    const { snapshots } = JSON.parse(text) as SnapshotListing;
    const ids = snapshots.map(({ id }) => id);
    if (ids.every((id) => parseId(id) !== undefined)) return ids;
  } catch {
    // The error below says that this is not an answer of a snapshot server.
  }
  throw new StoreAccessError(
    `Cannot use the list of snapshots of ${place}: found something else, ` +
      "expected the JSON of a snapshot server",
  );
}
