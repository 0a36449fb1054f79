//! Fixture: a cluster with two providers, the hosts of their key servers, and known data on all
//! drives.

use std::time::Duration;

use harness::{Answer, Cluster, Lab, RpcError};
use serde_json::{Value, json};

use crate::case::{A, B, Location};
use crate::hosts::{Client, HOST_NAMES, Hosts};

/// Longer than anything here takes; only a test that fails waits so long.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(60);

/// The blocks that are written on every drive, from the first on.
const BLOCKS: u64 = 3;
const BLOCK_LEN: usize = 4096;

pub(crate) const NODES: u64 = 2;

pub(crate) struct Fixture {
    pub(crate) cluster: Cluster,
    hosts: Vec<Hosts>,
    pub(crate) lab: Lab,
}

impl Fixture {
    /// A cluster of two nodes with a drive each and an internal master key. `retry_ms` are the
    /// waits between two attempts: the first and the longest.
    pub(crate) fn new(retry_ms: [u64; 2]) -> Self {
        let lab = Lab::with_hosts(&HOST_NAMES);
        let hosts: Vec<_> = [A, B].map(|provider| Hosts::start(&lab, provider)).into();
        let cluster = Cluster::start_with(&lab, "node-sim", |program| {
            let settings = [
                ("--nodes", NODES),
                ("--drives-per-node", 1),
                ("--blocks-per-drive", 256),
                ("--retry-min-ms", retry_ms[0]),
                ("--retry-max-ms", retry_ms[1]),
                ("--key-server-check-interval-ms", 100),
                ("--create-late-max-ms", 100),
            ];
            settings
                .into_iter()
                .fold(program, |program, (flag, value)| program.arg(flag).arg(value.to_string()))
        });
        cluster.make_key_pair(Client::Cluster.common_name());
        let address = |hosts: &Hosts| format!("{}:{}", HOST_NAMES[0], hosts.port());
        for hosts in &hosts {
            cluster.add_key_server(&lab, address(hosts).parse().unwrap());
        }
        let fixture = Self { cluster, hosts, lab };
        fixture.until("all drives unlocked", |state| state["unlocked"] == json!(true));
        for (drive, _) in drives(&fixture.state()) {
            let path = format!("/sim/v1/drives/{drive}/blocks/0");
            fixture.sim("PUT", &path, &blocks(drive));
        }
        fixture
    }

    /// The hosts of this provider's key server.
    pub(crate) fn hosts(&self, provider: usize) -> &Hosts {
        &self.hosts[provider - 1]
    }

    /// The same, to stop and start them.
    pub(crate) fn hosts_mut(&mut self, provider: usize) -> (&mut Hosts, &Lab) {
        (&mut self.hosts[provider - 1], &self.lab)
    }

    /// Sends a request to the simulator's own API, which must do it.
    pub(crate) fn sim(&self, verb: &str, path: &str, body: &str) -> Answer {
        let answer = self.cluster.send(verb, path, body).unwrap();
        assert_eq!(answer.status, 200, "{verb} {path}: {}", answer.body);
        answer
    }

    /// What `GET /sim/v1/state` answers.
    pub(crate) fn state(&self) -> Value {
        serde_json::from_str(&self.sim("GET", "/sim/v1/state", "").body).unwrap()
    }

    /// Waits for a state of which this is true.
    pub(crate) fn until(&self, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        self.cluster.until(what, TIMEOUT, |_| Some(self.state()).filter(|state| holds(state)))
    }

    /// Sets the state that every rekey stops before.
    pub(crate) fn stop_rekeys_before(&self, state: Option<&str>) {
        self.sim("PUT", "/sim/v1/rekey/control", &json!({ "stopBefore": state }).to_string());
    }

    pub(crate) fn start_rekey(&self, to: Location) -> Value {
        let params = match to {
            Location::Internal => json!({ "keyManagementType": "internal" }),
            Location::External(id) => {
                json!({ "keyManagementType": "external", "keyProviderID": id })
            }
        };
        let accepted = self.cluster.call("RekeySoftwareEncryptionAtRestMasterKey", params);
        accepted["asyncHandle"].clone()
    }

    /// What `GetAsyncResult` answers.
    pub(crate) fn async_result(&self, handle: &Value) -> Value {
        self.cluster.call("GetAsyncResult", json!({ "asyncHandle": handle, "keepResult": true }))
    }

    /// The `kmipKeyServer` of this provider.
    pub(crate) fn key_server(&self, provider: usize) -> Value {
        self.cluster.call("GetKeyServerKmip", json!({ "keyServerID": provider }))["kmipKeyServer"]
            .clone()
    }

    /// Asks for a change of this provider's key server.
    pub(crate) fn modify(&self, provider: usize, change: &Value) -> Result<Value, RpcError> {
        let mut params = change.clone();
        params["keyServerID"] = json!(provider);
        self.cluster.try_call("ModifyKeyServerKmip", &params)
    }

    /// A new certificate of the cluster's key pair, for this client.
    pub(crate) fn certificate(&self, client: Client) -> String {
        let request = self.cluster.call("GetClientCertificateSignRequest", json!({}));
        let request = request["clientCertificateSignRequest"].as_str().unwrap();
        self.lab.authority().sign_as(request, client.common_name()).unwrap()
    }

    /// The faults that last, as `code: details`.
    pub(crate) fn faults(&self) -> Vec<String> {
        let list = self.cluster.call("ListClusterFaults", json!({ "faultTypes": "current" }));
        let text = |fault: &Value, member: &str| fault[member].as_str().unwrap().to_owned();
        let faults = list["faults"].as_array().unwrap().iter();
        faults.map(|fault| format!("{}: {}", text(fault, "code"), text(fault, "details"))).collect()
    }

    /// The messages of the events after this one, the oldest first, and the id of the last.
    pub(crate) fn events_after(&self, id: u64) -> (Vec<String>, u64) {
        let list = self.cluster.call("ListEvents", json!({ "startEventID": id + 1 }));
        let mut events = list["events"].as_array().unwrap().clone();
        events.sort_by_key(|event| event["eventID"].as_u64());
        let last = events.last().and_then(|event| event["eventID"].as_u64());
        let message = |event: &Value| event["message"].as_str().unwrap().to_owned();
        (events.iter().map(message).collect(), last.unwrap_or(id))
    }

    /// Cuts the power of all nodes, and switches them on again.
    pub(crate) fn power_cycle(&self) {
        for verb in ["stop", "start"] {
            for node in 1..=NODES {
                self.sim("POST", &format!("/sim/v1/nodes/{node}/{verb}"), "");
            }
        }
    }

    /// Whether the blocks of this drive read as they were written.
    pub(crate) fn reads_right(&self, drive: u64) -> Result<(), String> {
        let path = format!("/sim/v1/drives/{drive}/blocks/0?count={BLOCKS}");
        let answer = self.cluster.send("GET", &path, "").unwrap();
        match answer.status {
            200 if answer.body == blocks(drive) => Ok(()),
            200 => Err(format!("drive {drive} has other data")),
            status => Err(format!("drive {drive} answers {status}: {}", answer.body)),
        }
    }
}

/// Location and `keyID` of the current master key.
pub(crate) fn current(state: &Value) -> (Location, String) {
    let keys = state["masterKeys"].as_array().unwrap().iter();
    let current: Vec<_> = keys.filter(|key| key["current"] == json!(true)).collect();
    assert_eq!(current.len(), 1, "{state}");
    let location = match current[0]["keyProviderID"].as_u64() {
        None => Location::Internal,
        Some(id) => Location::External(usize::try_from(id).unwrap()),
    };
    (location, current[0]["keyID"].as_str().unwrap().to_owned())
}

/// The ids of the drives in this state, each with the drive.
pub(crate) fn drives(state: &Value) -> Vec<(u64, &Value)> {
    let nodes = state["nodes"].as_array().unwrap().iter();
    let drives = nodes.flat_map(|node| node["drives"].as_array().unwrap());
    drives.map(|drive| (drive["driveID"].as_u64().unwrap(), drive)).collect()
}

/// What is on this drive: text, so that it passes through any client; no two blocks are equal.
fn blocks(drive: u64) -> String {
    let block = |lba| {
        let text = format!("drive {drive} block {lba} ");
        text.chars().cycle().take(BLOCK_LEN).collect::<String>()
    };
    (0..BLOCKS).map(block).collect()
}
