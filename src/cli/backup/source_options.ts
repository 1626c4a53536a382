/** Where a snapshot comes from, by options and by the vendors' variables. */

import { readFile } from "node:fs/promises";
import process from "node:process";
import { type Command, Option } from "commander";
import { parseDuration, parsePath } from "../arguments.ts";
import { CommandError } from "../failure.ts";
import { systemReason } from "../reason.ts";
import { readToken } from "../token.ts";
import type { TlsOptions } from "./request.ts";
import { defaultUrlOf, type Vendor, VENDORS } from "./vendors.ts";

/** The options as they are parsed. */
export interface SourceFlags {
  readonly consul?: string | true;
  readonly nomad?: string | true;
  readonly vault?: string | true;
  readonly tokenFile?: string;
  readonly caFile?: string;
  readonly clientCert?: string;
  readonly clientKey?: string;
  readonly tlsServerName?: string;
  readonly namespace?: string;
  readonly datacenter?: string;
  readonly nomadRegion?: string;
  readonly stale?: boolean;
  readonly redirectHost?: readonly string[];
  readonly stallTimeout: number;
}

/** A server to take snapshots from. */
export interface SourceSettings {
  readonly vendor: Vendor;
  /** The URL of its snapshot. */
  readonly url: URL;
  /** Headers without a secret. */
  readonly headers: Readonly<Record<string, string>>;
  /** Hosts, beside that of the URL, which the token may be sent to. */
  readonly redirectHosts: readonly string[];
  readonly allowsStale: boolean;
  /** How long the server may send nothing, in milliseconds. */
  readonly stallMs: number;
  /** Read again for each backup, so that it can be replaced. */
  readonly readToken: () => Promise<string | undefined>;
  /** The same for certificates. */
  readonly readTls: () => Promise<TlsOptions>;
}

/** A big cluster takes its snapshot before it sends the first byte. */
const STALL_MS = 5 * 60 * 1000;

/** Adds the options to a command. */
export function addSourceOptions(command: Command): Command {
  const address = (vendor: Vendor) =>
    `take the snapshot from ${vendor.name} (default: the URL in ` +
    `${vendor.variables.address}, or ${defaultUrlOf(vendor)})`;
  return command
    .option("--consul [URL]", address(VENDORS.consul))
    .option("--nomad [URL]", address(VENDORS.nomad))
    .option("--vault [URL]", address(VENDORS.vault))
    .option(
      "--token-file <FILE>",
      "a file with the token, which is read for each backup (default: the " +
        "vendor's own variables, such as CONSUL_HTTP_TOKEN)",
      parsePath,
    )
    .option("--ca-file <FILE>", "the certificates to trust, in PEM", parsePath)
    .option("--client-cert <FILE>", "the client's certificate", parsePath)
    .option("--client-key <FILE>", "the key of that certificate", parsePath)
    .option(
      "--tls-server-name <NAME>",
      "the name that the server's certificate must have",
    )
    .option("--namespace <NAME>", "Vault's namespace")
    .option("--datacenter <NAME>", "Consul's datacenter")
    .option("--nomad-region <NAME>", "Nomad's region")
    .option("--stale", "let any server answer, and not only the leader")
    .addOption(
      new Option(
        "--redirect-host <HOST[:PORT]>",
        "another host that may get the token when the server redirects there; " +
          "may be given again",
      ).argParser((text: string, earlier: readonly string[] = []) => [
        ...earlier,
        text.toLowerCase(),
      ]),
    )
    .addOption(
      new Option(
        "--stall-timeout <DURATION>",
        "how long the server may send nothing",
      ).argParser(parseDuration).default(STALL_MS, "5m"),
    );
}

/**
 * The server that the options and the environment name.
 *
 * @throws {CommandError} when the options name none or several, or are wrong.
 */
export function readSourceSettings(flags: SourceFlags): SourceSettings {
  const { vendor, given } = chooseVendor(flags);
  const { name, variables } = vendor;
  requireFor("Vault", name, { "--namespace": flags.namespace });
  requireFor("Consul", name, { "--datacenter": flags.datacenter });
  requireFor("Nomad", name, { "--nomad-region": flags.nomadRegion });
  const url = readUrl(
    given === true
      ? variable(variables.address) ?? defaultUrlOf(vendor)
      : given,
    vendor,
  );
  const region = flags.nomadRegion ?? variable(variables.region);
  if (flags.stale === true) url.searchParams.set("stale", "");
  if (flags.datacenter) url.searchParams.set("dc", flags.datacenter);
  if (region !== undefined) url.searchParams.set("region", region);
  const namespace = flags.namespace ?? variable(variables.namespace);
  return {
    vendor,
    url,
    headers: {
      // Consul would compress the archive once more.
      "accept-encoding": "identity",
      ...(name === "Vault" ? { "x-vault-request": "true" } : {}),
      ...(namespace === undefined ? {} : { "x-vault-namespace": namespace }),
    },
    redirectHosts: flags.redirectHost ?? [],
    allowsStale: flags.stale === true,
    stallMs: flags.stallTimeout,
    readToken: () => tokenOf(vendor, flags),
    readTls: () => tlsOf(vendor, flags),
  };
}

function chooseVendor(
  { consul, nomad, vault }: SourceFlags,
): { vendor: Vendor; given: string | true } {
  const chosen = Object.entries({ consul, nomad, vault }).flatMap(
    ([name, given]) =>
      given === undefined
        ? []
        : [{ vendor: VENDORS[name as keyof typeof VENDORS], given }],
  );
  const [only, ...others] = chosen;
  if (only !== undefined && others.length === 0) return only;
  throw usageError(
    `Cannot tell where the snapshot comes from: found ${chosen.length} of ` +
      "--consul, --nomad and --vault, expected one",
  );
}

/** These options mean something to one vendor only. */
function requireFor(
  wanted: Vendor["name"],
  name: Vendor["name"],
  options: Readonly<Record<string, string | undefined>>,
): void {
  const [found] = Object.entries(options)
    .filter(([, value]) => value !== undefined);
  if (name === wanted || found === undefined) return;
  throw usageError(
    `Cannot use ${found[0]}: the option is for ${wanted}, not ${name}`,
  );
}

/** The tools of Consul also take an address without a scheme. */
function readUrl(text: string, vendor: Vendor): URL {
  const { name, path, variables } = vendor;
  const isSsl = name === "Consul" && /^(1|true)$/i.test(
    variable("CONSUL_HTTP_SSL") ?? "",
  );
  const scheme = /^[a-z][a-z\d+.-]*:\/\//i.test(text)
    ? ""
    : `http${isSsl ? "s" : ""}://`;
  const expected = `expected one such as ${defaultUrlOf(vendor)}`;
  let url: URL;
  try {
    url = new URL(scheme + text);
  } catch {
    throw usageError(
      `Cannot use the address of ${name} (or ${variables.address}): not a ` +
        `URL, ${expected}`,
    );
  }
  const isHttp = /^https?:$/.test(url.protocol);
  // Not shown: it may hold a password.
  const isPlain = url.username + url.password + url.search + url.hash === "";
  if (!isHttp || !isPlain) {
    throw usageError(
      `Cannot use the address of ${name} (or ${variables.address}): found ` +
        `${url.protocol}, or a user, a query or a fragment, ${expected}`,
    );
  }
  const base = url.pathname.replace(/\/+$/, "");
  url.pathname = base.endsWith(path) ? base : base + path;
  return url;
}

async function tokenOf(
  { variables }: Vendor,
  { tokenFile }: SourceFlags,
): Promise<string | undefined> {
  const file = tokenFile ?? variable(variables.tokenFile);
  const token = file === undefined
    ? variable(variables.token)
    : await readToken(file);
  if (token === undefined || /^[\x21-\x7e]+$/.test(token)) return token;
  throw usageError(
    "Cannot use the token: found spaces or other odd characters, " +
      "expected printable ASCII",
  );
}

async function tlsOf(
  { variables }: Vendor,
  flags: SourceFlags,
): Promise<TlsOptions> {
  const cert = flags.clientCert ?? variable(variables.clientCert);
  const key = flags.clientKey ?? variable(variables.clientKey);
  if ((cert === undefined) !== (key === undefined)) {
    throw usageError(
      "Cannot use TLS: --client-cert and --client-key belong together",
    );
  }
  return {
    ca: await readPem(flags.caFile ?? variable(variables.caFile)),
    cert: await readPem(cert),
    key: await readPem(key),
    servername: flags.tlsServerName ?? variable(variables.serverName),
  };
}

async function readPem(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw usageError(`Cannot read ${path}: ${systemReason(error)}`);
  }
}

/** An empty variable is one that is not set. */
function variable(name: string | undefined): string | undefined {
  return name === undefined ? undefined : process.env[name] || undefined;
}

function usageError(message: string): CommandError {
  return new CommandError(message, { exitCode: 2 });
}
