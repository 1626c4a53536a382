/** The programs whose states are known, and the names of their records. */

/** A program that writes a header, and then records with a byte for the type. */
export interface StateProgram {
  readonly name: "Consul" | "Nomad";
  /** The names of the types, by number. */
  readonly types: ReadonlyMap<number, string>;
  /** The type of the records that have a key and a value. */
  readonly keyValue: number | undefined;
}

/** `requestTypeStrings` in Consul's `agent/structs/structs.go`. */
const CONSUL_TYPES = numbered([
  ...["Register", "Deregister", "KVS", "Session", "ACL", "Tombstone"],
  ...["CoordinateBatchUpdate", "PreparedQuery", "Txn", "Autopilot", "Area"],
  ...["ACLBootstrap", "Intention", "ConnectCA", "ConnectCAProviderState"],
  ...["ConnectCAConfig", "Index", "ACLToken", "ACLTokenDelete", "ACLPolicy"],
  ...["ACLPolicyDelete", "ConnectCALeaf", "ConfigEntry", "ACLRole"],
  ...["ACLRoleDelete", "ACLBindingRule", "ACLBindingRuleDelete"],
  ...["ACLAuthMethod", "ACLAuthMethodDelete", "ChunkingState"],
  ...["FederationState", "SystemMetadata", "ServiceVirtualIP"],
  ...["FreeVirtualIP", "KindServiceName", "Peering", "PeeringDelete", ""],
  ...["PeeringTrustBundle", "PeeringTrustBundleDelete", "PeeringSecret"],
]);

/** `SnapshotType` in Nomad's `nomad/fsm.go`, up to release 1.10. */
const NOMAD_TYPES = numbered([
  ...["Node", "Job", "Index", "Eval", "Alloc", "TimeTable", "PeriodicLaunch"],
  ...["JobSummary", "VaultAccessor", "JobVersion", "Deployment", "ACLPolicy"],
  ...["ACLToken", "SchedulerConfig", "ClusterMetadata"],
  ...["ServiceIdentityTokenAccessor", "ScalingPolicy", "CSIPlugin"],
  ...["CSIVolume", "ScalingEvents", "EventSink", "ServiceRegistration"],
  ...["Variables", "VariablesQuota", "RootKeyMeta", "ACLRole"],
  ...["ACLAuthMethod", "ACLBindingRule", "NodePool", "JobSubmission"],
  ...["RootKey", "HostVolume", "TaskGroupHostVolumeClaim"],
]).set(64, "Namespace");

const CONSUL: StateProgram = {
  name: "Consul",
  types: CONSUL_TYPES,
  keyValue: 2,
};

const NOMAD: StateProgram = {
  name: "Nomad",
  types: NOMAD_TYPES,
  keyValue: undefined,
};

/** A map of one entry, and its key. */
const CONSUL_HEADER = [0x81, 0xa9, ...new TextEncoder().encode("LastIndex")];
/** An empty map. */
const NOMAD_HEADER = [0x80];

/** No header is longer. */
export const HEADER_SIZE_MAX = CONSUL_HEADER.length + 9;

/** The program that begins its states so; `undefined` for every other one. */
export function programOf(header: Uint8Array): StateProgram | undefined {
  const begins = (bytes: readonly number[]) =>
    bytes.every((byte, i) => header[i] === byte);
  if (begins(CONSUL_HEADER)) return CONSUL;
  return header.length === 1 && begins(NOMAD_HEADER) ? NOMAD : undefined;
}

function numbered(names: readonly string[]): Map<number, string> {
  return new Map(
    names.map((name, i) => [i, name] as const).filter(([, name]) =>
      name !== ""
    ),
  );
}
