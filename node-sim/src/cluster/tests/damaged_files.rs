//! Damage to the private key for key servers and to the file of the ledger's generation.

use super::lab::{Lab, assert_pattern, current_key, faults, rekey, rekeyed, unlocked, until};
use crate::cluster::{Cluster, RekeyTarget};
use crate::key_server::client_key_pair::{NewKeyPair, Subject};
use crate::state::faults::FaultTypes;
use std::path::{Path, PathBuf};

fn key_pair_file(lab: &Lab) -> PathBuf {
    let files = lab.path().read_dir().unwrap().map(|entry| entry.unwrap().path());
    let mut pairs = files
        .filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with("kmip-key-pair-"));
    pairs.next().unwrap()
}

/// Flips a bit of the file, cuts it, or removes it.
fn damage(path: &Path, sound: &[u8], how: usize) {
    let mut bytes = sound.to_vec();
    bytes[sound.len() / 2] ^= 1;
    match how {
        0 => std::fs::write(path, bytes).unwrap(),
        1 => std::fs::write(path, &sound[..sound.len() / 2]).unwrap(),
        _ => std::fs::remove_file(path).unwrap(),
    }
}

async fn until_named(cluster: &Cluster, code: &str, path: &Path) {
    let path = path.display().to_string();
    until(cluster, "a fault names the file", |c| {
        faults(c).iter().any(|(found, details)| found == code && details.contains(&path))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_private_key_is_a_fault_and_locks_no_drive_under_an_internal_key() {
    let lab = Lab::new(2, 1);
    lab.create().await.close().await;
    let path = key_pair_file(&lab);
    let sound = std::fs::read(&path).unwrap();
    for how in 0..3 {
        damage(&path, &sound, how);
        let cluster = lab.open().await;
        unlocked(&cluster).await;
        assert_pattern(&cluster).await;
        let now = time::OffsetDateTime::now_utc();
        let update = |ledger: &mut _| crate::cluster::certificate_rules::update(ledger, now);
        cluster.change_if_needed(update).await;
        until_named(&cluster, "kmipCertificateFault", &path).await;
        // A rekey that needs it waits, with a fault.
        let handle = cluster.start_rekey(RekeyTarget::External(1)).await.unwrap();
        until_named(&cluster, "kmipServerFault", &path).await;
        cluster.abandon_rekey().await.unwrap();
        rekeyed(&cluster).await;
        assert!(super::lab::answer(&cluster, handle)["error"].is_object());
        cluster.close().await;
        drop(cluster);
        std::fs::write(&path, &sound).unwrap();
    }
    let cluster = lab.open().await;
    unlocked(&cluster).await;
    rekey(&cluster, RekeyTarget::External(1)).await;
    cluster.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_private_key_can_be_replaced_while_keys_are_external() {
    let lab = Lab::new(2, 1);
    let cluster = lab.create().await;
    rekey(&cluster, RekeyTarget::External(1)).await;
    let pair = || NewKeyPair::create(&Subject::default()).unwrap();
    assert!(cluster.adopt_key_pair(pair()).await.is_err(), "the provider is active");
    cluster.close().await;
    drop(cluster);
    let path = key_pair_file(&lab);
    std::fs::write(&path, b"").unwrap();
    let cluster = lab.open().await;
    until_named(&cluster, "kmipServerFault", &path).await;
    until_named(&cluster, "driveFailed", &path).await;
    cluster.adopt_key_pair(pair()).await.unwrap();
    unlocked(&cluster).await;
    assert_pattern(&cluster).await;
    let path = path.display().to_string();
    until(&cluster, "no fault names the file", |c| {
        faults(c).iter().all(|(_, details)| !details.contains(&path))
    })
    .await;
    cluster.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_generation_file_is_named_and_written_anew() {
    let lab = Lab::new(2, 1);
    lab.create().await.close().await;
    let path = lab.path().join("generation.json");
    for how in 0..3 {
        let sound = std::fs::read(&path).unwrap();
        damage(&path, &sound, how);
        let cluster = lab.open().await;
        let named = |types| {
            let list = cluster.read(|ledger| ledger.faults.list(types));
            let name = path.display().to_string();
            let has =
                |fault: &&serde_json::Value| fault["details"].as_str().unwrap().contains(&name);
            list.iter().filter(has).count()
        };
        assert_eq!((named(FaultTypes::Resolved), named(FaultTypes::Current)), (how + 1, 0));
        unlocked(&cluster).await;
        assert_pattern(&cluster).await;
        cluster.close().await;
        drop(cluster);
        let generation: serde_json::Value =
            serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let ledger: serde_json::Value =
            serde_json::from_slice(&std::fs::read(lab.path().join("ledger.json")).unwrap())
                .unwrap();
        assert_eq!(generation["generation"], ledger["generation"]);
    }
}
