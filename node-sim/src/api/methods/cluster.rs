//! What the cluster is: its API, versions, limits, addresses and administrators.

use super::method::{Action, ElementApi, Method, MethodResult, Scope};
use super::params::Params;
use crate::api::api_version::{CURRENT, SOFTWARE_VERSION, SUPPORTED, version};
use crate::state::accounts::{ACCOUNTS_MAX, SECRET_LEN, USERNAME_LEN};
use crate::state::key_server_registry::{
    KEY_PROVIDERS_MAX, KEY_SERVERS_MAX, SERVERS_PER_PROVIDER_MAX,
};
use crate::state::ledger::Ledger;
use serde_json::{Map, Value, json};

/// The limits of what this cluster does not have: none of it.
const ABSENT: &[&str] = &[
    "bulkVolumeJobsPerNodeMax",
    "bulkVolumeJobsPerVolumeMax",
    "cloneJobsPerVolumeMax",
    "clusterPairsCountMax",
    "fibreChannelVolumeAccessMax",
    "initiatorAliasLengthMax",
    "initiatorCountMax",
    "initiatorNameLengthMax",
    "initiatorsPerVolumeAccessGroupCountMax",
    "iscsiSessionsFromFibreChannelNodesMax",
    "qosPolicyCountMax",
    "scheduleNameLengthMax",
    "snapshotNameLengthMax",
    "snapshotsPerVolumeMax",
    "virtualVolumeCountMax",
    "virtualVolumesPerAccountCountMax",
    "volumeAccessGroupCountMax",
    "volumeAccessGroupLunMax",
    "volumeAccessGroupNameLengthMax",
    "volumeAccessGroupNameLengthMin",
    "volumeAccessGroupsPerInitiatorCountMax",
    "volumeAccessGroupsPerVolumeCountMax",
    "volumeBurstIOPSMax",
    "volumeBurstIOPSMin",
    "volumeCountMax",
    "volumeMaxIOPSMax",
    "volumeMaxIOPSMin",
    "volumeMinIOPSMax",
    "volumeMinIOPSMin",
    "volumeNameLengthMax",
    "volumeNameLengthMin",
    "volumeSizeMax",
    "volumeSizeMin",
    "volumesPerAccountCountMax",
    "volumesPerGroupSnapshotMax",
    "volumesPerVolumeAccessGroupCountMax",
];

/// The rows of the table.
pub(crate) const METHODS: &[Method] = &[
    Method {
        name: "GetAPI",
        since: version(1, 0),
        scope: Scope::Both,
        parameters: &[],
        action: Action::Read(get_api),
    },
    Method {
        name: "GetClusterInfo",
        since: version(1, 0),
        scope: Scope::Cluster,
        parameters: &[],
        action: Action::Read(get_cluster_info),
    },
    Method {
        name: "GetClusterVersionInfo",
        since: version(1, 0),
        scope: Scope::Cluster,
        parameters: &[],
        action: Action::Read(get_cluster_version_info),
    },
    Method {
        name: "GetClusterMasterNodeID",
        since: version(1, 0),
        scope: Scope::Cluster,
        parameters: &[],
        action: Action::Read(get_cluster_master_node_id),
    },
    Method {
        name: "GetLimits",
        since: version(1, 0),
        scope: Scope::Cluster,
        parameters: &[],
        action: Action::Read(get_limits),
    },
    Method {
        name: "GetCurrentClusterAdmin",
        since: version(6, 0),
        scope: Scope::Cluster,
        parameters: &[],
        action: Action::Read(|api, _| Ok(json!({ "clusterAdmin": admin(api) }))),
    },
    Method {
        name: "ListClusterAdmins",
        since: version(1, 0),
        scope: Scope::Cluster,
        parameters: &[],
        action: Action::Read(|api, _| Ok(json!({ "clusterAdmins": [admin(api)] }))),
    },
];

/// `currentVersion` is the version of the API, not of the software: the SDKs read it as a number.
fn get_api(api: &ElementApi, _: &Params) -> MethodResult {
    let mut names: Vec<_> = api.offered(CURRENT).map(|method| method.name).collect();
    names.sort_unstable();
    let supported: Vec<_> = SUPPORTED.iter().map(ToString::to_string).collect();
    let mut answer = Map::new();
    answer.insert(CURRENT.to_string(), names.into());
    answer.insert("currentVersion".into(), CURRENT.to_string().into());
    answer.insert("supportedVersions".into(), supported.into());
    Ok(answer.into())
}

/// What Element writes for a state of encryption.
#[must_use]
pub(crate) const fn enabled_text(enabled: bool) -> &'static str {
    if enabled { "enabled" } else { "disabled" }
}

/// Data is on one drive only: the simulated cluster keeps no second copy.
fn get_cluster_info(api: &ElementApi, _: &Params) -> MethodResult {
    let ledger = api.cluster.ledger();
    let identity = &ledger.identity;
    let master = ledger.master_node();
    let ensemble = vec![identity.mvip.as_str(); ledger.nodes.len()];
    Ok(json!({ "clusterInfo": {
        "attributes": {},
        "defaultProtectionScheme": "singleHelix",
        "enabledProtectionSchemes": ["singleHelix"],
        "encryptionAtRestState": enabled_text(false),
        "ensemble": ensemble,
        "mvip": identity.mvip,
        "mvipInterface": super::nodes::MANAGEMENT_INTERFACE,
        "mvipNodeID": master,
        "mvipVlanTag": "0",
        "name": identity.name,
        "repCount": 1,
        "softwareEncryptionAtRestState": enabled_text(ledger.encryption.enabled),
        "supportedProtectionSchemes": ["singleHelix"],
        "svip": identity.svip,
        "svipInterface": super::nodes::STORAGE_INTERFACE,
        "svipNodeID": master,
        "svipVlanTag": "0",
        "uniqueID": identity.unique_id,
        "uuid": identity.uuid,
    }}))
}

fn get_cluster_version_info(api: &ElementApi, _: &Params) -> MethodResult {
    let ledger = api.cluster.ledger();
    let nodes: Vec<_> = ledger
        .nodes
        .keys()
        .map(|id| {
            json!({
                "nodeID": id,
                "nodeInternalRevision": env!("CARGO_PKG_VERSION"),
                "nodeVersion": SOFTWARE_VERSION,
            })
        })
        .collect();
    Ok(json!({
        "clusterAPIVersion": CURRENT.to_string(),
        "clusterVersion": SOFTWARE_VERSION,
        "clusterVersionInfo": nodes,
        "softwareVersionInfo": {
            "currentVersion": SOFTWARE_VERSION,
            "nodeID": 0,
            "packageName": "",
            "pendingVersion": SOFTWARE_VERSION,
            "startTime": "",
        },
    }))
}

fn get_cluster_master_node_id(api: &ElementApi, _: &Params) -> MethodResult {
    Ok(json!({ "nodeID": api.cluster.read(Ledger::master_node) }))
}

/// The limits that this cluster keeps. What it does not have at all has the limit zero.
fn get_limits(_: &ElementApi, _: &Params) -> MethodResult {
    let mut limits = json!({
        "accountCountMax": ACCOUNTS_MAX,
        "accountNameLengthMax": USERNAME_LEN.end(),
        "accountNameLengthMin": USERNAME_LEN.start(),
        "clusterAdminAccountMax": 1,
        "keyProviderCountMax": KEY_PROVIDERS_MAX,
        "keyServerCountMax": KEY_SERVERS_MAX,
        "keyServersPerKeyProviderCountMax": SERVERS_PER_PROVIDER_MAX,
        "secretLengthMax": SECRET_LEN.end(),
        "secretLengthMin": SECRET_LEN.start(),
    });
    if let Some(members) = limits.as_object_mut() {
        members.extend(ABSENT.iter().map(|name| ((*name).to_owned(), 0.into())));
    }
    Ok(limits)
}

fn admin(api: &ElementApi) -> Value {
    json!({
        "access": ["administrator"],
        "attributes": null,
        "authMethod": "Cluster",
        "clusterAdminID": 1,
        "username": api.admin,
    })
}
