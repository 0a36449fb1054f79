//! Fixture: a cluster, two key servers, a proxy before each, and known data on all drives.

use std::time::Duration;

use harness::{Cluster, KmipProxy, KmipServer, Lab, MasterKeys};
use serde_json::{Value, json};

use crate::case::{A, B, Location};
use crate::lie::{CREATE_LATE_MAX_MS, DEADLINE_MS};

/// Longer than anything here takes; only a test that fails waits so long.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(60);

/// The common name of the cluster's certificate, which owns the cluster's keys.
const COMMON_NAME: &str = "cluster";

/// The blocks that are written on every drive, from the first on.
const BLOCKS: u64 = 3;
const BLOCK_LEN: usize = 4096;

pub(crate) struct Fixture {
    pub(crate) cluster: Cluster,
    proxies: Vec<KmipProxy>,
    keys: Vec<MasterKeys>,
    servers: Vec<KmipServer>,
    _lab: Lab,
}

impl Fixture {
    /// A cluster of two nodes with two drives each and an internal master key.
    pub(crate) fn new() -> Self {
        let lab = Lab::new();
        let start = |id| KmipServer::start_with(&lab, &format!("kmip-server-{id}"), |it| it);
        let servers = [A, B].map(start);
        let keys = |server: &KmipServer| MasterKeys::at(&lab, server.address(), COMMON_NAME);
        let keys = servers.iter().map(keys).collect();
        let proxies: Vec<_> =
            servers.iter().map(|s| KmipProxy::start_for(&lab, s.address(), COMMON_NAME)).collect();
        let cluster = Cluster::start_with(&lab, "node-sim", |program| {
            let settings = [
                ("--nodes", 2),
                ("--drives-per-node", 2),
                ("--blocks-per-drive", 256),
                ("--retry-min-ms", 5),
                ("--retry-max-ms", 50),
                ("--kmip-request-deadline-ms", DEADLINE_MS),
                ("--create-late-max-ms", CREATE_LATE_MAX_MS),
            ];
            settings
                .into_iter()
                .fold(program, |program, (flag, value)| program.arg(flag).arg(value.to_string()))
        });
        cluster.make_key_pair(COMMON_NAME);
        for proxy in &proxies {
            cluster.add_key_server(&lab, proxy.address());
        }
        let servers = servers.into_iter().collect();
        let fixture = Self { cluster, proxies, keys, servers, _lab: lab };
        for (drive, _) in drives(&fixture.until_unlocked()) {
            let path = format!("/sim/v1/drives/{drive}/blocks/0");
            let answer = fixture.cluster.send("PUT", &path, &blocks(drive)).unwrap();
            assert_eq!(answer.status, 200, "{}", answer.body);
        }
        fixture
    }

    /// Key server A or B, asked directly.
    pub(crate) fn key_server(&self, server: usize) -> &MasterKeys {
        &self.keys[server - 1]
    }

    /// The proxy before key server A or B.
    pub(crate) fn proxy(&self, server: usize) -> &KmipProxy {
        &self.proxies[server - 1]
    }

    /// From now on all answers are true.
    pub(crate) fn remove_rules(&self) {
        self.proxies.iter().for_each(KmipProxy::remove_rules);
    }

    /// What `GET /sim/v1/state` answers.
    pub(crate) fn state(&self) -> Value {
        let answer = self.cluster.send("GET", "/sim/v1/state", "").unwrap();
        assert_eq!(answer.status, 200, "{}", answer.body);
        serde_json::from_str(&answer.body).unwrap()
    }

    /// Sets the state that every rekey stops before.
    pub(crate) fn stop_rekeys_before(&self, state: &Value) {
        let body = json!({ "stopBefore": state }).to_string();
        let answer = self.cluster.send("PUT", "/sim/v1/rekey/control", &body).unwrap();
        assert_eq!(answer.status, 200, "{}", answer.body);
    }

    pub(crate) fn start_rekey(&self, to: Location) -> Value {
        let accepted = self.cluster.call("RekeySoftwareEncryptionAtRestMasterKey", params(to));
        accepted["asyncHandle"].clone()
    }

    /// Starts a rekey; none if it is not accepted, or the cluster dies meanwhile.
    pub(crate) fn try_start_rekey(&self, to: Location) -> Option<Value> {
        let method = "RekeySoftwareEncryptionAtRestMasterKey";
        let answer = self.cluster.post(method, &params(to)).ok()?;
        let answer: Value = serde_json::from_str(&answer.body).unwrap();
        let handle = answer["result"]["asyncHandle"].clone();
        (handle != Value::Null).then_some(handle)
    }

    /// What `GetAsyncResult` answers; none if the cluster does not answer any more.
    pub(crate) fn try_async_result(&self, handle: &Value) -> Option<Value> {
        let params = json!({ "asyncHandle": handle, "keepResult": true });
        let answer = self.cluster.post("GetAsyncResult", &params).ok()?;
        serde_json::from_str(&answer.body).ok()
    }

    /// Ends a key server with SIGKILL and starts it again.
    pub(crate) fn kill_key_server(&mut self, server: usize) {
        self.servers[server - 1].restart();
    }

    /// What `GetAsyncResult` answers.
    pub(crate) fn async_result(&self, handle: &Value) -> Value {
        self.cluster.call("GetAsyncResult", json!({ "asyncHandle": handle, "keepResult": true }))
    }

    /// The faults that last, as `code: details`.
    pub(crate) fn faults(&self) -> Vec<String> {
        let list = self.cluster.call("ListClusterFaults", json!({ "faultTypes": "current" }));
        let text = |fault: &Value, member: &str| fault[member].as_str().unwrap().to_owned();
        let faults = list["faults"].as_array().unwrap().iter();
        faults.map(|fault| format!("{}: {}", text(fault, "code"), text(fault, "details"))).collect()
    }

    /// The messages of the events after this one, and the id of the last.
    pub(crate) fn events_after(&self, id: u64) -> (Vec<String>, u64) {
        let list = self.cluster.call("ListEvents", json!({ "startEventID": id + 1 }));
        let events = list["events"].as_array().unwrap();
        let last = events.iter().filter_map(|event| event["eventID"].as_u64()).max();
        let message = |event: &Value| event["message"].as_str().unwrap().to_owned();
        (events.iter().map(message).collect(), last.unwrap_or(id))
    }

    /// Ends the cluster with SIGKILL and starts it again.
    pub(crate) fn restart_cluster(&mut self) {
        self.cluster.restart();
    }

    /// Waits until all drives serve, and returns that state.
    pub(crate) fn until_unlocked(&self) -> Value {
        self.cluster.until("all drives unlocked", TIMEOUT, |_| {
            let state = self.state();
            (state["unlocked"] == json!(true)).then_some(state)
        })
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

fn params(to: Location) -> Value {
    match to {
        Location::Internal => json!({ "keyManagementType": "internal" }),
        Location::External(id) => json!({ "keyManagementType": "external", "keyProviderID": id }),
    }
}

/// The ids of the drives in this state, and what locks each.
pub(crate) fn drives(state: &Value) -> Vec<(u64, Option<String>)> {
    let nodes = state["nodes"].as_array().unwrap().iter();
    nodes
        .flat_map(|node| node["drives"].as_array().unwrap())
        .map(|drive| {
            let reason = drive["reason"].as_str().unwrap_or_default();
            let is_active = drive["state"] == json!("active");
            (drive["driveID"].as_u64().unwrap(), (!is_active).then(|| reason.to_owned()))
        })
        .collect()
}

/// What is on this drive: text, so that it passes through any client; no two blocks are equal.
fn blocks(drive: u64) -> String {
    let block = |lba| {
        let text = format!("drive {drive} block {lba} ");
        text.chars().cycle().take(BLOCK_LEN).collect::<String>()
    };
    (0..BLOCKS).map(block).collect()
}
