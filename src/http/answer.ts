/**
 * Answers to requests that may be answered.
 *
 * @module
 */

import { exportArchive } from "../archive/export_archive.ts";
import { etagOf, LIST_NAME } from "../backends/http/protocol.ts";
import { crc64 } from "../crc64/mod.ts";
import type { Logger } from "../logger.ts";
import type { ByteRange } from "../snapshot/open_options.ts";
import { describe } from "../text.ts";
import { type Plan, planAnswer, type Representation } from "./conditions.ts";
import { listSnapshots } from "./listing.ts";
import { problem } from "./problems.ts";
import type { Route } from "./route.ts";
import type { ServedStore } from "./served_store.ts";
import { openRange } from "./state_range.ts";
import { transfer } from "./transfer.ts";
import type { Slot, Transfers } from "./transfers.ts";

/** The parts for making answers. */
export interface Answering {
  readonly store: ServedStore;
  readonly logger: Logger;
  readonly transfers: Transfers;
  /** See `SnapshotHandlerOptions`; infinite when there is no limit. */
  readonly bytesPerSecond: number;
  readonly stallTimeoutMs: number;
}

const JSON_TYPE = "application/json";
const BYTES_TYPE = "application/octet-stream";

/** The answer; its body must be read out or cancelled. */
export async function answer(
  answering: Answering,
  request: Request,
  route: Route,
): Promise<Response> {
  const { store } = answering;
  switch (route.part) {
    case "list": {
      const bytes = await listSnapshots(store);
      return answerBytes(request, bytes, { name: LIST_NAME, type: JSON_TYPE });
    }
    case "meta":
    case "blocks": {
      const { id, part } = route;
      // It checks the length of the state, too, which saves the client a
      // request.
      await store.stat(id);
      const bytes = (await store.header(id))[part];
      if (bytes === undefined) return problem("blocks-not-found", { id });
      const type = part === "meta" ? JSON_TYPE : BYTES_TYPE;
      return answerBytes(request, bytes, { name: id, type });
    }
    case "state":
      return await send(
        answering,
        request,
        (slot) => answerState(answering, request, { id: route.id, slot }),
      );
    case "archive":
      return await send(
        answering,
        request,
        (slot) => answerArchive(answering, request, { id: route.id, slot }),
      );
  }
}

/** Bytes that are in memory. */
function answerBytes(
  request: Request,
  bytes: Uint8Array,
  { name, type }: { readonly name: string; readonly type: string },
): Response {
  const representation = {
    etag: etagOf(name, crc64(bytes)),
    size: bytes.length,
  };
  const plan = planAnswer(request, representation);
  const { start, end } = rangeOf(plan, representation.size);
  return makeAnswer(plan, representation, {
    type,
    body: bytes.slice(start, end),
  });
}

/** Takes a slot for a body that may be long. */
async function send(
  { transfers }: Answering,
  { method }: Request,
  make: (slot: SendingSlot) => Promise<Response>,
): Promise<Response> {
  // HEAD sends nothing.
  const slot = method === "HEAD" ? FREE_SLOT : transfers.take();
  if (slot === undefined) return problem("busy");
  const sending = { ...slot, isSending: false };
  try {
    return await make(sending);
  } finally {
    if (!sending.isSending) slot.release();
  }
}

const FREE_SLOT: Slot = { release() {} };

interface SendingSlot extends Slot {
  /** Whether a stream has it, which will release it. */
  isSending: boolean;
}

interface Sending {
  readonly id: string;
  readonly slot: SendingSlot;
}

async function answerState(
  answering: Answering,
  request: Request,
  { id, slot }: Sending,
): Promise<Response> {
  const { store } = answering;
  const { size, crc } = await store.stat(id);
  const representation = { etag: etagOf(id, crc), size };
  const plan = planAnswer(request, representation);
  const isSent = plan.status === 200 || plan.status === 206;
  if (!isSent || request.method === "HEAD") {
    return makeAnswer(plan, representation, { type: BYTES_TYPE, body: null });
  }
  const range = rangeOf(plan, representation.size);
  const source = await openRange(store, id, range);
  const body = await startTransfer(answering, source, { id, slot });
  return makeAnswer(plan, representation, { type: BYTES_TYPE, body });
}

async function answerArchive(
  answering: Answering,
  request: Request,
  { id, slot }: Sending,
): Promise<Response> {
  const { store, logger } = answering;
  const { crc } = await store.stat(id);
  // Weak, because each runtime compresses to other bytes; so there are no
  // ranges.
  const representation = { etag: `W/${etagOf(`${id}-archive`, crc)}` };
  const plan = planAnswer(request, representation);
  const isSent = plan.status === 200 && request.method !== "HEAD";
  const onWarning = (message: string) => logger.warn(message);
  const body = isSent
    ? await startTransfer(
      answering,
      exportArchive(store, id, { onWarning }),
      { id, slot },
    )
    : null;
  return makeAnswer(plan, representation, {
    type: "application/gzip",
    body,
    fileName: `${id}.snap`,
  });
}

async function startTransfer(
  { logger, bytesPerSecond, stallTimeoutMs }: Answering,
  source: ReadableStream<Uint8Array>,
  { id, slot }: Sending,
): Promise<ReadableStream<Uint8Array>> {
  const body = await transfer(source, {
    bytesPerSecond,
    stallTimeoutMs,
    onEnd(error) {
      slot.release();
      if (error === undefined) return;
      logger.info(`The transfer of snapshot ${id} ended: ${describe(error)}`);
    },
  });
  slot.isSending = true;
  return body;
}

function rangeOf(plan: Plan, size: number): ByteRange {
  return plan.status === 206 ? plan.range : { start: 0, end: size };
}

/** The answer that the plan says, with the headers of the representation. */
function makeAnswer(
  plan: Plan,
  { etag, size }: Representation,
  { type, body, fileName }: {
    readonly type: string;
    readonly body: BodyInit | null;
    /** The name under which a browser keeps it. */
    readonly fileName?: string;
  },
): Response {
  const validators = {
    etag,
    "accept-ranges": size === undefined ? "none" : "bytes",
    // A proxy that compresses would remove the validator and the ranges.
    "cache-control": "no-transform",
  };
  switch (plan.status) {
    case 304:
      return new Response(null, { status: 304, headers: validators });
    case 412:
      return problem("precondition-failed");
    case 416:
      return problem("range-not-satisfiable", {
        headers: { "content-range": `bytes */${size}` },
      });
  }
  const headers: Record<string, string> = {
    ...validators,
    "content-type": type,
  };
  if (fileName !== undefined) {
    headers["content-disposition"] = `attachment; filename="${fileName}"`;
  }
  if (size !== undefined) {
    const { start, end } = rangeOf(plan, size);
    headers["content-length"] = String(end - start);
    if (plan.status === 206) {
      headers["content-range"] = `bytes ${start}-${end - 1}/${size}`;
    }
  }
  return new Response(body, { status: plan.status, headers });
}
