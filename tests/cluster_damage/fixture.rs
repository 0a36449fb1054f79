//! Fixture: a cluster of three nodes, two key servers, and known data on all drives.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use harness::{Cluster, KmipServer, Lab, MasterKeys};
use kmip::vocabulary::State as KeyState;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::contents::{self, BLOCKS, Version, WRITTEN};
use crate::state::{A, B, Location};

/// Longer than anything here takes; only a test that fails waits so long.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(60);

pub(crate) const NODES: usize = 3;

/// The common name of the cluster's certificate, which owns its keys.
const COMMON_NAME: &str = "cluster";

/// What the cluster keeps for its account.
const CHAP_SECRET: &str = "initiator-secret";

pub(crate) struct Fixture {
    pub(crate) cluster: Cluster,
    pub(crate) servers: Vec<KmipServer>,
    keys: Vec<MasterKeys>,
    _lab: Lab,
    _folder: TempDir,
}

/// Folder in memory, where there is such a place.
fn scratch() -> TempDir {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    made.unwrap()
}

impl Fixture {
    /// A cluster with a drive on each node, an internal master key, and providers A and B.
    pub(crate) fn new() -> Self {
        let (lab, folder) = (Lab::new(), scratch());
        let place = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let start = |id| KmipServer::start_with(&lab, &place(&format!("kmip-{id}")), |it| it);
        let servers: Vec<_> = [A, B].map(start).into_iter().collect();
        let keys = |server: &KmipServer| MasterKeys::at(&lab, server.address(), COMMON_NAME);
        let keys = servers.iter().map(keys).collect();
        let cluster = Cluster::start_self_signed(&lab, &place("node-sim"), |program| {
            let settings = [
                ("--nodes", NODES.to_string()),
                ("--drives-per-node", "1".to_owned()),
                ("--blocks-per-drive", BLOCKS.to_string()),
                ("--retry-min-ms", "5".to_owned()),
                ("--retry-max-ms", "50".to_owned()),
                ("--create-late-max-ms", "100".to_owned()),
            ];
            settings.into_iter().fold(program, |it, (flag, value)| it.arg(flag).arg(value))
        });
        cluster.make_key_pair(COMMON_NAME);
        for server in &servers {
            cluster.add_key_server(&lab, server.address());
        }
        let fixture = Self { cluster, servers, keys, _lab: lab, _folder: folder };
        let account = json!({ "username": "tenant", "initiatorSecret": CHAP_SECRET });
        fixture.cluster.call("AddAccount", account);
        fixture.until_unlocked();
        fixture.write(Version::First);
        fixture
    }

    /// Writes the blocks of all drives.
    pub(crate) fn write(&self, version: Version) {
        for (drive, _) in drives(&self.state()) {
            for range in WRITTEN {
                let path = format!("/sim/v1/drives/{drive}/blocks/{}", range.start);
                let body = contents::blocks(drive, range, version);
                let answer = self.cluster.send("PUT", &path, &body).unwrap();
                assert_eq!(answer.status, 200, "{}", answer.body);
            }
        }
    }

    /// What is wrong with the account, if anything is.
    pub(crate) fn account_error(&self) -> Option<String> {
        let params = json!({ "username": "tenant" });
        match self.cluster.try_call("GetAccountByName", &params) {
            Ok(found) if found["account"]["initiatorSecret"] == json!(CHAP_SECRET) => None,
            Ok(_) => Some("the account has another secret".to_owned()),
            Err(error) => Some(format!("the account cannot be read: {error:?}")),
        }
    }

    /// The master keys at key server A or B, with their States.
    pub(crate) fn living(&self, server: usize) -> BTreeMap<String, KeyState> {
        self.keys[server - 1].living()
    }

    /// What `GET /sim/v1/state` answers.
    pub(crate) fn state(&self) -> Value {
        let answer = self.cluster.send("GET", "/sim/v1/state", "").unwrap();
        assert_eq!(answer.status, 200, "{}", answer.body);
        serde_json::from_str(&answer.body).unwrap()
    }

    /// Sets the state that every rekey stops before.
    pub(crate) fn stop_rekeys_before(&self, state: &str) {
        let body = json!({ "stopBefore": state }).to_string();
        let answer = self.cluster.send("PUT", "/sim/v1/rekey/control", &body).unwrap();
        assert_eq!(answer.status, 200, "{}", answer.body);
    }

    pub(crate) fn start_rekey(&self, to: Location) {
        let params = match to {
            Location::Internal => json!({ "keyManagementType": "internal" }),
            Location::External(id) => {
                json!({ "keyManagementType": "external", "keyProviderID": id })
            }
        };
        self.cluster.call("RekeySoftwareEncryptionAtRestMasterKey", params);
    }

    /// What the rekey waits for, if it does.
    pub(crate) fn waiting_for(&self, state: &Value) -> Option<String> {
        let handle = state["rekey"]["asyncHandle"].as_u64()?;
        let params = json!({ "asyncHandle": handle, "keepResult": true });
        let result = self.cluster.call("GetAsyncResult", params);
        result["details"]["waitingFor"].as_str().map(str::to_owned)
    }

    /// The faults that last, as `code: details`.
    pub(crate) fn faults(&self) -> Vec<String> {
        self.faults_of("current")
    }

    /// Faults of these `faultTypes`, as `code: details`.
    pub(crate) fn faults_of(&self, types: &str) -> Vec<String> {
        let list = self.cluster.call("ListClusterFaults", json!({ "faultTypes": types }));
        let text = |fault: &Value, member: &str| fault[member].as_str().unwrap().to_owned();
        let faults = list["faults"].as_array().unwrap().iter();
        faults.map(|fault| format!("{}: {}", text(fault, "code"), text(fault, "details"))).collect()
    }

    /// Waits until all drives serve and no rekey runs.
    pub(crate) fn until_unlocked(&self) {
        self.cluster.until("all drives unlocked and no rekey", TIMEOUT, |_| {
            let state = self.state();
            (state["unlocked"] == json!(true) && state["rekey"] == Value::Null).then_some(())
        });
    }
}

/// Location and `keyID` of the current master key.
pub(crate) fn current(state: &Value) -> (Location, String) {
    let mut keys = state["masterKeys"].as_array().unwrap().iter();
    let current = keys.find(|key| key["current"] == json!(true)).unwrap();
    let location = match current["keyProviderID"].as_u64() {
        None => Location::Internal,
        Some(id) => Location::External(usize::try_from(id).unwrap()),
    };
    (location, current["keyID"].as_str().unwrap().to_owned())
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
