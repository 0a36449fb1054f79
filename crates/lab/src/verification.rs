//! Verification of the migration from outside: the data is readable before and after, it needs the
//! key server, and nothing is left of the old key.

use crate::facts::Facts;
use crate::key_server;
use crate::lab::Lab;
use kmip::vocabulary::State;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

/// Bytes of a block.
const BLOCK_LEN: usize = 4096;

/// Blocks that are written to each drive, from [`LBA`] on.
const BLOCKS: u64 = 4;

/// Where the data begins on each drive.
const LBA: u64 = 17;

/// Text in all data, which no file of the cluster may contain.
const MARK: &str = "The data that must stay readable. ";

/// From the start of either program to drives that serve, and from the loss of the key server to
/// its fault: some retries at least, on a slow machine.
const WITHIN: Duration = Duration::from_secs(30);

/// Writes data of its own to each drive, once they serve.
pub(crate) async fn write_data(lab: &mut Lab) -> Result<(), String> {
    lab.output.heading("Data on every drive");
    wait_unlocked(lab).await?;
    let drives = lab.element.drives().await?;
    for drive in &drives {
        lab.element.write(drive.id, LBA, &data(drive.id)).await?;
    }
    lab.output.line(&format!("    {BLOCKS} blocks of 4 KiB written to each of {}", drives.len()));
    read_data(lab).await?;
    if let Some(path) = file_with_mark(&lab.cluster_folder()).map_err(|why| why.to_string())? {
        return Err(format!("data lies in the clear in {path}"));
    }
    lab.output.check_passed("nothing of it is in the clear in the cluster's folder");
    Ok(())
}

/// Checks that each node has its share of the old key before the rekey.
pub(crate) fn check_old_key_shares(lab: &Lab, facts: &Facts) -> Result<(), String> {
    lab.output.heading("Where the old key is");
    let nodes =
        share_count(&lab.cluster_folder(), old_key(facts)).map_err(|why| why.to_string())?;
    if nodes < 2 {
        return Err(format!("{nodes} nodes hold a share of the internal master key"));
    }
    lab.output.check_passed(&format!("{nodes} nodes hold one share each of {}", old_key(facts)));
    Ok(())
}

/// Runs all four proofs.
pub(crate) async fn verify_migration(lab: &mut Lab, facts: &Facts) -> Result<(), String> {
    lab.output.heading("Proof 1 of 4: the data is read back under the new key");
    check_drives_wrapped(lab, facts).await?;
    read_data(lab).await?;
    lab.output.heading("Proof 2 of 4: the cluster is restarted, and fetches its key");
    lab.restart_cluster().await?;
    wait_unlocked(lab).await?;
    read_data(lab).await?;
    lab.show_messages()?;
    lab.output.heading("Proof 3 of 4: without the key server it does not unlock");
    check_key_server_needed(lab).await?;
    lab.output.heading("Proof 4 of 4: the old key is gone");
    check_old_key_gone(lab, facts).await?;
    lab.show_messages()
}

async fn check_drives_wrapped(lab: &Lab, facts: &Facts) -> Result<(), String> {
    let state = lab.element.state().await?;
    let drives = lab.element.drives().await?.len();
    let keys = state.get("masterKeys").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let [key] = keys else {
        return Err(format!("the cluster has {} master keys, not one", keys.len()));
    };
    if key.get("keyID") != facts.get("newKeyID") || key.get("wraps") != Some(&json!(drives)) {
        return Err(format!("not every drive is wrapped by the new key: {key}"));
    }
    lab.output
        .check_passed(&format!("all {drives} drives are wrapped by one master key, the new one"));
    Ok(())
}

async fn check_key_server_needed(lab: &mut Lab) -> Result<(), String> {
    lab.stop_key_server().await?;
    lab.output.line("    the key server is stopped, the cluster is restarted");
    lab.restart_cluster().await?;
    let fault = lab
        .poll_until("there was no fault kmipServerFault", WITHIN, async |element| {
            Ok(kmip_faults(&element.result("ListClusterFaults", &current()).await?).pop())
        })
        .await?;
    lab.output.check_passed(&format!(
        "fault kmipServerFault: {}",
        fault.get("details").unwrap_or(&fault)
    ));
    for drive in lab.element.drives().await? {
        if drive.state != "locked" {
            return Err(format!("drive {} is {}, not locked", drive.id, drive.state));
        }
        if lab.element.read(drive.id, LBA, 1).await?.is_ok() {
            return Err(format!("drive {} is read though it is locked", drive.id));
        }
    }
    lab.output.check_passed("every drive is locked, and refuses to be read");
    lab.start_key_server().await?;
    lab.output.line("    the key server is started again");
    wait_unlocked(lab).await?;
    lab.output.check_passed("every drive has unlocked by itself");
    read_data(lab).await?;
    lab.poll_until("the fault kmipServerFault was not resolved", WITHIN, async |element| {
        let faults = element.result("ListClusterFaults", &current()).await?;
        Ok(kmip_faults(&faults).is_empty().then_some(()))
    })
    .await?;
    lab.output.check_passed("the fault is resolved");
    lab.show_messages()
}

async fn check_old_key_gone(lab: &mut Lab, facts: &Facts) -> Result<(), String> {
    check_drives_wrapped(lab, facts).await?;
    let left = share_count(&lab.cluster_folder(), "").map_err(|why| why.to_string())?;
    if left != 0 {
        return Err(format!("{left} nodes still hold a share of a master key"));
    }
    lab.output.check_passed(&format!("no node holds a share of {} any more", old_key(facts)));
    let keys = key_server::keys(lab).await?;
    let [key] = keys.as_slice() else {
        return Err(format!("the key server has {} keys of the cluster, not one", keys.len()));
    };
    let new = facts.get("newKeyID").and_then(Value::as_str).unwrap_or_default();
    if key.state != Some(State::Active) || !key.name.ends_with(new) {
        return Err(format!("the one key at the key server is {:?}, {}", key.state, key.name));
    }
    lab.output
        .check_passed(&format!("the key server has one key of the cluster: {}, Active", key.name));
    Ok(())
}

/// Waits until every drive is unlocked.
async fn wait_unlocked(lab: &mut Lab) -> Result<(), String> {
    lab.poll_until("not every drive has unlocked", WITHIN, async |element| {
        let drives = element.drives().await?;
        let serve = !drives.is_empty() && drives.iter().all(|drive| drive.state == "active");
        Ok(serve.then_some(()))
    })
    .await
}

/// Checks that every drive returns what was written to it.
async fn read_data(lab: &Lab) -> Result<(), String> {
    for drive in lab.element.drives().await? {
        let read = lab.element.read(drive.id, LBA, BLOCKS).await?;
        let bytes = read.map_err(|why| format!("drive {} is locked: {why}", drive.id))?;
        if bytes != data(drive.id) {
            return Err(format!("drive {} does not give back what was written", drive.id));
        }
    }
    lab.output.check_passed("every drive gives back what was written to it");
    Ok(())
}

/// What is written to a drive: no two drives and no two blocks have the same.
fn data(drive: u64) -> Vec<u8> {
    let block = |number| {
        let line = format!("{MARK}Drive {drive}, block {number}. ");
        line.into_bytes().into_iter().cycle().take(BLOCK_LEN)
    };
    (0..BLOCKS).flat_map(block).collect()
}

fn old_key(facts: &Facts) -> &str {
    facts.get("oldKeyID").and_then(Value::as_str).unwrap_or_default()
}

fn current() -> Value {
    json!({ "faultTypes": "current" })
}

/// The faults about key servers.
fn kmip_faults(faults: &Value) -> Vec<Value> {
    let faults = faults.get("faults").and_then(Value::as_array).into_iter().flatten();
    let about = |fault: &&Value| fault.get("code").is_some_and(|code| code == "kmipServerFault");
    faults.filter(about).cloned().collect()
}

/// Number of nodes with a share whose file is named after `key_id`.
fn share_count(cluster: &Path, key_id: &str) -> std::io::Result<usize> {
    let mut nodes = 0_usize;
    for node in std::fs::read_dir(cluster)? {
        let folder = node?.path().join("shares");
        if !folder.is_dir() {
            continue;
        }
        for file in std::fs::read_dir(folder)? {
            let held = file?.file_name().to_string_lossy().starts_with(key_id);
            nodes = nodes.saturating_add(usize::from(held));
        }
    }
    Ok(nodes)
}

/// The first file in a folder and below that has [`MARK`] in it.
fn file_with_mark(folder: &Path) -> std::io::Result<Option<String>> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let found = if path.is_dir() {
            file_with_mark(&path)?
        } else {
            let bytes = std::fs::read(&path)?;
            let held = bytes.windows(MARK.len()).any(|window| window == MARK.as_bytes());
            held.then(|| path.display().to_string())
        };
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}
