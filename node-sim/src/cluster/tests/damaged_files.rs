//! Damage to the private key for key servers, to the file of the ledger's generation and to the key
//! of the accounts' secrets, and older headers of drives at the end of a rekey.

use super::lab::{Lab, assert_pattern, current_key, faults, rekey, rekeyed, unlocked, until};
use crate::cluster::{Cluster, RekeyControlChange, RekeyTarget};
use crate::key_server::client_key_pair::{NewKeyPair, Subject};
use crate::state::accounts::{Account, AccountStatus, ChapRole, ChapSecret};
use crate::state::durable_file::Steps;
use crate::state::faults::FaultTypes;
use crate::state::rekey_job::RekeyState;
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

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_account_key_is_refused_while_an_account_needs_it() {
    let lab = Lab::new(2, 1);
    lab.create().await.close().await;
    let path = lab.path().join("account-key.json");
    let first = std::fs::read(&path).unwrap();
    for how in 0..3 {
        damage(&path, &first, how);
        lab.open().await.close().await;
        assert_ne!(std::fs::read(&path).unwrap(), first, "another key is made");
    }
    let cluster = lab.open().await;
    let secret = |role| ChapSecret::given(cluster.account_key(), role, "twelve chars").unwrap();
    let account = Account {
        username: "tenant".to_owned(),
        status: AccountStatus::Active,
        initiator_secret: secret(ChapRole::Initiator),
        target_secret: secret(ChapRole::Target),
        enable_chap: true,
        attributes: serde_json::Map::new(),
    };
    let added = cluster.change(|ledger| ledger.inventory.add_account(account)).await;
    assert_eq!(added, Ok(1));
    cluster.close().await;
    drop(cluster);
    let ledger = std::fs::read_to_string(lab.path().join("ledger.json")).unwrap();
    assert!(!ledger.contains("twelve chars"));
    let sound = std::fs::read(&path).unwrap();
    for how in 0..4 {
        // The last is the key of another time.
        if how < 3 {
            damage(&path, &sound, how)
        } else {
            std::fs::write(&path, &first).unwrap()
        }
        let damaged = std::fs::read(&path).ok();
        let error = lab.open_with(Steps::new()).await.err().unwrap().to_string();
        assert!(error.contains(path.to_str().unwrap()), "{error}");
        assert_eq!(std::fs::read(&path).ok(), damaged, "it is not replaced");
        std::fs::write(&path, &sound).unwrap();
    }
    let cluster = lab.open().await;
    let shown = cluster.read(|ledger| {
        ledger.inventory.account(1).and_then(|account| account.json(1, cluster.account_key()))
    });
    assert_eq!(shown.unwrap()["targetSecret"], "twelve chars");
    cluster.close().await;
}

fn header(lab: &Lab) -> PathBuf {
    lab.node_folder(1).join("drive-1/drive.json")
}

fn stop_before(cluster: &Cluster, state: RekeyState) {
    let change = RekeyControlChange { stop_before: Some(Some(state)), ..Default::default() };
    cluster.rekey_control().change(change);
}

/// Stops a rekey after the old key was destroyed, with the header of a drive as it was when the
/// rekey was stopped before this state. Returns the newest header.
async fn with_older_header(lab: &Lab, to: RekeyTarget, older: RekeyState) -> Vec<u8> {
    let cluster = lab.create().await;
    if to == RekeyTarget::Internal {
        rekey(&cluster, RekeyTarget::External(1)).await;
    }
    let stopped = |state| move |c: &Cluster| c.rekey_control().stopped_before() == Some(state);
    stop_before(&cluster, older);
    cluster.start_rekey(to).await.unwrap();
    until(&cluster, "the rekey stops", stopped(older)).await;
    let older = std::fs::read(header(lab)).unwrap();
    stop_before(&cluster, RekeyState::Ready);
    until(&cluster, "the rekey stops before its end", stopped(RekeyState::Ready)).await;
    cluster.close().await;
    let newest = std::fs::read(header(lab)).unwrap();
    std::fs::write(header(lab), older).unwrap();
    newest
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_header_with_the_new_key_too_loses_the_wrapping_by_the_destroyed_one() {
    for to in [RekeyTarget::External(1), RekeyTarget::Internal] {
        let lab = Lab::new(2, 1);
        with_older_header(&lab, to, RekeyState::DecommissionOldMasterKey).await;
        let cluster = lab.open().await;
        rekeyed(&cluster).await;
        unlocked(&cluster).await;
        assert_pattern(&cluster).await;
        until(&cluster, "no fault", |c| faults(c).is_empty()).await;
        let file: serde_json::Value =
            serde_json::from_slice(&std::fs::read(header(&lab)).unwrap()).unwrap();
        let wrappings = file["wrappedDataEncryptionKeys"].as_object().unwrap();
        let (current, _) = current_key(&cluster);
        assert_eq!(wrappings.keys().collect::<Vec<_>>(), [&current.to_string()]);
        cluster.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_header_with_the_destroyed_key_alone_is_named() {
    for to in [RekeyTarget::External(1), RekeyTarget::Internal] {
        let lab = Lab::new(2, 1);
        let newest = with_older_header(&lab, to, RekeyState::CreateNewMasterKey).await;
        let cluster = lab.open().await;
        until_named(&cluster, "driveFailed", &header(&lab)).await;
        std::fs::write(header(&lab), newest).unwrap();
        cluster.retry_now();
        rekeyed(&cluster).await;
        unlocked(&cluster).await;
        assert_pattern(&cluster).await;
        cluster.close().await;
    }
}
