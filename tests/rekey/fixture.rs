//! Fixture: a small cluster with its key servers and data on its drives, and the checks of its
//! state at rest.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use harness::{Cluster, KmipProxy, KmipServer, Lab};
use kmip::vocabulary::State;
use serde_json::{Value, json};

use crate::key_server_client::{COMMON_NAME, KeyServerClient};

/// Longer than anything here takes; only a test that fails waits so long.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(60);

/// The blocks that are written on every drive, from the first on.
const BLOCKS: u64 = 3;
const BLOCK_LEN: usize = 4096;

/// Location of a master key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyLocation {
    /// In shares on the nodes.
    Internal,
    /// At the key server of this provider.
    External(usize),
}

pub(crate) struct Fixture {
    pub(crate) cluster: Cluster,
    pub(crate) servers: Vec<KmipServer>,
    /// One before each key server, if the cluster reaches them through proxies.
    pub(crate) proxies: Vec<KmipProxy>,
    keys: Vec<KeyServerClient>,
    pub(crate) lab: Lab,
}

impl Fixture {
    /// A cluster of so many nodes with a drive each, and so many providers with a key server each.
    pub(crate) fn new(nodes: usize, providers: usize) -> Self {
        Self::start(nodes, providers, false)
    }

    /// The same; the cluster reaches each key server through a proxy.
    pub(crate) fn through_proxies(nodes: usize, providers: usize) -> Self {
        Self::start(nodes, providers, true)
    }

    fn start(nodes: usize, providers: usize, through_proxies: bool) -> Self {
        let lab = Lab::new();
        let servers: Vec<_> = (1..=providers)
            .map(|id| KmipServer::start_with(&lab, &format!("kmip-server-{id}"), |it| it))
            .collect();
        let keys = servers.iter().map(|server| KeyServerClient::at(&lab, server)).collect();
        let start_proxy =
            |server: &KmipServer| KmipProxy::start_for(&lab, server.address(), COMMON_NAME);
        let proxied = if through_proxies { servers.as_slice() } else { &[] };
        let proxies: Vec<_> = proxied.iter().map(start_proxy).collect();
        let cluster = Cluster::start_with(&lab, "node-sim", |program| {
            let program = program.arg("--nodes").arg(nodes.to_string());
            let program = program.arg("--drives-per-node").arg("1");
            let program = program.arg("--blocks-per-drive").arg("256");
            // A test waits for what happens, not for the cluster's patience.
            let program = program.arg("--retry-min-ms").arg("5").arg("--retry-max-ms").arg("50");
            program.arg("--create-late-max-ms").arg("100")
        });
        let fixture = Self { cluster, servers, proxies, keys, lab };
        fixture.cluster.make_key_pair(COMMON_NAME);
        for (index, server) in fixture.servers.iter().enumerate() {
            let proxy = fixture.proxies.get(index).map(KmipProxy::address);
            let address = proxy.unwrap_or_else(|| server.address());
            let id = fixture.cluster.add_key_server(&fixture.lab, address);
            assert_eq!(id, u64::try_from(index + 1).unwrap());
        }
        fixture.write_blocks();
        fixture
    }

    /// What `/sim/v1/state` tells.
    pub(crate) fn state(&self) -> Value {
        let answer = self.cluster.send("GET", "/sim/v1/state", "").unwrap();
        assert_eq!(answer.status, 200, "{}", answer.body);
        serde_json::from_str(&answer.body).unwrap()
    }

    /// The id of the present master key.
    pub(crate) fn key_id(&self) -> String {
        let info = self.cluster.call("GetSoftwareEncryptionAtRestInfo", json!({}));
        info["masterKeyInfo"]["keyID"].as_str().unwrap().to_owned()
    }

    /// Asks for a rekey and gives its handle.
    pub(crate) fn start_rekey(&self, to: KeyLocation) -> Value {
        let accepted = self.cluster.call("RekeySoftwareEncryptionAtRestMasterKey", params(to));
        accepted["asyncHandle"].clone()
    }

    /// Waits until the rekey has ended well, and returns its result.
    pub(crate) fn finished(&self, handle: &Value) -> Value {
        let ended = self.cluster.completed(handle, TIMEOUT);
        assert_eq!(ended["result"]["state"], json!("Ready"), "{ended}");
        self.cluster.assert_agreement();
        ended["result"].clone()
    }

    pub(crate) fn rekey(&self, to: KeyLocation) -> Value {
        self.finished(&self.start_rekey(to))
    }

    /// Waits until all drives serve, and returns the state that says so.
    pub(crate) fn until_unlocked(&self) -> Value {
        self.cluster.until("all drives unlocked", TIMEOUT, |_| {
            let state = self.state();
            (state["unlocked"] == json!(true)).then_some(state)
        })
    }

    /// The names and states of the keys at the server of this provider.
    pub(crate) fn keys_at_server(&self, provider: usize) -> BTreeMap<String, State> {
        self.keys[provider - 1].objects()
    }

    /// The files in which this node has shares.
    pub(crate) fn shares(&self, node: u64) -> BTreeSet<String> {
        let folder = self.cluster.data().join(format!("node-{node}/shares"));
        let files = match std::fs::read_dir(folder) {
            Ok(files) => files,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return BTreeSet::new(),
            Err(error) => panic!("the shares of node {node}: {error}"),
        };
        files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect()
    }

    fn write_blocks(&self) {
        for drive in drives(&self.until_unlocked()) {
            let path = format!("/sim/v1/drives/{drive}/blocks/0");
            let answer = self.cluster.send("PUT", &path, &blocks(drive)).unwrap();
            assert_eq!(answer.status, 200, "{}", answer.body);
        }
    }

    /// Every block that was written reads as it was written.
    pub(crate) fn assert_data(&self, drives: &[u64]) {
        for drive in drives {
            let path = format!("/sim/v1/drives/{drive}/blocks/0?count={BLOCKS}");
            let answer = self.cluster.send("GET", &path, "").unwrap();
            assert_eq!(answer.status, 200, "drive {drive}: {}", answer.body);
            assert!(answer.body == blocks(*drive), "drive {drive} holds other data");
        }
    }

    /// The cluster is at rest with its key in this place: every drive is under it, all data reads,
    /// and no other master key is anywhere. The id of that key.
    pub(crate) fn assert_settled(&self, location: KeyLocation) -> String {
        let state = self.cluster.until("all drives unlocked and one master key", TIMEOUT, |_| {
            let state = self.until_unlocked();
            let keys = state["masterKeys"].as_array().map_or(0, Vec::len);
            (state["rekey"] != Value::Null || keys == 1).then_some(state)
        });
        let drives = drives(&state);
        self.assert_data(&drives);
        assert_eq!(state["rekey"], Value::Null, "{state}");
        let keys = state["masterKeys"].as_array().unwrap();
        assert_eq!(keys.len(), 1, "{state}");
        assert_eq!(keys[0]["current"], json!(true), "{state}");
        assert_eq!(keys[0]["wraps"], json!(drives.len()), "{state}");
        let provider = match location {
            KeyLocation::Internal => Value::Null,
            KeyLocation::External(provider) => json!(provider),
        };
        assert_eq!(keys[0]["keyProviderID"], provider, "{state}");
        let key_id = keys[0]["keyID"].as_str().unwrap();
        for provider in 1..=self.servers.len() {
            let here = location == KeyLocation::External(provider);
            let name = (format!("SolidFire-KeyID-{key_id}"), State::Active);
            let expected: BTreeMap<_, _> = here.then_some(name).into_iter().collect();
            assert_eq!(
                self.keys_at_server(provider),
                expected,
                "at the server of provider {provider}"
            );
        }
        for node in state["nodes"].as_array().unwrap() {
            let node = node["nodeID"].as_u64().unwrap();
            let share = (location == KeyLocation::Internal).then(|| format!("{key_id}.json"));
            assert_eq!(self.shares(node), share.into_iter().collect(), "shares of node {node}");
        }
        self.cluster.assert_agreement();
        key_id.to_owned()
    }

    /// The `details` of the faults of key servers that last.
    pub(crate) fn kmip_faults(&self) -> Vec<String> {
        let list = self.cluster.call("ListClusterFaults", json!({ "faultTypes": "current" }));
        let faults = list["faults"].as_array().unwrap().iter();
        let kmip = faults.filter(|fault| fault["code"] == json!("kmipServerFault"));
        kmip.map(|fault| fault["details"].as_str().unwrap().to_owned()).collect()
    }

    pub(crate) fn until_kmip_fault(&self, begins: &str) {
        self.cluster.until("the fault of a key server", TIMEOUT, |_| {
            self.kmip_faults().iter().any(|details| details.starts_with(begins)).then_some(())
        });
        self.cluster.assert_agreement();
    }

    pub(crate) fn until_no_kmip_fault(&self) {
        self.cluster.until("no fault of a key server", TIMEOUT, |_| {
            self.kmip_faults().is_empty().then_some(())
        });
        self.cluster.assert_agreement();
    }

    pub(crate) fn provider_is_active(&self, provider: usize) -> bool {
        let answer = self.cluster.call("GetKeyProviderKmip", json!({ "keyProviderID": provider }));
        answer["kmipKeyProvider"]["keyProviderIsActive"].as_bool().unwrap()
    }

    /// Switches a node on or off.
    pub(crate) fn power(&self, node: u64, verb: &str) {
        let path = format!("/sim/v1/nodes/{node}/{verb}");
        let answer = self.cluster.send("POST", &path, "").unwrap();
        assert_eq!(answer.status, 200, "{}", answer.body);
        self.cluster.assert_agreement();
    }
}

pub(crate) fn params(to: KeyLocation) -> Value {
    match to {
        KeyLocation::Internal => json!({ "keyManagementType": "internal" }),
        KeyLocation::External(id) => {
            json!({ "keyManagementType": "external", "keyProviderID": id })
        }
    }
}

/// The ids of the drives in this state.
pub(crate) fn drives(state: &Value) -> Vec<u64> {
    let nodes = state["nodes"].as_array().unwrap().iter();
    nodes
        .flat_map(|node| node["drives"].as_array().unwrap())
        .map(|drive| drive["driveID"].as_u64().unwrap())
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
