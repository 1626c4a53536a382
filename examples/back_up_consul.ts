/**
 * Backs up a running Consul: its snapshot goes from the network straight into a
 * store, which keeps the newest few. It is kept only if every check of it has
 * passed; a backup that breaks off costs nothing that was there before.
 *
 *     deno run -A examples/back_up_consul.ts DIR [URL] [RETAIN]
 *
 * Nomad's URL ends in /v1/operator/snapshot, Vault's in
 * /v1/sys/storage/raft/snapshot. To bring one back:
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

/** Whose URL it is: a token is not for the eyes of the other two. */
const TOKENS = [
  ["/v1/snapshot", "CONSUL_HTTP_TOKEN", "x-consul-token"],
  ["/v1/operator/snapshot", "NOMAD_TOKEN", "x-nomad-token"],
  ["/v1/sys/storage/raft/snapshot", "VAULT_TOKEN", "x-vault-token"],
] as const;

async function fetchSnapshot(): Promise<ReadableStream<Uint8Array>> {
  const headers = new Headers();
  const { pathname } = new URL(url);
  for (const [path, variable, header] of TOKENS) {
    const token = process.env[variable];
    if (pathname === path && token !== undefined) headers.set(header, token);
  }
  const { ok, status, body } = await fetch(url, { headers });
  if (ok && body !== null) return body;
  await body?.cancel();
  throw new Error(`${url} answered ${status}`);
}

async function backUp(): Promise<SnapshotMeta> {
  const store = await openFileSnapshotStore(directory, {
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
  console.error(`no backup: ${error instanceof Error ? error.message : error}`);
  process.exit(1);
}
