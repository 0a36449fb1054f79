//! The nodes, and what a node tells of itself.
//!
//! The simulated nodes share one address, because that is where they are: each is a part of this
//! program. They are of a type that ends in `-NE`, Element's mark of a node whose drives do not
//! encrypt by themselves.

use super::method::{Action, ElementApi, Method, MethodResult, Scope};
use super::params::{Kind, Params, optional};
use crate::api::api_version::{SOFTWARE_VERSION, version};
use crate::state::key_ring::NodeId;
use crate::state::ledger::{Ledger, NodeRecord};
use serde_json::{Value, json};
use std::sync::LazyLock;

/// The interface of management, as a node names it.
pub(crate) const MANAGEMENT_INTERFACE: &str = "eth0";

/// The interface of storage and of the cluster's own traffic, as a node names it.
pub(crate) const STORAGE_INTERFACE: &str = "eth1";

/// The type of the nodes: simulated, and without drives that encrypt by themselves.
pub(crate) const NODE_TYPE: &str = "SFSIM-NE";

/// The machine that all simulated nodes share.
struct Machine {
    cpu_model: String,
    memory_gb: u64,
}

static MACHINE: LazyLock<Machine> = LazyLock::new(|| {
    let value = |file: &str, name: &str| {
        let text = std::fs::read_to_string(file).ok()?;
        let line = text.lines().find(|line| line.starts_with(name))?;
        line.split_once(':').map(|(_, value)| value.trim().to_owned())
    };
    let kibibytes = value("/proc/meminfo", "MemTotal")
        .and_then(|text| text.split(' ').next().and_then(|number| number.parse::<u64>().ok()));
    Machine {
        cpu_model: value("/proc/cpuinfo", "model name")
            .unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
        memory_gb: kibibytes.unwrap_or(0) >> 20,
    }
});

/// The rows of the table.
pub(crate) const METHODS: &[Method] = &[
    Method {
        name: "ListAllNodes",
        since: version(1, 0),
        scope: Scope::Cluster,
        parameters: &[],
        action: Action::Read(list_all_nodes),
    },
    Method {
        name: "ListActiveNodes",
        since: version(1, 0),
        scope: Scope::Cluster,
        parameters: &[],
        action: Action::Read(|api, _| Ok(json!({ "nodes": nodes(api) }))),
    },
    Method {
        name: "ListPendingNodes",
        since: version(1, 0),
        scope: Scope::Cluster,
        parameters: &[],
        action: Action::Read(|_, _| Ok(json!({ "pendingNodes": [] }))),
    },
    Method {
        name: "ListPendingActiveNodes",
        since: version(9, 0),
        scope: Scope::Cluster,
        parameters: &[],
        action: Action::Read(|_, _| Ok(json!({ "pendingActiveNodes": [] }))),
    },
    Method {
        name: "GetClusterState",
        since: version(5, 0),
        scope: Scope::Both,
        parameters: &[optional("force", Kind::Boolean)],
        action: Action::Read(get_cluster_state),
    },
    Method {
        name: "GetClusterConfig",
        since: version(5, 0),
        scope: Scope::Node,
        parameters: &[],
        action: Action::Read(|api, _| Ok(json!({ "cluster": cluster_config(api) }))),
    },
    Method {
        name: "GetConfig",
        since: version(5, 0),
        scope: Scope::Node,
        parameters: &[],
        action: Action::Read(get_config),
    },
];

/// Every node belongs to the cluster: there is none that waits to be added.
fn list_all_nodes(api: &ElementApi, _: &Params) -> MethodResult {
    Ok(json!({ "nodes": nodes(api), "pendingActiveNodes": [], "pendingNodes": [] }))
}

fn nodes(api: &ElementApi) -> Vec<Value> {
    let ledger = api.cluster.ledger();
    ledger.nodes.iter().map(|(id, node)| node_json(&ledger, *id, node)).collect()
}

/// Only the master runs the service of the cluster master.
fn node_json(ledger: &Ledger, id: NodeId, node: &NodeRecord) -> Value {
    let (mvip, svip) = (&ledger.identity.mvip, &ledger.identity.svip);
    json!({
        "associatedFServiceID": 0,
        "associatedMasterServiceID": u32::from(ledger.master_node() == id),
        "attributes": {},
        "chassisName": "",
        "cip": svip,
        "cipi": STORAGE_INTERFACE,
        "customProtectionDomainName": "__default__",
        "fibreChannelTargetPortGroup": null,
        "maintenanceMode": "Disabled",
        "mip": mvip,
        "mipi": MANAGEMENT_INTERFACE,
        "name": node.name,
        "nodeID": id,
        "nodeSlot": "",
        "platformInfo": {
            "chassisType": "SFVIRT",
            "containerized": false,
            "cpuModel": MACHINE.cpu_model,
            "nodeMemoryGB": MACHINE.memory_gb,
            "nodeType": NODE_TYPE,
            "platformConfigVersion": "0.0.0.0",
        },
        "role": "Storage",
        "sip": svip,
        "sipi": STORAGE_INTERFACE,
        "softwareVersion": SOFTWARE_VERSION,
        "uuid": node.uuid,
        "virtualNetworks": [],
    })
}

/// With `force`, the state of every node; else that of the node that answers. A node that is
/// switched off gives no result.
fn get_cluster_state(api: &ElementApi, params: &Params) -> MethodResult {
    let ledger = api.cluster.ledger();
    let state = json!({ "cluster": ledger.identity.name, "state": "Active" });
    if params.boolean("force") != Some(true) {
        return Ok(state);
    }
    let nodes: Vec<_> = ledger
        .nodes
        .iter()
        .map(|(id, node)| json!({ "nodeID": id, "result": node.powered.then_some(&state) }))
        .collect();
    Ok(json!({ "nodes": nodes }))
}

/// Of the node that answers: the cluster's master.
fn cluster_config(api: &ElementApi) -> Value {
    let ledger = api.cluster.ledger();
    let id = ledger.master_node();
    let name = ledger.nodes.get(&id).map_or("", |node| node.name.as_str());
    let ensemble: Vec<_> =
        ledger.nodes.keys().map(|id| format!("{id}:{}", ledger.identity.svip)).collect();
    json!({
        "cipi": STORAGE_INTERFACE,
        "cluster": ledger.identity.name,
        "encryptionCapable": false,
        "ensemble": ensemble,
        "fipsDriveConfiguration": false,
        "hasLocalAdmin": true,
        "mipi": MANAGEMENT_INTERFACE,
        "name": name,
        "nodeID": id,
        "pendingNodeID": 0,
        "role": "Storage",
        "sipi": STORAGE_INTERFACE,
        "state": "Active",
        "version": SOFTWARE_VERSION,
    })
}

fn get_config(api: &ElementApi, _: &Params) -> MethodResult {
    let identity = api.cluster.read(|ledger| ledger.identity.clone());
    let interface = |address: &str| {
        json!({
            "address": address,
            "family": "inet",
            "method": "static",
            "status": "UpAndRunning",
            "upAndRunning": true,
        })
    };
    Ok(json!({ "config": {
        "cluster": cluster_config(api),
        "network": {
            MANAGEMENT_INTERFACE: interface(&identity.mvip),
            STORAGE_INTERFACE: interface(&identity.svip),
        },
    }}))
}
