//! `/sim/v1` against its description: the same requests, every status at least once, and no member
//! of an answer that is not described.

mod client;
mod description;
mod stream;

use self::client::{Client, Coverage, ask};
use self::description::Description;
use super::harness::{Running, start};
use crate::api::simulator;
use crate::config::limits::BODY_LEN_MAX;
use crate::key_server::in_memory::InMemoryKeyServers;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

const STATE: &str = "GET /sim/v1/state";
const STOP: &str = "POST /sim/v1/nodes/{nodeID}/stop";
const START: &str = "POST /sim/v1/nodes/{nodeID}/start";
const READ: &str = "GET /sim/v1/drives/{driveID}/blocks/{lba}";
const WRITE: &str = "PUT /sim/v1/drives/{driveID}/blocks/{lba}";
const CONTROL: &str = "GET /sim/v1/rekey/control";
const CHANGE: &str = "PUT /sim/v1/rekey/control";
const CONTINUE: &str = "POST /sim/v1/rekey/continue";
const ABANDON: &str = "POST /sim/v1/rekey/abandon";
const FORGET: &str = "POST /sim/v1/master-keys/{keyID}/forget";

const SKIP_CHECK: &str = "POST /sim/v1/key-servers/{keyServerID}/skip-check";

const EXTERNAL: &str = r#"{"keyManagementType":"external","keyProviderID":1}"#;
const INTERNAL: &str = r#"{"keyManagementType":"internal"}"#;

const BLOCK: [u8; 4096] = [0xA5; 4096];

#[test]
fn served_requests_are_the_described_ones() {
    let description = Description::read();
    let served: BTreeSet<_> = simulator::routes()
        .into_iter()
        .map(|route| {
            let operation = (route.method.to_string(), route.path.to_owned());
            (operation, route.needs_credentials)
        })
        .collect();
    let described: BTreeSet<_> = description
        .operations()
        .into_iter()
        .map(|(operation, said)| (operation, description.needs_credentials(said)))
        .collect();
    assert_eq!(served, described);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_described_status_is_answered_as_described() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("cluster");
    let mut coverage = Coverage { description: Description::read(), answered: BTreeSet::default() };
    let key_servers = Arc::new(InMemoryKeyServers::new());
    let running = start(&data, Arc::clone(&key_servers), "").await;
    let mut client = Client { running: &running, coverage: &mut coverage };
    unlocked(&mut client).await;
    access(&mut client).await;
    methods(&mut client).await;
    numbers(&mut client).await;
    control(&mut client).await;
    stream::sessions(&mut client).await;
    stream::notes_and_messages(&mut client).await;
    stream::method_errors(&mut client).await;
    client.expect(404, ask(SKIP_CHECK, &["1"])).await;
    add_key_provider(&running).await;
    client.expect(400, ask(SKIP_CHECK, &["x"])).await;
    client.expect(200, ask(SKIP_CHECK, &["1"])).await;
    stream::objects(&mut client, &key_servers).await;
    rekey(&mut client).await;
    forget(&mut client, &key_servers).await;
    locked_and_absent_drives(&mut client).await;
    damaged_files(&mut client, &data).await;
    ledger_that_cannot_be_written(&mut client, &key_servers, &data).await;
    running.stop().await;

    let other = folder.path().join("other");
    let settings = "body-deadline-ms = 1\nrekey-ms-per-drive = 7\nrekey-stop-before = 'Ready'";
    let running = start(&other, Arc::new(InMemoryKeyServers::new()), settings).await;
    let mut client = Client { running: &running, coverage: &mut coverage };
    client.expect_without_body(408, ask(CHANGE, &[]), 2).await;
    client.expect_without_body(408, ask(WRITE, &["1", "0"]), BLOCK.len()).await;
    for operation in [stream::BEGIN, stream::NOTE, stream::SET_ERROR] {
        client.expect_without_body(408, ask(operation, &[]), 2).await;
    }
    client.expect_without_body(408, ask(stream::DESTROY, &["1", "x"]), 2).await;
    let control = client.expect(200, ask(CONTROL, &[])).await;
    let set = json!({ "millisecondsPerDrive": 7, "stopBefore": "Ready", "stoppedBefore": null });
    assert_eq!(control, set);
    running.stop().await;

    assert_eq!(coverage.answered, coverage.description.statuses());
    assert_eq!(coverage.description.unused(), Vec::<String>::new());
}

async fn unlocked(client: &mut Client<'_>) {
    client.until(ask(STATE, &[]), |_, state| state["unlocked"] == true).await;
}

async fn set(client: &mut Client<'_>, change: Value) -> Value {
    client.expect(200, ask(CHANGE, &[]).body(change.to_string().as_bytes())).await
}

/// Credentials of every operation.
async fn access(client: &mut Client<'_>) {
    let operations: Vec<_> = client
        .coverage
        .description
        .operations()
        .into_iter()
        .map(|(operation, said)| (operation, client.coverage.description.needs_credentials(said)))
        .collect();
    for ((method, path), needs_credentials) in operations {
        let operation = format!("{method} {path}");
        let parameters = vec!["1"; path.matches('{').count()];
        let ask = ask(&operation, &parameters);
        for credentials in [None, Some("admin:wrong")] {
            let answer = client.send(ask, credentials).await;
            let expected = match (needs_credentials, operation.as_str()) {
                (true, _) => 401,
                // Its credentials are in its body.
                (false, stream::BEGIN) => 400,
                (false, _) => 200,
            };
            assert_eq!(answer.status, expected, "{operation}");
            client.check(ask, &answer);
        }
        // After a right password the answer to the next wrong one is not held back.
        let admitted = client.send(self::ask(STATE, &[]), Some("admin:secret")).await;
        assert_eq!(admitted.status, 200);
    }
}

/// Methods that a path does not have, and a path that does not exist.
async fn methods(client: &mut Client<'_>) {
    let operations: BTreeSet<_> = client.coverage.description.operations().into_keys().collect();
    let paths: BTreeSet<_> = operations.iter().map(|(_, path)| path.clone()).collect();
    let error = json!({ "$ref": "#/components/schemas/Error" });
    for path in &paths {
        let parameters = vec!["1"; path.matches('{').count()];
        let has = |method: &&str| operations.contains(&((*method).to_owned(), path.clone()));
        let all = ["GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS"];
        let allowed: Vec<_> = all.into_iter().filter(has).collect();
        for method in all.into_iter().filter(|method| !has(method)) {
            let operation = format!("{method} {path}");
            let answer = client.send(ask(&operation, &parameters), Some("admin:secret")).await;
            assert_eq!(answer.status, 405, "{operation}");
            assert_eq!(answer.header("Allow"), Some(allowed.join(", ").as_str()), "{operation}");
            let value = serde_json::from_slice(&answer.body).unwrap();
            client.coverage.description.validate(&error, &value, "$").unwrap();
        }
    }
    for path in ["/sim/v1/nothing", "/sim/v1/nodes/1", "/sim/v1/state/"] {
        let operation = format!("GET {path}");
        let answer = client.send(ask(&operation, &[]), Some("admin:secret")).await;
        assert_eq!(answer.status, 404, "{operation}");
        let value = serde_json::from_slice(&answer.body).unwrap();
        client.coverage.description.validate(&error, &value, "$").unwrap();
    }
}

/// Numbers in paths, and lengths of bodies.
async fn numbers(client: &mut Client<'_>) {
    client.expect(200, ask("GET /sim/v1/health", &[])).await;
    client.expect(200, ask("POST /sim/v1/retry", &[])).await;
    for power in [STOP, START] {
        client.expect(400, ask(power, &["one"])).await;
        client.expect(400, ask(power, &["-1"])).await;
        client.expect(404, ask(power, &["3"])).await;
        client.expect(404, ask(power, &["4294967297"])).await;
    }
    let write = ask(WRITE, &["1", "7"]);
    client.expect(200, write.body(&BLOCK)).await;
    client.expect(200, ask(READ, &["1", "7"])).await;
    client.expect(200, ask(READ, &["1", "0"]).query("?count=256")).await;
    for query in ["?count=0", "?count=257", "?count=x", "?count", "?counts=1"] {
        client.expect(400, ask(READ, &["1", "0"]).query(query)).await;
    }
    client.expect(400, ask(READ, &["1", "256"])).await;
    client.expect(400, ask(READ, &["1", "x"])).await;
    client.expect(400, ask(READ, &["1%FF", "0"])).await;
    client.expect(404, ask(READ, &["5", "0"])).await;
    client.expect(400, write).await;
    client.expect(400, write.body(b"not a block")).await;
    client.expect(400, ask(WRITE, &["x", "0"]).body(&BLOCK)).await;
    client.expect(404, ask(WRITE, &["5", "0"]).body(&BLOCK)).await;
    client.expect_without_body(413, ask(CHANGE, &[]), BODY_LEN_MAX + 1).await;
    client.expect_without_body(413, write, BODY_LEN_MAX + 1).await;
}

/// What the control takes and what it refuses.
async fn control(client: &mut Client<'_>) {
    let before = client.expect(200, ask(CONTROL, &[])).await;
    for body in [
        "",
        "[]",
        "null",
        "{",
        r#"{"millisecondsPerDrive":-1}"#,
        r#"{"millisecondsPerDrive":600001}"#,
        r#"{"millisecondsPerDrive":1.5}"#,
        r#"{"millisecondsPerDrive":"1"}"#,
        r#"{"millisecondsPerDrive":null}"#,
        r#"{"stopBefore":"ready"}"#,
        r#"{"stopBefore":1}"#,
        r#"{"stoppedBefore":null}"#,
        r#"{"millisecondsPerDrive":1,"stopBefore":"Ready","more":1}"#,
    ] {
        client.expect(400, ask(CHANGE, &[]).body(body.as_bytes())).await;
    }
    assert_eq!(client.expect(200, ask(CONTROL, &[])).await, before, "refused as a whole");
    for (change, after) in [
        (json!({}), json!([0, null, null])),
        (json!({ "millisecondsPerDrive": 600_000 }), json!([600_000, null, null])),
        (
            json!({ "stopBefore": "CreateNewMasterKey" }),
            json!([600_000, "CreateNewMasterKey", null]),
        ),
        (json!({ "millisecondsPerDrive": 0 }), json!([0, "CreateNewMasterKey", null])),
        (json!({ "stopBefore": null }), json!([0, null, null])),
    ] {
        let set = set(client, change).await;
        let members = ["millisecondsPerDrive", "stopBefore", "stoppedBefore"];
        assert_eq!(json!(members.map(|member| set[member].clone())), after);
    }
    client.expect(409, ask(CONTINUE, &[])).await;
    client.expect(409, ask(ABANDON, &[])).await;
}

/// A key provider with a key server, by Element's API.
async fn add_key_provider(running: &Running) {
    let call = async |method: &str, params: Value| {
        let body = json!({ "method": method, "params": params }).to_string();
        let answer: Value = serde_json::from_str(&running.call(&body).await).unwrap();
        assert!(answer["error"].is_null(), "{answer}");
        answer["result"].clone()
    };
    let authority = certs::Authority::new("CA of the test").unwrap();
    call("CreatePublicPrivateKeyPair", json!({ "commonName": "lab" })).await;
    let request = call("GetClientCertificateSignRequest", json!({})).await;
    let request = request["clientCertificateSignRequest"].as_str().unwrap();
    let server = json!({
        "kmipCaCertificate": authority.cert_pem(),
        "kmipClientCertificate": authority.sign(request).unwrap(),
        "kmipKeyServerHostnames": ["kms"],
        "kmipKeyServerName": "kms",
    });
    call("CreateKeyProviderKmip", json!({ "keyProviderName": "provider" })).await;
    call("CreateKeyServerKmip", server).await;
    call("AddKeyServerToProviderKmip", json!({ "keyProviderID": 1, "keyServerID": 1 })).await;
}

fn rekey_is_over(_: u16, state: &Value) -> bool {
    state["rekey"].is_null()
}

/// Begins a rekey that stops before this state, and waits until it is stopped.
async fn stopped_rekey(client: &mut Client<'_>, params: &str, before: &str) -> Value {
    set(client, json!({ "stopBefore": before })).await;
    let method = "RekeySoftwareEncryptionAtRestMasterKey";
    client.running.call(&format!(r#"{{"method":"{method}","params":{params}}}"#)).await;
    client
        .until(ask(STATE, &[]), |_, state| state["rekey"]["control"]["stoppedBefore"] == before)
        .await
}

/// A rekey that is given up, one that is let go on, and one that can no longer be given up.
async fn rekey(client: &mut Client<'_>) {
    stopped_rekey(client, EXTERNAL, "RewrapDataEncryptionKeys").await;
    client.expect(200, ask(ABANDON, &[])).await;
    client.until(ask(STATE, &[]), rekey_is_over).await;

    let state = stopped_rekey(client, EXTERNAL, "DecommissionOldMasterKey").await;
    assert_eq!(state["rekey"]["drivesRewrapped"], 4);
    client.expect(200, ask(CONTINUE, &[])).await;
    let state = client.until(ask(STATE, &[]), rekey_is_over).await;
    let keys = state["masterKeys"].as_array().unwrap().iter();
    assert!(keys.filter(|key| key["current"] == true).all(|key| key["keyProviderID"] == 1));

    stopped_rekey(client, INTERNAL, "Ready").await;
    client.expect(409, ask(ABANDON, &[])).await;
    set(client, json!({ "stopBefore": null })).await;
    client.until(ask(STATE, &[]), rekey_is_over).await;
}

/// Leaves a key whose destruction is not confirmed, because its key server does not show it.
async fn unconfirmed_key(client: &mut Client<'_>, key_servers: &InMemoryKeyServers) -> String {
    key_servers.show(1);
    let state = stopped_rekey(client, EXTERNAL, "Ready").await;
    let key = state["rekey"]["newKey"].as_str().unwrap().to_owned();
    client.expect(409, ask(FORGET, &[&key])).await;
    set(client, json!({ "stopBefore": null })).await;
    client.until(ask(STATE, &[]), rekey_is_over).await;
    stopped_rekey(client, INTERNAL, "DecommissionOldMasterKey").await;
    key_servers.hide(1);
    client.expect(200, ask(CONTINUE, &[])).await;
    let state = client.until(ask(STATE, &[]), rekey_is_over).await;
    let keys = state["masterKeys"].as_array().unwrap().iter();
    let retired: Vec<_> = keys.filter(|key| key["state"] == "retired").collect();
    assert!(retired.iter().any(|retired| retired["keyID"] == key.as_str()), "{state}");
    key
}

async fn forget(client: &mut Client<'_>, key_servers: &InMemoryKeyServers) {
    let key = unconfirmed_key(client, key_servers).await;
    client.expect(400, ask(FORGET, &["x"])).await;
    client.expect(400, ask(FORGET, &["%FF"])).await;
    client.expect(404, ask(FORGET, &["00000000-0000-4000-8000-000000000000"])).await;
    client.expect(200, ask(FORGET, &[&key])).await;
    client.expect(404, ask(FORGET, &[&key])).await;
}

/// Drives without power, and drives whose key has too few shares.
async fn locked_and_absent_drives(client: &mut Client<'_>) {
    client.expect(200, ask(STOP, &["1"])).await;
    client.expect(503, ask(READ, &["1", "7"])).await;
    client.expect(503, ask(WRITE, &["1", "7"]).body(&BLOCK)).await;
    client.expect(200, ask(STOP, &["2"])).await;
    client.expect(200, ask(START, &["2"])).await;
    client.until(ask(READ, &["3", "7"]), |status, _| status == 423).await;
    client.expect(423, ask(WRITE, &["3", "7"]).body(&BLOCK)).await;
    client.expect(200, ask(START, &["1"])).await;
    unlocked(client).await;
}

/// A file that is cut off, and one on a device that is full.
async fn damaged_files(client: &mut Client<'_>, data: &Path) {
    let blocks = |node: u32, drive: u32| data.join(format!("node-{node}/drive-{drive}/blocks"));
    client.expect(200, ask(STOP, &["1"])).await;
    std::fs::File::options().write(true).open(blocks(1, 1)).unwrap().set_len(0).unwrap();
    std::fs::remove_file(blocks(1, 2)).unwrap();
    std::os::unix::fs::symlink("/dev/full", blocks(1, 2)).unwrap();
    client.expect(200, ask(START, &["1"])).await;
    unlocked(client).await;
    client.expect(500, ask(READ, &["1", "7"])).await;
    client.expect(500, ask(WRITE, &["2", "7"]).body(&BLOCK)).await;
}

/// What changes the ledger fails when its folder is gone.
async fn ledger_that_cannot_be_written(
    client: &mut Client<'_>,
    key_servers: &InMemoryKeyServers,
    data: &Path,
) {
    let key = unconfirmed_key(client, key_servers).await;
    stopped_rekey(client, INTERNAL, "CreateNewMasterKey").await;
    client.expect(200, ask(STOP, &["2"])).await;
    std::fs::rename(data, data.with_extension("moved")).unwrap();
    client.expect(500, ask(ABANDON, &[])).await;
    client.expect(500, ask(FORGET, &[&key])).await;
    client.expect(500, ask(STOP, &["1"])).await;
    client.expect(500, ask(START, &["2"])).await;
}
