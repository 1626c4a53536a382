/**
 * Backs up a running Consul: its snapshot goes from the network straight into a
 * store, which keeps the newest few. The snapshot is kept only if every check
 * has passed. A backup that breaks off leaves the older ones unchanged.
 *
 *     deno run -A examples/back_up_consul.ts DIR [URL] [RETAIN]
 *
 * Nomad's URL ends in /v1/operator/snapshot, Vault's in
 * /v1/sys/storage/raft/snapshot. To restore one:
 *
 *     raft-snapshots export DIR ID backup.snap
 *     consul snapshot restore backup.snap
 */

import process from "node:process";
import { openFileSnapshotStore, type SnapshotMeta } from "@raft/snapshots";
import { importArchive } from "@raft/snapshots/archive";

const [
  directory = "./backups",
  url = "http://127.0.0.1:8500/v1/snapshot",
  retain = "7",
] = process.argv.slice(2);

/**
 * The product of each URL, so that no server gets the token of another product.
 */
const TOKENS = [
  ["/v1/snapshot", "CONSUL_HTTP_TOKEN", "x-consul-token"],
  ["/v1/operator/snapshot", "NOMAD_TOKEN", "x-nomad-token"],
  ["/v1/sys/storage/raft/snapshot", "VAULT_TOKEN", "x-vault-token"],
] as const;

/** How much of a server's error is shown, in characters. */
const ANSWER_LENGTH_MAX = 200;

async function fetchSnapshot(): Promise<ReadableStream<Uint8Array>> {
  // Consul would compress the archive once more, and Node 20 then holds all of
  // it in memory, and takes minutes (scripts/bench/fetch_memory.mjs shows both).
  const headers = new Headers({ "accept-encoding": "identity" });
  const pathname = new URL(url).pathname.replace(/\/+$/, "");
  for (const [path, variable, header] of TOKENS) {
    const token = process.env[variable];
    if (pathname === path && token !== undefined) headers.set(header, token);
  }
  const response = await fetch(url, { headers });
  if (response.ok && response.body !== null) return response.body;
  const answer = printable(await beginningOf(response));
  throw new Error(`${url} answered ${response.status}: ${answer}`);
}

/** The beginning of the server's answer, of any length. */
async function beginningOf({ body }: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length >= ANSWER_LENGTH_MAX) break;
  }
  return text.slice(0, ANSWER_LENGTH_MAX).trim();
}

/** A server's text, made safe for a terminal and a log of lines. */
function printable(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (char) => `\\u${(char.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`,
  );
}

/** fetch only says that it failed; its cause says why, such as ECONNREFUSED. */
function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  const why = cause instanceof Error
    ? `: ${cause.message || (cause as { code?: string }).code}`
    : "";
  return printable(error.message + why);
}

async function backUp(): Promise<SnapshotMeta> {
  const store = await openFileSnapshotStore(directory, {
    order: "taken",
    retain: Number(retain),
  });
  try {
    return await importArchive(store, await fetchSnapshot(), {
      onUnchecked: (member) => console.warn(`cannot check ${member}`),
    });
  } finally {
    await store.close();
  }
}

try {
  const { id, index, size } = await backUp();
  console.log(`backed up index ${index} as ${id}: ${size} bytes`);
} catch (error) {
  console.error(`no backup: ${explain(error)}`);
  process.exit(1);
}
