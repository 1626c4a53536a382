/**
 * The requests of Go's process to our store, one for each connection.
 *
 * @module
 */

import type { SnapshotInit, SnapshotSink } from "@raft/snapshots";
import { metaToWire, serversFromWire, type WireMeta } from "../wire.ts";
import { type Connection, FRAME } from "./connection.ts";
import type { OpenStores } from "./open_stores.ts";

/** How a connection begins: `storeRequest` in `store_connection.go`. */
interface Request {
  readonly verb: string;
  readonly base: string;
  readonly retain: number;
  readonly id?: string;
  readonly meta?: WireMeta;
}

/** Answers a request, and sees it to its end. */
type Verb = (
  connection: Connection,
  stores: OpenStores,
  request: Request,
) => Promise<void>;

const verbs: Readonly<Record<string, Verb>> = {
  open,
  list,
  reap,
  create,
  read,
};

/** Serves one connection. The answer to a failure is its message. */
export async function serveRequest(
  connection: Connection,
  stores: OpenStores,
): Promise<void> {
  const frame = await connection.receive();
  if (frame === undefined) return;
  try {
    const text = new TextDecoder().decode(frame.payload);
    const request = JSON.parse(text) as Request;
    const serve = verbs[request.verb];
    if (serve === undefined) throw new Error(`Unknown verb ${request.verb}`);
    await serve(connection, stores, request);
  } catch (error) {
    await connection.fail(error);
  }
}

async function open(
  connection: Connection,
  stores: OpenStores,
  { base, retain }: Request,
): Promise<void> {
  await stores.open(base, retain);
  await connection.answer(true);
}

/** Go's `List` gives no more than are retained; ours gives all. */
async function list(
  connection: Connection,
  stores: OpenStores,
  { base, retain }: Request,
): Promise<void> {
  const metas = await (await stores.get(base)).list();
  await connection.answer(metas.slice(0, retain).map(metaToWire));
}

async function reap(
  connection: Connection,
  stores: OpenStores,
  { base }: Request,
): Promise<void> {
  await (await stores.get(base)).reap();
  await connection.answer(true);
}

async function create(
  connection: Connection,
  stores: OpenStores,
  { base, meta }: Request,
): Promise<void> {
  const store = await stores.get(base);
  const sink = await store.create(initFromWire(meta));
  await connection.answer({ id: sink.id });
  const end = await writeState(connection, sink);
  if (end === FRAME.close) await sink.close();
  else await sink.cancel(new Error("Go's process gave the snapshot up"));
  await connection.answer(true);
}

/**
 * Writes the data to the sink as it comes in; resolves to the frame that ended
 * it. After an error of the sink the rest is read and passed over: close() reports
 * it.
 */
async function writeState(
  connection: Connection,
  sink: SnapshotSink,
): Promise<string> {
  const writer = sink.getWriter();
  writer.closed.catch(() => {}); // close() of the sink rejects with the same.
  try {
    for (;;) {
      // A connection that fails in mid-state is one that has ended.
      const frame = await connection.receive().catch(() => undefined);
      if (frame === undefined) return FRAME.cancel;
      if (frame.kind !== FRAME.data) return frame.kind;
      await writer.write(frame.payload).catch(() => {});
    }
  } finally {
    writer.releaseLock();
  }
}

async function read(
  connection: Connection,
  stores: OpenStores,
  { base, id = "" }: Request,
): Promise<void> {
  const source = await (await stores.get(base)).open(id);
  await connection.answer(metaToWire(source.meta));
  // Leaving the loop early, because Go has ended the connection, cancels it.
  for await (const chunk of source) await connection.sendData(chunk);
  await connection.endData();
}

function initFromWire(meta: WireMeta | undefined): SnapshotInit {
  const servers = serversFromWire(meta?.servers ?? null);
  if (meta === undefined || servers === undefined) {
    throw new TypeError("Cannot create a snapshot: its metadata is unusable");
  }
  return {
    // The store is to refuse other versions.
    version: Number(meta.version) as 1,
    index: BigInt(meta.index),
    term: BigInt(meta.term),
    configuration: { servers },
    configurationIndex: BigInt(meta.configurationIndex),
  };
}
