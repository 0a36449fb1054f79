//! A damaged block as a client of the cluster sees it.

use super::harness::{PATIENCE, Request, Running, start};
use crate::key_server::in_memory::InMemoryKeyServers;
use serde_json::{Value, json};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

const BLOCK: [u8; 4096] = [0xA5; 4096];

fn get(path: &str) -> Request<'_> {
    Request { verb: "GET", ..Request::post(path, b"") }
}

fn put(path: &str) -> Request<'_> {
    Request { verb: "PUT", ..Request::post(path, &BLOCK) }
}

async fn json_of(running: &Running, body: &str) -> Value {
    let answer: Value = serde_json::from_str(&running.call(body).await).unwrap();
    answer["result"].clone()
}

async fn current_faults(running: &Running) -> Vec<Value> {
    let call = r#"{"method":"ListClusterFaults","params":{"faultTypes":"current"}}"#;
    json_of(running, call).await["faults"].as_array().unwrap().clone()
}

/// The status of each drive, by its id.
async fn drive_states(running: &Running) -> Vec<(Value, Value)> {
    let drives = json_of(running, r#"{"method":"ListDrives"}"#).await["drives"].clone();
    let drives = drives.as_array().unwrap().iter();
    drives.map(|drive| (drive["driveID"].clone(), drive["status"].clone())).collect()
}

/// Changes a bit in place: the program may be looking at the file.
fn flip(path: &Path, offset: u64) {
    let file = File::options().read(true).write(true).open(path).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, offset).unwrap();
    file.write_all_at(&[byte[0] ^ 0x20], offset).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_block_answers_500_and_is_a_fault_until_it_is_written_again() {
    let folder = tempfile::tempdir().unwrap();
    let running = start(folder.path(), Arc::new(InMemoryKeyServers::new()), "").await;
    let unlocked = async {
        while !running.send(&get("/sim/v1/state")).await.text().contains("\"unlocked\":true") {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, unlocked).await.expect("the drives unlock");
    for lba in 7..9 {
        let path = format!("/sim/v1/drives/3/blocks/{lba}");
        assert_eq!(running.send(&put(&path)).await.status, 200);
    }
    let blocks = folder.path().join("node-2/drive-3/blocks");
    flip(&blocks, 7 * 4096 + 1000);

    let damaged = running.send(&get("/sim/v1/drives/3/blocks/7")).await;
    assert_eq!(damaged.status, 500, "{}", damaged.text());
    assert_eq!(damaged.header("content-type"), Some("application/json"));
    let error: Value = serde_json::from_slice(&damaged.body).unwrap();
    let error = error["error"].as_str().unwrap();
    let named = format!("block 7 of drive 3 is damaged: {}: ", blocks.display());
    assert!(error.starts_with(&named), "{error}");
    let several = running.send(&get("/sim/v1/drives/3/blocks/6?count=3")).await;
    assert_eq!((several.status, several.body), (500, damaged.body), "no part of it is data");
    let next = running.send(&get("/sim/v1/drives/3/blocks/8?count=2")).await;
    assert_eq!((next.status, &next.body[..4096]), (200, &BLOCK[..]));

    let faults = current_faults(&running).await;
    let [fault] = faults.as_slice() else { panic!("{faults:?}") };
    let members = ["code", "severity", "type", "nodeID", "driveID"].map(|name| &fault[name]);
    let expected = [json!("blocksDegraded"), json!("critical"), json!("drive"), json!(2), json!(3)];
    assert_eq!(members, expected.each_ref());
    assert_eq!(fault["details"], format!("Blocks degraded: {error}"));
    assert!(drive_states(&running).await.iter().all(|(_, status)| status == "active"));

    assert_eq!(running.send(&put("/sim/v1/drives/3/blocks/7")).await.status, 200);
    assert_eq!(current_faults(&running).await, Vec::<Value>::new());
    let both = running.send(&get("/sim/v1/drives/3/blocks/7?count=2")).await;
    assert_eq!((both.status, both.body), (200, vec![0xA5; 8192]));
    let call = r#"{"method":"ListEvents","params":{"eventType":"driveEvent","driveID":3}}"#;
    let events = json_of(&running, call).await["events"].clone();
    let messages: Vec<_> = events.as_array().unwrap().iter().map(|e| &e["message"]).collect();
    let expected = ["No block of the drive is damaged any more", "Block 7 of the drive is damaged"];
    assert_eq!(messages, expected, "the newest first");
    running.stop().await;
}
