//! Damaged, exchanged and older files of the cluster: what is refused, what is healed, and that
//! nothing is destroyed on the word of one file.

use super::lab::{
    Lab, SERVER_1, assert_pattern, at_last, current_key, faults, files, rekey, unlocked, until,
};
use crate::cluster::{Cluster, DriveState, RekeyTarget};
use crate::state::durable_file::Steps;
use std::path::{Path, PathBuf};

fn ledger(lab: &Lab) -> PathBuf {
    lab.path().join("ledger.json")
}

fn header(lab: &Lab, node: u32, drive: u32) -> PathBuf {
    lab.node_folder(node).join(format!("drive-{drive}")).join("drive.json")
}

fn flip(path: &Path, byte: usize) {
    let mut bytes = std::fs::read(path).unwrap();
    let at = byte % bytes.len();
    bytes[at] ^= 1;
    std::fs::write(path, bytes).unwrap();
}

fn active(cluster: &Cluster) -> usize {
    cluster.drives().iter().filter(|drive| drive.state == DriveState::Active).count()
}

fn contents(lab: &Lab) -> Vec<(PathBuf, Vec<u8>)> {
    let read = |path: PathBuf| (path.clone(), std::fs::read(path).unwrap());
    let mut all: Vec<_> = files(lab.path()).into_iter().map(read).collect();
    all.sort();
    all
}

/// The refusal names both files, and nothing is changed.
async fn assert_refused(lab: &Lab, words: &[&str]) {
    let before = contents(lab);
    let error = lab.open_with(Steps::new()).await.err().unwrap().to_string();
    for word in words {
        assert!(error.contains(word), "{error}");
    }
    assert_eq!(contents(lab), before, "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_ledger_is_refused_and_destroys_nothing() {
    for target in [RekeyTarget::External(1), RekeyTarget::Internal] {
        let lab = Lab::new(3, 1);
        let cluster = lab.create().await;
        let old = std::fs::read(ledger(&lab)).unwrap();
        rekey(&cluster, target).await;
        cluster.close().await;
        drop(cluster);
        let newest = std::fs::read(ledger(&lab)).unwrap();
        std::fs::write(ledger(&lab), &old).unwrap();
        assert_refused(&lab, &["ledger.json", "generation.json", "older copy"]).await;
        // Without that file, the headers and shares say so.
        let generation = lab.path().join("generation.json");
        std::fs::remove_file(&generation).unwrap();
        assert_refused(&lab, &["ledger.json", "node-", "older copy"]).await;
        std::fs::write(ledger(&lab), &newest).unwrap();
        let cluster = lab.open().await;
        unlocked(&cluster).await;
        assert_pattern(&cluster).await;
        cluster.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_of_another_cluster_is_refused() {
    let (lab, other) = (Lab::new(2, 1), Lab::new(2, 1));
    for lab in [&lab, &other] {
        lab.create().await.close().await;
    }
    let own = std::fs::read(ledger(&lab)).unwrap();
    std::fs::copy(ledger(&other), ledger(&lab)).unwrap();
    assert_refused(&lab, &["ledger.json", "another cluster"]).await;
    std::fs::write(ledger(&lab), own).unwrap();
    let cluster = lab.open().await;
    unlocked(&cluster).await;
    assert_pattern(&cluster).await;
    cluster.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_bit_of_the_ledger_is_refused() {
    let lab = Lab::new(2, 1);
    lab.create().await.close().await;
    let sound = std::fs::read(ledger(&lab)).unwrap();
    for byte in (0..sound.len()).step_by(97) {
        flip(&ledger(&lab), byte);
        assert_refused(&lab, &["ledger.json"]).await;
        std::fs::write(ledger(&lab), &sound).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn any_damaged_share_is_dealt_again_and_locks_nothing() {
    for nodes in 3..=5 {
        for damaged in 1..=nodes {
            let lab = Lab::new(nodes, 1);
            lab.create().await.close().await;
            let path = lab.share(damaged);
            let sound = std::fs::read(&path).unwrap();
            flip(&path, 200);
            let cluster = lab.open().await;
            unlocked(&cluster).await;
            assert_pattern(&cluster).await;
            let file = path.file_name().unwrap().to_str().unwrap().to_owned();
            until(&cluster, "the fault is over", |c| {
                use crate::state::faults::FaultTypes;
                let list = c.read(|ledger| ledger.faults.list(FaultTypes::Resolved));
                let named = |details: &str| details.contains(&file);
                list.iter().any(|fault| named(fault["details"].as_str().unwrap()))
                    && faults(c).is_empty()
            })
            .await;
            assert_ne!(std::fs::read(&path).unwrap(), sound, "of a later generation");
            // The share that was dealt again is as good as any.
            cluster.close().await;
            drop(cluster);
            let minority = usize::try_from((nodes - 1) / 2).unwrap();
            for other in (1..=nodes).filter(|node| *node != damaged).take(minority) {
                std::fs::remove_file(lab.share(other)).unwrap();
            }
            let cluster = lab.open().await;
            unlocked(&cluster).await;
            assert_pattern(&cluster).await;
            cluster.close().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn exchanged_shares_are_dealt_again() {
    let lab = Lab::new(3, 1);
    lab.create().await.close().await;
    let (one, two) = (lab.share(1), lab.share(2));
    let bytes = std::fs::read(&one).unwrap();
    std::fs::copy(&two, &one).unwrap();
    std::fs::write(&two, bytes).unwrap();
    let cluster = lab.open().await;
    // One sound share of the two that are needed: nothing can be healed, and the faults say why.
    until(&cluster, "the faults name the files", |c| {
        let named = |details: &String| details.contains("it is that of node");
        faults(c).iter().filter(|(_, details)| named(details)).count() == 2
    })
    .await;
    assert_eq!(active(&cluster), 0);
    cluster.close().await;
    drop(cluster);
    let bytes = std::fs::read(&one).unwrap();
    std::fs::copy(&two, &one).unwrap();
    std::fs::write(&two, bytes).unwrap();
    let cluster = lab.open().await;
    unlocked(&cluster).await;
    assert_pattern(&cluster).await;
    until(&cluster, "the faults are over", |c| faults(c).is_empty()).await;
    cluster.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_header_fails_its_drive_only() {
    for external in [false, true] {
        let lab = Lab::new(2, 3);
        let cluster = lab.create().await;
        if external {
            rekey(&cluster, RekeyTarget::External(1)).await;
        }
        cluster.close().await;
        drop(cluster);
        let path = header(&lab, 1, 2);
        let sound = std::fs::read(&path).unwrap();
        let damages: [&dyn Fn(); 4] = [
            &|| flip(&path, 300),
            &|| std::fs::write(&path, &sound[..40]).unwrap(),
            &|| std::fs::remove_file(&path).unwrap(),
            &|| assert!(std::fs::copy(header(&lab, 2, 4), &path).is_ok()),
        ];
        for damage in damages {
            damage();
            let cluster = lab.open().await;
            until(&cluster, "the others serve", |c| active(c) == 5).await;
            until(&cluster, "the fault names the file", |c| {
                let named = |(code, details): &(String, String)| {
                    code == "driveFailed" && details.contains("drive-2/drive.json")
                };
                faults(c).iter().filter(|fault| named(fault)).count() == 1
            })
            .await;
            std::fs::write(&path, &sound).unwrap();
            cluster.retry_now();
            unlocked(&cluster).await;
            assert_pattern(&cluster).await;
            until(&cluster, "the fault is over", |c| faults(c).is_empty()).await;
            cluster.close().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_header_fails_its_drive_only_and_destroys_no_share() {
    let lab = Lab::new(2, 2);
    let cluster = lab.create().await;
    let path = header(&lab, 1, 1);
    let older = std::fs::read(&path).unwrap();
    let (old, _) = current_key(&cluster);
    rekey(&cluster, RekeyTarget::Same).await;
    cluster.close().await;
    drop(cluster);
    let newest = std::fs::read(&path).unwrap();
    std::fs::write(&path, &older).unwrap();
    let cluster = lab.open().await;
    until(&cluster, "the others serve", |c| active(c) == 3).await;
    until(&cluster, "the fault names the file and the key", |c| {
        faults(c).iter().any(|(code, details)| {
            code == "driveFailed"
                && details.contains("drive-1/drive.json")
                && details.contains(&old.to_string())
        })
    })
    .await;
    std::fs::write(&path, &newest).unwrap();
    cluster.retry_now();
    unlocked(&cluster).await;
    assert_pattern(&cluster).await;
    cluster.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_of_a_key_that_a_header_names_is_not_removed() {
    let lab = Lab::new(2, 1);
    let cluster = lab.create().await;
    let (old, _) = current_key(&cluster);
    let older = std::fs::read(header(&lab, 1, 1)).unwrap();
    let path = lab.share(1);
    let kept = std::fs::read(&path).unwrap();
    rekey(&cluster, RekeyTarget::External(1)).await;
    cluster.close().await;
    drop(cluster);
    // An older header that names the old key, and the old share of it.
    let newest = std::fs::read(header(&lab, 1, 1)).unwrap();
    std::fs::write(header(&lab, 1, 1), &older).unwrap();
    std::fs::write(&path, &kept).unwrap();
    let cluster = lab.open().await;
    until(&cluster, "the fault names the key", |c| {
        faults(c).iter().any(|(_, details)| details.contains(&old.to_string()))
    })
    .await;
    until(&cluster, "the other drive serves", |c| active(c) == 1).await;
    assert!(path.exists(), "a header names its key");
    std::fs::write(header(&lab, 1, 1), &newest).unwrap();
    cluster.retry_now();
    unlocked(&cluster).await;
    cluster.close().await;
    drop(cluster);
    let cluster = lab.open().await;
    unlocked(&cluster).await;
    at_last("a share that no header names is removed", || !path.exists()).await;
    assert_eq!(lab.key_servers.keys(SERVER_1).len(), 1);
    cluster.close().await;
}
