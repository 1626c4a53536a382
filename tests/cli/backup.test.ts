/** `backup`, as a process: tokens, certificates, the agent. */

import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { describe, it } from "node:test";
import { killOutright } from "../support/kill.ts";
import { runtime } from "../support/runtime.ts";
import { serveS3 } from "../support/s3/serve.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import { endBySignal, makeStore, raftSnapshots } from "./raft_snapshots.ts";
import {
  golden,
  type SnapshotServer,
  tlsFile,
  withSnapshotServer,
} from "./snapshot_server.ts";

const script = new URL("../../src/cli/main.ts", import.meta.url);

/** The environment without the variables that the vendors' tools read. */
const CLEAN = Object.fromEntries(
  Object.entries(process.env).filter(([name]) =>
    !/^(CONSUL|NOMAD|VAULT)_/.test(name)
  ),
);

async function backUp(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
) {
  const options = { env: { ...CLEAN, ...env } };
  return await raftSnapshots(["backup", ...args], "", options);
}

/** The names in a directory, except the lock's, sorted. */
async function namesIn(directory: string): Promise<string[]> {
  const names = await readdir(directory);
  return names.filter((name) => !name.startsWith(".lock")).sort();
}

describe("raft-snapshots backup", () => {
  it("keeps the archive as it came, and nothing new when nothing has changed", async () => {
    const directory = join(await temporaryDirectory(), "new", "backups");
    let archive = await golden("consul");
    await withSnapshotServer(
      (r) => r.end(archive),
      async ({ url, requests }) => {
        const args = ["--consul", url, "--to", directory];
        const first = await backUp(args);
        assert.deepEqual([first.code, first.stderr], [0, ""]);
        const [name = "", ...others] = await namesIn(directory);
        assert.deepEqual(others, []);
        assert.match(name, /^10-\d{13}\.snap$/);
        assert.match(
          first.stdout,
          new RegExp(`^saved ${name} \\(431 B\\) in `),
        );
        const kept = new Uint8Array(await readFile(join(directory, name)));
        assert.deepEqual(kept, archive);
        const again = await backUp([...args, "--json"]);
        assert.equal(again.code, 0, again.stderr);
        // The second is given up for the look at the first, and asked for again.
        assert.equal(requests.length, 3);
        const { outcome, index, term } = JSON.parse(again.stdout);
        assert.deepEqual([outcome, index, term], ["unchanged", "10", "3"]);
        // A new archive is not compared with one that was damaged meanwhile.
        await writeFile(join(directory, name), kept.subarray(1));
        const third = await backUp(args);
        assert.equal(third.code, 0);
        assert.match(third.stderr, new RegExp(`${name} is not good`));
        archive = await golden("largest_integers");
        const fourth = await backUp([...args, "--keep-last", "1"]);
        assert.equal(fourth.code, 0, fourth.stderr);
        const left = await namesIn(directory);
        assert.equal(left.length, 1, String(left));
        assert.match(left[0] ?? "", /^18446744073709551615-/);
      },
    );
  });

  it("fails with 1, and removes nothing, when the server does", async () => {
    const directory = await temporaryDirectory();
    const old = `5-${Date.now() - 1000}.snap`;
    await writeFile(join(directory, old), await golden("consul"));
    const half = (await golden("whole_blocks")).subarray(0, 2_000);
    await withSnapshotServer((r) => r.end(half), async ({ url }) => {
      const args = ["--consul", url, "--to", directory, "--keep-last", "1"];
      const { code, stdout, stderr } = await backUp(args);
      assert.deepEqual([code, stdout], [1, ""]);
      assert.match(stderr, /truncated/);
      assert.deepEqual(await namesIn(directory), [old]);
    });
  });

  it("takes addresses and tokens from the vendors' variables, and from files", async () => {
    const directory = await temporaryDirectory();
    const tokenFile = join(directory, "token");
    await writeFile(tokenFile, "from-file\n");
    const [consul, vault] = [await golden("consul"), await golden("vault")];
    const to = (name: string) => ["--to", join(directory, name)];
    await withSnapshotServer((response, { url }) => {
      response.end(url?.includes("raft") ? vault : consul);
    }, async ({ url, host, requests }) => {
      const cases: readonly [string[], Record<string, string>, unknown][] = [
        [
          ["--consul", ...to("a"), "--stale", "--datacenter", "dc 2"],
          { CONSUL_HTTP_ADDR: host, CONSUL_HTTP_TOKEN: "c", NOMAD_TOKEN: "n" },
          ["/v1/snapshot?stale=&dc=dc+2", "c", undefined, undefined],
        ],
        [
          ["--consul", url, ...to("b")],
          { CONSUL_HTTP_TOKEN: "c", CONSUL_HTTP_TOKEN_FILE: tokenFile },
          ["/v1/snapshot", "from-file", undefined, undefined],
        ],
        [
          ["--nomad", ...to("c")],
          { NOMAD_ADDR: url, NOMAD_TOKEN: "n", NOMAD_REGION: "eu" },
          ["/v1/operator/snapshot?region=eu", undefined, "n", undefined],
        ],
        [
          ["--vault", `${url}/`, ...to("d"), "--namespace", "admin"],
          { VAULT_TOKEN: "v", CONSUL_HTTP_TOKEN: "c" },
          ["/v1/sys/storage/raft/snapshot", undefined, undefined, "v"],
        ],
      ];
      for (const [args, env, expected] of cases) {
        const { code, stderr } = await backUp(args, env);
        assert.equal(code, 0, stderr);
        const request = requests.at(-1);
        const { headers = {} } = request ?? {};
        assert.deepEqual([
          request?.url,
          headers["x-consul-token"],
          headers["x-nomad-token"],
          headers["x-vault-token"],
        ], expected);
        assert.equal(headers["accept-encoding"], "identity");
      }
      assert.equal(requests.at(-1)?.headers["x-vault-namespace"], "admin");
    });
  });

  it("sends the token to the hosts that were named, and to no other", async () => {
    const archive = await golden("vault");
    const directory = await temporaryDirectory();
    const env = { VAULT_TOKEN: "secret" };
    await withSnapshotServer((r) => r.end(archive), async (leader) => {
      const redirect = `${leader.url}/v1/sys/storage/raft/snapshot`;
      await withSnapshotServer((response) => {
        response.writeHead(307, { location: redirect }).end("secret");
      }, async ({ url }) => {
        const args = ["--vault", url, "--to", directory];
        const refused = await backUp(args, env);
        assert.equal(refused.code, 1);
        assert.match(refused.stderr, /redirected to .*--redirect-host/);
        assert.equal(leader.requests.length, 0);
        const allowed = [...args, "--redirect-host", leader.host];
        const { code, stderr } = await backUp(allowed, env);
        assert.equal(code, 0, stderr);
        const [request] = leader.requests;
        assert.equal(request?.headers["x-vault-token"], "secret");
      });
      await withSnapshotServer((response) => {
        response.writeHead(403).end('{"errors":["bad token secret"]}');
      }, async ({ url }) => {
        const refused = await backUp(["--vault", url, "--to", directory], env);
        assert.equal(refused.code, 1);
        assert.match(refused.stderr, /403: \{"errors":\["bad token \[token\]"/);
      });
    });
  });

  it("trusts the certificates that it is told to, and shows its own", async () => {
    const archive = await golden("consul");
    const directory = await temporaryDirectory();
    const clientCa = await readFile(tlsFile("ca"), "utf8");
    const use = async ({ url }: SnapshotServer) => {
      const args = ["--consul", url, "--to", directory];
      const untrusted = await backUp(args);
      assert.equal(untrusted.code, 1);
      assert.match(untrusted.stderr, /certificate|issuer/i);
      const trusting = [...args, "--ca-file", tlsFile("ca")];
      const anonymous = await backUp(trusting);
      assert.equal(anonymous.code, 1, "the server wants a certificate");
      assert.deepEqual(await namesIn(directory), []);
      const pair = ["--client-cert", tlsFile("cert")];
      pair.push("--client-key", tlsFile("key"));
      const { code, stderr } = await backUp([...trusting, ...pair]);
      assert.equal(code, 0, stderr);
      const byVariables = await backUp(args, {
        CONSUL_CACERT: tlsFile("ca"),
        CONSUL_CLIENT_CERT: tlsFile("cert"),
        CONSUL_CLIENT_KEY: tlsFile("key"),
      });
      assert.equal(byVariables.code, 0, byVariables.stderr);
    };
    await withSnapshotServer((r) => r.end(archive), use, {
      tls: true,
      clientCa,
    });
  });

  it("refuses a command line that is wrong with 2, and asks no server", async () => {
    const directory = await temporaryDirectory();
    const store = join(directory, "store");
    await makeStore(store, []);
    const to = ["--to", directory];
    await withSnapshotServer((r) => r.end(), async ({ url, requests }) => {
      const consul = ["--consul", url, ...to];
      const cases: readonly [string[], RegExp][] = [
        [to, /found 0 of --consul, --nomad and --vault/],
        [[...consul, "--vault", url], /found 2 of/],
        [["--consul", url], /--to/],
        [["--consul", url, "--to", store], /found a store of snapshots/],
        [["--consul", "ftp://x", ...to], /address of Consul/],
        [["--consul", "http://u:secret@x", ...to], /address of Consul/],
        [[...consul, "--namespace", "a"], /for Vault, not Consul/],
        [[...consul, "--client-cert", tlsFile("cert")], /belong together/],
        [[...consul, "--ca-file", join(directory, "none")], /no such file/],
        [[...consul, "--token-file", join(directory, "none")], /no such file/],
        [[...consul, "--listen", "127.0.0.1:1"], /need --every/],
        [[...consul, "--every", "soon"], /duration/],
        [[...consul, "--every", "0s"], /must not be 0/],
        [[...consul, "--every", "1h", "--listen", "9402"], /HOST:PORT/],
      ];
      for (const [args, message] of cases) {
        const { code, stdout, stderr } = await backUp(args);
        assert.deepEqual([code, stdout], [2, ""], `${args} ${stderr}`);
        assert.match(stderr, message);
        assert.doesNotMatch(stderr, /secret/);
      }
      assert.equal(requests.length, 0);
    });
  });
});

/** An agent that runs; the lines of its output come one after the other. */
interface RunningAgent {
  readonly child: ChildProcess;
  readonly nextLine: () => Promise<string>;
  readonly stderr: () => string;
}

async function withAgent(
  args: readonly string[],
  use: (agent: RunningAgent) => Promise<void>,
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const child = runtime.spawnScript(script, ["backup", ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...CLEAN, ...env },
  });
  const ended = once(child, "close");
  let complaints = "";
  child.stderr?.on("data", (chunk) => complaints += chunk);
  assert.ok(child.stdout);
  const lines = createInterface({ input: child.stdout })
    [Symbol.asyncIterator]();
  const nextLine = async () => {
    const { done, value } = await lines.next();
    if (done) assert.fail(`the agent has ended: ${complaints}`);
    return value;
  };
  try {
    await use({ child, nextLine, stderr: () => complaints });
  } finally {
    killOutright(child);
    await ended;
  }
}

describe("raft-snapshots backup --every", () => {
  it("says how it is, and ends in good order", async () => {
    const directory = await temporaryDirectory();
    let archive = await golden("consul");
    await withSnapshotServer((r) => r.end(archive), async ({ url }) => {
      const args = ["--consul", url, "--to", directory, "--every", "1s"];
      args.push("--listen", "127.0.0.1:0", "--max-age", "1h");
      await withAgent(args, async ({ child, nextLine, stderr }) => {
        const [address = ""] = /http:\S+/.exec(await nextLine()) ?? [];
        const ask = async (path: string) => {
          const response = await fetch(address + path);
          return [response.status, await response.text()] as const;
        };
        assert.match(await nextLine(), /^saved 10-/);
        const [code, health] = await ask("/healthz");
        assert.equal(code, 200, health);
        const { status, role, newest } = JSON.parse(health);
        assert.deepEqual([status, role], ["ok", "active"]);
        assert.deepEqual(await namesIn(directory), [newest]);
        assert.match(await nextLine(), /^nothing new since 10-/);
        archive = new Uint8Array();
        while (!stderr().includes("no backup: ")) await nextTick();
        const [, metrics] = await ask("/metrics");
        const prefix = "raft_snapshots_backup";
        assert.match(metrics, new RegExp(`^${prefix}_active 1$`, "m"));
        assert.match(
          metrics,
          new RegExp(`^${prefix}_runs_total\\{outcome="saved"\\} 1$`, "m"),
        );
        assert.match(
          metrics,
          new RegExp(`^${prefix}_failures_in_a_row [1-9]`, "m"),
        );
        assert.match(
          metrics,
          new RegExp(`^${prefix}_newest_size_bytes 431$`, "m"),
        );
        assert.equal((await ask("/healthz"))[0], 200, "it is not too old");
        assert.equal((await ask("/"))[0], 404);
        assert.deepEqual(await endBySignal(child, "SIGTERM"), {
          code: 0,
          signal: null,
        });
        assert.deepEqual(await namesIn(directory), [newest]);
      });
    });
  });

  it("is not healthy without a backup that is good and not too old", async () => {
    const directory = await temporaryDirectory();
    const archive = await golden("consul");
    const old = `10-${Date.now() - 7_200_000}.snap`;
    for (const content of [archive.subarray(1), archive]) {
      await writeFile(join(directory, old), content);
      await withSnapshotServer(
        (r) => r.writeHead(500).end(),
        async ({ url }) => {
          const args = ["--consul", url, "--to", directory, "--every", "1h"];
          args.push("--listen", "127.0.0.1:0", "--max-age", "1h");
          await withAgent(args, async ({ nextLine, stderr }) => {
            const [address = ""] = /http:\S+/.exec(await nextLine()) ?? [];
            while (!stderr().includes("no backup: ")) await nextTick();
            const response = await fetch(`${address}/healthz`);
            const { status } = await response.json();
            const expected = content === archive ? "too old" : "no good backup";
            assert.deepEqual([response.status, status], [503, expected]);
          });
        },
      );
    }
  });

  it("leaves nothing of a backup that SIGTERM interrupts", async () => {
    const directory = await temporaryDirectory();
    const archive = await golden("whole_blocks");
    for (const every of [["--every", "1h"], []]) {
      let asked = () => {};
      const wasAsked = new Promise<void>((resolve) => asked = resolve);
      await withSnapshotServer((response) => {
        response.write(archive.subarray(0, 3_000), asked);
      }, async ({ url }) => {
        const args = ["--consul", url, "--to", directory, ...every];
        await withAgent(args, async ({ child }) => {
          await wasAsked;
          const { code } = await endBySignal(child, "SIGTERM");
          assert.equal(code, every.length > 0 ? 0 : 143);
          assert.deepEqual(await namesIn(directory), []);
        });
      });
    }
  });

  it("waits while another agent works, and takes over when that is killed", async () => {
    const archive = await golden("consul");
    const served = await serveS3();
    const env = {
      AWS_ENDPOINT_URL_S3: served.endpoint,
      AWS_ACCESS_KEY_ID: "key",
      AWS_SECRET_ACCESS_KEY: "secret",
    };
    const directory = await temporaryDirectory();
    try {
      for (const place of [directory, "s3://bucket/backups"]) {
        await withSnapshotServer((r) => r.end(archive), async ({ url }) => {
          const args = ["--consul", url, "--to", place, "--every", "1s"];
          await withAgent(args, async (first) => {
            assert.match(await first.nextLine(), /^saved 10-/);
            await withAgent(args, async (second) => {
              while (!second.stderr().includes("waiting: ")) await nextTick();
              assert.match(second.stderr(), /held by process \d+/);
              killOutright(first.child);
              // The server's clock goes faster than ours.
              const { memory } = served;
              const before = memory.serverTime;
              memory.serverTime = () => before() + 31_000;
              assert.match(await second.nextLine(), /^nothing new since 10-/);
            }, env);
          }, env);
        });
      }
    } finally {
      await served.close();
    }
  });
});

function nextTick(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 10));
}
