//! Nodes that are switched off and on again.

use super::lab::{
    Lab, SERVER_1, answer, assert_pattern, at_last, current_key, faults, rekey, rekeyed, unlocked,
    until,
};
use crate::cluster::{Cluster, DriveState, PowerError, RekeyTarget};
use crate::state::checked_json;
use crate::state::key_ring::NodeId;
use serde_json::{Value, json};

fn active(cluster: &Cluster) -> usize {
    cluster.drives().iter().filter(|drive| drive.state == DriveState::Active).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_was_away_during_a_rekey_still_gets_its_data() {
    for target in [RekeyTarget::External(1), RekeyTarget::Same] {
        let lab = Lab::new(4, 2);
        let cluster = lab.create().await;
        let (old, _) = current_key(&cluster);
        cluster.stop_node(NodeId(3)).await.unwrap();
        assert_eq!(active(&cluster), 6);
        let handle = cluster.start_rekey(target).await.unwrap();
        until(&cluster, "all others are rewrapped", |c| {
            let details = &answer(c, handle)["details"];
            details["drivesRewrapped"] == 6 && details["waitingForNodes"] == json!([3])
        })
        .await;
        let new = cluster.read(|ledger| ledger.rekey.clone()).unwrap().job.new_key();
        let key_of = |key| cluster.read(|ledger| ledger.ring.wraps(key));
        assert_eq!((key_of(old), key_of(new)), (8, 6), "the old key lives on");
        assert!(cluster.read(|ledger| ledger.ring.retired(old).is_none()));
        // Neither is forgotten when all is switched off.
        cluster.close().await;
        drop(cluster);
        let cluster = lab.open().await;
        unlocked(&cluster).await;
        assert_eq!(active(&cluster), 6);
        assert_pattern(&cluster).await;
        cluster.start_node(NodeId(3)).await.unwrap();
        rekeyed(&cluster).await;
        unlocked(&cluster).await;
        assert_eq!(active(&cluster), 8);
        assert_pattern(&cluster).await;
        assert_eq!(current_key(&cluster).0, new);
        assert_eq!(cluster.read(|ledger| ledger.ring.keys().count()), 1);
        cluster.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_was_away_when_an_internal_key_was_made_gets_its_share() {
    let lab = Lab::new(3, 1);
    let cluster = lab.create().await;
    rekey(&cluster, RekeyTarget::External(1)).await;
    cluster.stop_node(NodeId(2)).await.unwrap();
    cluster.start_rekey(RekeyTarget::Internal).await.unwrap();
    until(&cluster, "the others are rewrapped", |c| c.read(|l| l.ring.keys().count()) == 2).await;
    cluster.start_node(NodeId(2)).await.unwrap();
    rekeyed(&cluster).await;
    at_last("node 2 has its share", || lab.shares(2).len() == 1).await;
    // Node 2's share is as good as any: with node 1 away the other two suffice.
    cluster.stop_node(NodeId(1)).await.unwrap();
    cluster.close().await;
    drop(cluster);
    let cluster = lab.open().await;
    unlocked(&cluster).await;
    assert_eq!(active(&cluster), 2);
    assert_pattern(&cluster).await;
    cluster.close().await;
}

/// On one thread, so that no task of a node has run when the cluster is open.
#[tokio::test]
async fn all_nodes_run_before_the_first_waits_for_the_share_of_another() {
    let lab = Lab::new(4, 1);
    let cluster = lab.open().await;
    assert_eq!(cluster.running_nodes().len(), 4);
    cluster.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_too_few_usable_shares_the_locked_drives_name_no_node() {
    let lab = Lab::new(2, 1);
    let cluster = lab.create().await;
    cluster.close().await;
    drop(cluster);
    std::fs::remove_file(lab.share(2)).unwrap();
    let cluster = lab.open().await;
    until(&cluster, "the locked drives say why", |c| {
        c.drives().iter().all(|drive| match &drive.state {
            DriveState::Locked { reason } => reason.starts_with("1 of the 2 shares that are"),
            DriveState::Active | DriveState::Starting | DriveState::Absent => false,
        })
    })
    .await;
    cluster.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_too_few_nodes_an_internal_key_is_not_whole_and_one_more_unlocks_all() {
    let lab = Lab::new(4, 1);
    let cluster = lab.create().await;
    cluster.stop_node(NodeId(1)).await.unwrap();
    cluster.stop_node(NodeId(4)).await.unwrap();
    assert_eq!(active(&cluster), 2, "what is unlocked stays so");
    cluster.close().await;
    drop(cluster);
    let cluster = lab.open().await;
    until(&cluster, "the locked drives say why", |c| {
        let reason = "waiting for nodes [1, 4] to be switched on".to_owned();
        let locked = DriveState::Locked { reason };
        c.drives().iter().filter(|drive| drive.state == locked).count() == 2
    })
    .await;
    cluster.start_node(NodeId(4)).await.unwrap();
    until(&cluster, "three nodes serve", |c| active(c) == 3).await;
    assert_pattern(&cluster).await;
    cluster.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_off_is_a_fault_and_its_drives_are_absent() {
    let lab = Lab::new(2, 1);
    let cluster = lab.create().await;
    cluster.stop_node(NodeId(2)).await.unwrap();
    cluster.stop_node(NodeId(2)).await.unwrap();
    let text = |code: &str, details: &str| (code.to_owned(), details.to_owned());
    let off = text("nodeOffline", "Node offline: lab-node-2 is switched off.");
    let drive = text("driveFailed", "Drive failed: The node of the drive is offline.");
    assert_eq!(faults(&cluster), [off, drive]);
    assert!(!cluster.nodes()[1].powered);
    let drive = cluster.drives().pop().unwrap();
    assert_eq!(drive.state, DriveState::Absent);
    assert!(cluster.read_blocks(drive.drive_id, 0, vec![0; 4096]).await.is_err());
    cluster.start_node(NodeId(2)).await.unwrap();
    unlocked(&cluster).await;
    assert_pattern(&cluster).await;
    until(&cluster, "the fault is over", |c| faults(c).is_empty()).await;
    let unknown = cluster.stop_node(NodeId(9)).await.unwrap_err();
    assert!(matches!(unknown, PowerError::NoSuchNode(NodeId(9))));
    cluster.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_is_switched_off_in_the_middle_of_a_rekey() {
    let lab = Lab::new(3, 3);
    let cluster = lab.create().await;
    for target in [RekeyTarget::External(1), RekeyTarget::External(2), RekeyTarget::Internal] {
        cluster.start_rekey(target).await.unwrap();
        cluster.stop_node(NodeId(2)).await.unwrap();
        cluster.start_node(NodeId(2)).await.unwrap();
        rekeyed(&cluster).await;
        unlocked(&cluster).await;
        assert_pattern(&cluster).await;
        assert_eq!(cluster.read(|ledger| ledger.ring.keys().count()), 1);
    }
    assert!(lab.key_servers.keys(SERVER_1).is_empty());
    cluster.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_is_open_once() {
    let lab = Lab::new(1, 1);
    let cluster = lab.create().await;
    let again = lab.open_with(crate::state::durable_file::Steps::new()).await;
    assert!(again.is_err_and(|error| error.to_string().contains("in use")));
    cluster.close().await;
    drop(cluster);
    let cluster = lab.open().await;
    cluster.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_without_a_ledger_are_not_overwritten() {
    let lab = Lab::new(1, 1);
    let cluster = lab.create().await;
    cluster.close().await;
    drop(cluster);
    std::fs::remove_file(lab.path().join("ledger.json")).unwrap();
    let refused = lab.open_with(crate::state::durable_file::Steps::new()).await;
    assert!(refused.is_err_and(|error| error.to_string().contains("no ledger.json")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_header_is_a_fault_of_its_drive_and_of_no_other_node() {
    let lab = Lab::new(3, 1);
    let cluster = lab.create().await;
    cluster.close().await;
    drop(cluster);
    let header = lab.node_folder(2).join("drive-2").join("drive.json");
    let sound = std::fs::read_to_string(&header).unwrap();
    for damaged in ["{", &sound.replace("\"driveID\": 2", "\"driveID\": 3")] {
        std::fs::write(&header, damaged).unwrap();
        let cluster = lab.open().await;
        until(&cluster, "the drive is at fault", |c| {
            faults(c)
                .iter()
                .any(|(code, details)| code == "driveFailed" && details.contains("header"))
        })
        .await;
        until(&cluster, "the others serve", |c| active(c) == 2).await;
        std::fs::write(&header, &sound).unwrap();
        unlocked(&cluster).await;
        until(&cluster, "the fault is over", |c| faults(c).is_empty()).await;
        assert_pattern(&cluster).await;
        cluster.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrapped_key_that_was_changed_or_moved_does_not_open() {
    let lab = Lab::new(1, 2);
    let cluster = lab.create().await;
    cluster.close().await;
    drop(cluster);
    let path = |drive: u32| lab.node_folder(1).join(format!("drive-{drive}")).join("drive.json");
    let read =
        |drive| -> Value { checked_json::decode(&std::fs::read(path(drive)).unwrap()).unwrap() };
    let (sound, mut moved) = (std::fs::read(path(1)).unwrap(), read(1));
    moved["wrappedDataEncryptionKeys"] = read(2)["wrappedDataEncryptionKeys"].clone();
    std::fs::write(path(1), checked_json::encode(&moved).unwrap()).unwrap();
    let cluster = lab.open().await;
    until(&cluster, "drive 1 is at fault", |c| {
        faults(c).iter().any(|(code, details)| code == "driveFailed" && details.contains("unwrap"))
    })
    .await;
    until(&cluster, "drive 2 serves", |c| active(c) == 1).await;
    cluster.close().await;
    drop(cluster);
    std::fs::write(path(1), sound).unwrap();
    let cluster = lab.open().await;
    unlocked(&cluster).await;
    assert_pattern(&cluster).await;
    cluster.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_share_is_made_again_from_the_others() {
    let lab = Lab::new(3, 1);
    let cluster = lab.create().await;
    cluster.close().await;
    drop(cluster);
    let share = lab.share(2);
    let read = || checked_json::decode::<Value>(&std::fs::read(&share).ok()?).ok();
    let sound = read().unwrap()["share"].clone();
    for damaged in [Some("{"), None] {
        match damaged {
            Some(text) => std::fs::write(&share, text).unwrap(),
            None => std::fs::remove_file(&share).unwrap(),
        }
        let cluster = lab.open().await;
        unlocked(&cluster).await;
        let again = || read().is_some_and(|file| file["share"] == sound);
        at_last("the share is made again", again).await;
        assert_pattern(&cluster).await;
        cluster.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_of_the_most_nodes_rekeys_with_a_minority_away() {
    let lab = Lab::new(40, 1);
    let cluster = lab.create().await;
    for node in 1..=19 {
        cluster.stop_node(NodeId(node)).await.unwrap();
    }
    cluster.start_rekey(RekeyTarget::Same).await.unwrap();
    until(&cluster, "the majority is rewrapped", |c| {
        let new = c.read(|ledger| ledger.rekey.clone()).unwrap().job.new_key();
        c.read(|ledger| ledger.ring.wraps(new)) == 21
    })
    .await;
    for node in 1..=19 {
        cluster.start_node(NodeId(node)).await.unwrap();
    }
    rekeyed(&cluster).await;
    unlocked(&cluster).await;
    assert_pattern(&cluster).await;
    cluster.close().await;
}
