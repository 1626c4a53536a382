/** How to request a snapshot from Consul, Nomad and Vault. */

/** A program that sends snapshots. */
export interface Vendor {
  /** Its name. */
  readonly name: "Consul" | "Nomad" | "Vault";
  /** The path of its snapshot. */
  readonly path: string;
  /** The scheme and port of its default address on this machine. */
  readonly scheme: "http" | "https";
  readonly port: number;
  /** The header that a token is sent in. */
  readonly tokenHeader: string;
  /** Whether an archive without `SHA256SUMS.sealed` is incomplete. */
  readonly sealsSums: boolean;
  /** The variables that its own tools read. */
  readonly variables: {
    readonly address: string;
    readonly token: string;
    readonly tokenFile?: string;
    readonly caFile: string;
    readonly clientCert: string;
    readonly clientKey: string;
    readonly serverName: string;
    readonly namespace?: string;
    readonly region?: string;
  };
}

/** Where a vendor's server is by default. */
export function defaultUrlOf({ scheme, port }: Vendor): string {
  return `${scheme}://127.0.0.1:${port}`;
}

/** The three. */
export const VENDORS = {
  consul: {
    name: "Consul",
    path: "/v1/snapshot",
    scheme: "http",
    port: 8500,
    tokenHeader: "x-consul-token",
    sealsSums: false,
    variables: {
      address: "CONSUL_HTTP_ADDR",
      token: "CONSUL_HTTP_TOKEN",
      tokenFile: "CONSUL_HTTP_TOKEN_FILE",
      caFile: "CONSUL_CACERT",
      clientCert: "CONSUL_CLIENT_CERT",
      clientKey: "CONSUL_CLIENT_KEY",
      serverName: "CONSUL_TLS_SERVER_NAME",
    },
  },
  nomad: {
    name: "Nomad",
    path: "/v1/operator/snapshot",
    scheme: "http",
    port: 4646,
    tokenHeader: "x-nomad-token",
    sealsSums: false,
    variables: {
      address: "NOMAD_ADDR",
      token: "NOMAD_TOKEN",
      caFile: "NOMAD_CACERT",
      clientCert: "NOMAD_CLIENT_CERT",
      clientKey: "NOMAD_CLIENT_KEY",
      serverName: "NOMAD_TLS_SERVER_NAME",
      region: "NOMAD_REGION",
    },
  },
  vault: {
    name: "Vault",
    path: "/v1/sys/storage/raft/snapshot",
    scheme: "https",
    port: 8200,
    tokenHeader: "x-vault-token",
    sealsSums: true,
    variables: {
      address: "VAULT_ADDR",
      token: "VAULT_TOKEN",
      caFile: "VAULT_CACERT",
      clientCert: "VAULT_CLIENT_CERT",
      clientKey: "VAULT_CLIENT_KEY",
      serverName: "VAULT_TLS_SERVER_NAME",
      namespace: "VAULT_NAMESPACE",
    },
  },
} as const satisfies Readonly<Record<string, Vendor>>;
