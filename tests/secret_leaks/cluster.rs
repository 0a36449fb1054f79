//! The cluster's master keys, data keys, private key and passwords go through its rekeys.

use std::path::Path;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use harness::{Cluster, Https, KmipServer, Lab};
use kmip::client::Client;
use kmip::payload::LocateRequest;
use node_sim::testing::{combine_share_files, open_sealed};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::key_server::with_trace_log;
use crate::requests::get;
use crate::search::{Search, private_part};

const COMMON_NAME: &str = "cluster";
const TIMEOUT: Duration = Duration::from_secs(60);
const TEXT: &str = "What is written on a drive is a secret, too. ";
const BLOCK_LEN: usize = 4096;
const WRONG_PASSWORD: &str = "incorrect-mule-capacitor-clip";
const CHAP_SECRET: &str = "chap-secret-7391";

struct Fixture {
    lab: Lab,
    server: KmipServer,
    cluster: Cluster,
    search: Search,
    /// All that was said.
    output: String,
}

impl Fixture {
    fn new() -> Self {
        let lab = Lab::new();
        let server = KmipServer::start_with(&lab, "kmip-server", |it| with_trace_log(&lab, it));
        let cluster = Cluster::start_with(&lab, "node-sim", |program| {
            let program = program.arg("--nodes").arg("2").arg("--drives-per-node").arg("1");
            let program = program.arg("--blocks-per-drive").arg("256");
            let program = program.arg("--retry-min-ms").arg("5").arg("--retry-max-ms").arg("50");
            let program = program.arg("--kmip-trace").arg(lab.path("kmip-trace.txt"));
            program.arg("--log").arg("trace")
        });
        Self { lab, server, cluster, search: Search::default(), output: String::new() }
    }

    /// Calls a method and remembers what was answered.
    fn call(&mut self, method: &str, params: &Value) -> Value {
        let answer = self.cluster.post(method, params).unwrap();
        self.output.push_str(&answer.head);
        self.output.push_str(&answer.body);
        serde_json::from_str(&answer.body).unwrap()
    }

    fn rekey(&mut self, params: &Value) {
        let accepted = self.call("RekeySoftwareEncryptionAtRestMasterKey", params);
        let ended = self.cluster.completed(&accepted["result"]["asyncHandle"], TIMEOUT);
        assert_eq!(ended["result"]["state"], json!("Ready"), "{ended}");
        self.output.push_str(&ended.to_string());
    }

    fn state(&self) -> Value {
        let answer = self.cluster.send("GET", "/sim/v1/state", "").unwrap();
        serde_json::from_str(&answer.body).unwrap()
    }

    fn key_id(&self) -> String {
        let info = self.cluster.call("GetSoftwareEncryptionAtRestInfo", json!({}));
        info["masterKeyInfo"]["keyID"].as_str().unwrap().to_owned()
    }

    fn until_unlocked(&self) {
        self.cluster.until("all drives unlocked", TIMEOUT, |_| {
            (self.state()["unlocked"] == json!(true)).then_some(())
        });
    }

    /// Searches for the master key that the cluster has at its key server.
    fn note_external_key(&mut self) -> Vec<u8> {
        let pair = self.lab.authority().client(COMMON_NAME).unwrap();
        let client = Client::builder()
            .server(self.server.address().to_string())
            .ca_pem(self.lab.pem("ca.crt"))
            .identity_pem(&pair.cert_pem, pair.key_pem.as_bytes())
            .build()
            .unwrap();
        let key = Runtime::new().unwrap().block_on(async {
            let ids = client.request(LocateRequest::default()).await.unwrap().unique_identifiers;
            let object = client.request(get(&ids[0])).await.unwrap().object;
            object.key_block().and_then(|block| block.bytes()).unwrap().to_vec()
        });
        self.search.key("an external master key", &key);
        key
    }

    /// Searches for the master key that the nodes have shares of.
    fn note_internal_key(&mut self) {
        let key_id = self.key_id();
        let share =
            |node: u32| read(self.cluster.data(), &format!("node-{node}/shares/{key_id}.json"));
        let shares = [share(1), share(2)];
        let key = combine_share_files(key_id.parse().unwrap(), &shares).unwrap();
        self.search.key("an internal master key", key.bytes());
    }

    /// Searches for the key of each drive's data, which this master key wraps.
    fn note_data_keys(&mut self, master_key: &[u8]) {
        let state = self.state();
        for node in state["nodes"].as_array().unwrap() {
            for drive in node["drives"].as_array().unwrap() {
                let (node, drive) = (&node["nodeID"], &drive["driveID"]);
                let path = format!("node-{node}/drive-{drive}/drive.json");
                let header = read(self.cluster.data(), &path);
                let header: Value = serde_json::from_slice(&header).unwrap();
                let text = |member: &str| header[member].as_str().unwrap();
                let wrappings = header["wrappedDataEncryptionKeys"].as_object().unwrap();
                assert_eq!(wrappings.len(), 1, "no rekey is running");
                let (key_id, wrapped) = wrappings.iter().next().unwrap();
                let purpose = format!(
                    "data encryption key {}, {}, drive {drive} {}, master key {key_id}",
                    header["format"],
                    text("cipher"),
                    text("serial"),
                );
                let wrapped = BASE64_STANDARD.decode(wrapped.as_str().unwrap()).unwrap();
                let key = open_sealed(master_key.try_into().unwrap(), &purpose, &wrapped).unwrap();
                assert_eq!(key.len(), 64, "two keys of AES-256 in XTS");
                self.search.key("a data encryption key", &key);
            }
        }
    }

    /// Passwords on their way: the right one, a wrong one, secrets of an account, a key by mistake.
    fn send_passwords(&mut self) {
        let (user, password) = self.cluster.credentials();
        let right = BASE64_STANDARD.encode(format!("{user}:{password}"));
        self.search.text("the Basic credentials", &right);
        let wrong = BASE64_STANDARD.encode(format!("{user}:{WRONG_PASSWORD}"));
        self.search.text("a wrong password", WRONG_PASSWORD);
        self.search.text("wrong Basic credentials", &wrong);
        let https = Https::new(self.cluster.address(), &self.lab.pem("ca.crt"));
        let header = format!("Authorization: Basic {wrong}");
        let answer = https.post("/json-rpc/12.3", &[&header], "{}").unwrap();
        assert_eq!(answer.status, 401, "{}", answer.body);
        self.output.push_str(&answer.body);

        self.search.text("a secret of an account", CHAP_SECRET);
        let account = json!({ "username": "tenant", "initiatorSecret": CHAP_SECRET });
        // What was asked for is answered; it is no error text.
        self.cluster.call("AddAccount", account);

        let mistaken = self.lab.pem("alice.key");
        self.search.key("a private key sent by mistake", &private_part(&mistaken));
        for parameter in ["kmipClientCertificate", "kmipCaCertificate"] {
            let mut params = self.cluster.key_server(&self.lab, self.server.address());
            params[parameter] = json!(mistaken);
            let answer = self.call("CreateKeyServerKmip", &params);
            assert!(answer.get("error").is_some(), "{parameter}: {answer}");
        }
    }

    /// What the cluster says of itself after all this.
    fn query_everything(&mut self) {
        for (method, params) in [
            ("ListClusterFaults", json!({ "faultTypes": "all" })),
            ("ListEvents", json!({})),
            ("ListAsyncResults", json!({})),
            ("ListKeyServersKmip", json!({})),
            ("ListKeyProvidersKmip", json!({})),
            ("GetSoftwareEncryptionAtRestInfo", json!({})),
        ] {
            let answer = self.call(method, &params);
            assert!(answer.get("result").is_some(), "{method}: {answer}");
        }
        self.output.push_str(&self.state().to_string());
    }

    /// Starts the cluster again, while the key server is away and then is back.
    fn restart(&mut self) {
        self.server.kill();
        self.output.push_str(&self.server.log());
        self.cluster.kill();
        self.output.push_str(&self.cluster.log());
        self.cluster.restart();
        self.cluster.until("the fault of the key server", TIMEOUT, |cluster| {
            let list = cluster.call("ListClusterFaults", json!({ "faultTypes": "current" }));
            let faults = list["faults"].as_array().unwrap();
            faults.iter().any(|fault| fault["code"] == json!("kmipServerFault")).then_some(())
        });
        self.query_everything();
        self.server.restart();
        self.until_unlocked();
    }
}

fn read(folder: &Path, path: &str) -> Vec<u8> {
    std::fs::read(folder.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The file of the cluster's private key.
fn private_key_file(folder: &Path) -> String {
    let names = std::fs::read_dir(folder).unwrap();
    let mut names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.find(|name| name.starts_with("kmip-key-pair-")).unwrap()
}

#[test]
fn no_secret_is_in_what_the_cluster_says_or_keeps() {
    let mut fixture = Fixture::new();
    fixture.until_unlocked();
    fixture.note_internal_key();
    fixture.search.text("what is on a drive", TEXT);
    let block: String = TEXT.chars().cycle().take(BLOCK_LEN).collect();
    let answer = fixture.cluster.send("PUT", "/sim/v1/drives/1/blocks/0", &block).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    fixture.cluster.make_key_pair(COMMON_NAME);
    let pem_file = private_key_file(fixture.cluster.data());
    let pem = String::from_utf8(read(fixture.cluster.data(), &pem_file)).unwrap();
    fixture.search.key("the cluster's private key", &private_part(&pem));
    let line = pem.lines().rev().nth(3).unwrap();
    fixture.search.text("the cluster's private key", line);
    fixture.send_passwords();

    let provider = fixture.cluster.add_key_server(&fixture.lab, fixture.server.address());
    let external = json!({ "keyManagementType": "external", "keyProviderID": provider });
    fixture.rekey(&external);
    let key = fixture.note_external_key();
    fixture.note_data_keys(&key);
    fixture.restart();
    fixture.rekey(&json!({}));
    fixture.note_external_key();
    fixture.rekey(&json!({ "keyManagementType": "internal" }));
    fixture.note_internal_key();
    fixture.query_everything();

    fixture.cluster.process().terminate();
    fixture.server.process().terminate();
    fixture.output.push_str(&fixture.cluster.log());
    fixture.output.push_str(&fixture.server.log());
    let trace = std::fs::read_to_string(fixture.lab.path("kmip-trace.txt")).unwrap();
    assert!(trace.contains("KeyMaterial"), "the trace tells of no key");
    for there in ["TRACE", "node_sim", "DecommissionOldMasterKey", "KeyMaterial"] {
        assert!(fixture.output.contains(there), "the logs do not tell of {there}");
    }
    let Fixture { search, output, .. } = &fixture;
    assert_eq!(search.in_bytes(output.as_bytes()), [].into(), "in a log or an answer");
    assert_eq!(search.in_bytes(trace.as_bytes()), [].into(), "in the trace of KMIP");
    assert_eq!(search.in_folder(fixture.server.data()), [].into(), "at the key server");
    let found = search.in_folder(fixture.cluster.data());
    let (own, others): (Vec<_>, Vec<_>) = found
        .into_iter()
        .partition(|(secret, _, file)| secret == "the cluster's private key" && *file == pem_file);
    assert!(!own.is_empty(), "the search finds the private key where it is");
    assert_eq!(others, [], "in the cluster's folder");
}
