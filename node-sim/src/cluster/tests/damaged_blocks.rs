//! Cluster faults of drives with damaged blocks.

use super::lab::{Lab, assert_pattern, faults, unlocked, until};
use crate::cluster::{Cluster, DriveState};
use crate::node::{BLOCK_LEN, BlockError};
use crate::state::faults::FaultTypes;
use crate::state::key_ring::{DriveId, NodeId};
use serde_json::{Value, json};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// The first of the two blocks that the lab writes to each drive.
const FIRST: u64 = 3;

fn path(lab: &Lab, node: u32, drive: u32, name: &str) -> PathBuf {
    lab.node_folder(node).join(format!("drive-{drive}")).join(name)
}

fn flip(path: &Path, lba: u64) {
    let file = File::options().read(true).write(true).open(path).unwrap();
    let (mut byte, offset) = ([0], lba * 4096 + 77);
    file.read_exact_at(&mut byte, offset).unwrap();
    file.write_all_at(&[byte[0] ^ 4], offset).unwrap();
}

/// Puts the bytes of a file back in place: the program may be looking at it.
fn put_back(path: &Path, bytes: &[u8]) {
    let file = File::options().write(true).create(true).truncate(false).open(path).unwrap();
    file.write_all_at(bytes, 0).unwrap();
}

async fn read(cluster: &Cluster, drive: u32, lba: u64) -> Result<Vec<u8>, BlockError> {
    cluster.read_blocks(DriveId(drive), lba, vec![0; BLOCK_LEN]).await
}

async fn assert_damaged(cluster: &Cluster, drive: u32, lba: u64) {
    let error = read(cluster, drive, lba).await.unwrap_err();
    let right = matches!(&error, BlockError::Damaged { lba: l, .. } if *l == lba);
    assert!(right, "block {lba}: {error}");
}

/// The faults about blocks, by their drives.
fn blocks_degraded(cluster: &Cluster, types: FaultTypes) -> Vec<(Value, String)> {
    let list = cluster.read(|ledger| ledger.faults.list(types));
    let of_kind = list.into_iter().filter(|fault| fault["code"] == "blocksDegraded");
    of_kind.map(|fault| (fault["driveID"].clone(), fault["details"].to_string())).collect()
}

fn generation(cluster: &Cluster) -> u64 {
    cluster.read(crate::state::ledger::Ledger::generation)
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_block_is_one_fault_until_it_is_overwritten() {
    let lab = Lab::new(2, 2);
    let cluster = lab.create().await;
    flip(&path(&lab, 1, 2, "blocks"), FIRST);
    flip(&path(&lab, 1, 2, "blocks"), FIRST + 1);
    assert!(faults(&cluster).is_empty(), "nothing was read");
    assert_damaged(&cluster, 2, FIRST).await;
    let raised = cluster.read(|ledger| ledger.faults.list(FaultTypes::Current));
    let [fault] = raised.as_slice() else { panic!("{raised:?}") };
    let expected = [("code", "blocksDegraded"), ("severity", "critical"), ("type", "drive")];
    for (member, value) in expected {
        assert_eq!(fault[member], value);
    }
    assert_eq!((&fault["nodeID"], &fault["driveIDs"]), (&json!(1), &json!([2])));
    let details = fault["details"].as_str().unwrap();
    let blocks = path(&lab, 1, 2, "blocks");
    assert!(details.contains(blocks.to_str().unwrap()), "{details}");
    assert!(details.contains("block 3 of drive 2"), "{details}");

    // Reads of damaged and of good blocks write no ledger; other drives and blocks are as before.
    let before = generation(&cluster);
    for _ in 0..5 {
        assert_damaged(&cluster, 2, FIRST).await;
        assert_damaged(&cluster, 2, FIRST + 1).await;
        read(&cluster, 2, 0).await.unwrap();
        read(&cluster, 1, FIRST).await.unwrap();
    }
    assert_eq!(generation(&cluster), before);
    assert!(cluster.drives().iter().all(|drive| drive.state == DriveState::Active));

    // What an operator clears comes back with the next read.
    cluster
        .change(|ledger| {
            ledger.faults.clear(FaultTypes::Current);
            Ok::<_, crate::state::ledger::LedgerError>(())
        })
        .await
        .unwrap();
    assert_damaged(&cluster, 2, FIRST).await;
    assert_eq!(blocks_degraded(&cluster, FaultTypes::Current).len(), 1);

    // Of two damaged blocks the fault names the one that is left.
    cluster.write_blocks(DriveId(2), FIRST, vec![1; BLOCK_LEN]).await.unwrap();
    let [(_, details)] = &blocks_degraded(&cluster, FaultTypes::Current)[..] else { panic!() };
    assert!(details.contains("block 4 of drive 2"), "{details}");
    cluster.write_blocks(DriveId(2), FIRST + 1, vec![1; BLOCK_LEN]).await.unwrap();
    assert!(faults(&cluster).is_empty());
    assert_eq!(blocks_degraded(&cluster, FaultTypes::Resolved).len(), 1);
    cluster.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fault_ends_when_the_file_is_put_back() {
    let lab = Lab::new(2, 1);
    let cluster = lab.create().await;
    let blocks = path(&lab, 2, 2, "blocks");
    let sound = std::fs::read(&blocks).unwrap();
    flip(&blocks, FIRST);
    assert_damaged(&cluster, 2, FIRST).await;
    put_back(&blocks, &sound);
    read(&cluster, 2, 0).await.unwrap();
    assert!(faults(&cluster).is_empty(), "any use of the drive looks again");

    // A fault outlives the program, and ends at the unlock.
    flip(&blocks, FIRST);
    assert_damaged(&cluster, 2, FIRST).await;
    cluster.close().await;
    drop(cluster);
    let cluster = lab.open().await;
    unlocked(&cluster).await;
    read(&cluster, 2, 0).await.unwrap();
    assert_eq!(blocks_degraded(&cluster, FaultTypes::Current).len(), 1);
    cluster.stop_node(NodeId(2)).await.unwrap();
    assert_eq!(blocks_degraded(&cluster, FaultTypes::Current).len(), 1, "the node is off");
    put_back(&blocks, &sound);
    cluster.start_node(NodeId(2)).await.unwrap();
    until(&cluster, "the fault is over", |c| faults(c).is_empty()).await;
    assert_pattern(&cluster).await;
    cluster.close().await;
}

/// Nothing is read: a file that is missing or too short is found when the drive unlocks.
#[tokio::test(flavor = "multi_thread")]
async fn lost_file_is_a_fault_of_its_drive_at_the_unlock() {
    for name in ["blocks", "checksums"] {
        for removed in [true, false] {
            let lab = Lab::new(2, 2);
            lab.create().await.close().await;
            let lost = path(&lab, 1, 1, name);
            let sound = std::fs::read(&lost).unwrap();
            if removed {
                std::fs::remove_file(&lost).unwrap();
            } else {
                File::options().write(true).open(&lost).unwrap().set_len(100).unwrap();
            }
            let cluster = lab.open().await;
            let is_raised = |c: &Cluster| !faults(c).is_empty();
            until(&cluster, "a fault is raised", is_raised).await;
            unlocked(&cluster).await;
            let found = blocks_degraded(&cluster, FaultTypes::Current);
            let [(drive, details)] = found.as_slice() else { panic!("{found:?}") };
            assert_eq!(*drive, 1);
            assert!(details.contains(lost.to_str().unwrap()), "{details}");
            assert_eq!(faults(&cluster).len(), 1);
            assert_damaged(&cluster, 1, FIRST).await;
            for drive in 2..=4 {
                read(&cluster, drive, FIRST).await.unwrap();
            }
            put_back(&lost, &sound);
            read(&cluster, 1, FIRST).await.unwrap();
            assert!(faults(&cluster).is_empty(), "{name}: {:?}", faults(&cluster));
            assert_pattern(&cluster).await;
            cluster.close().await;
        }
    }
}

/// Reads and writes of one drive that find and repair damage at the same time leave no fault
/// behind.
#[tokio::test(flavor = "multi_thread")]
async fn fault_is_in_step_with_the_blocks_after_concurrent_repairs() {
    let lab = Lab::new(1, 1);
    let cluster = lab.create().await;
    let blocks = path(&lab, 1, 1, "blocks");
    for round in 0..8 {
        for lba in FIRST..FIRST + 2 {
            flip(&blocks, lba);
        }
        let tasks = (0..6_u64).map(|task| {
            let cluster = std::sync::Arc::clone(&cluster);
            tokio::spawn(async move {
                let lba = FIRST + task % 2;
                if task < 4 {
                    let _ = read(&cluster, 1, lba).await;
                } else {
                    let block = vec![round; BLOCK_LEN];
                    cluster.write_blocks(DriveId(1), lba, block).await.unwrap();
                    cluster.flush(DriveId(1)).await.unwrap();
                }
            })
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await.unwrap();
        }
        assert!(faults(&cluster).is_empty(), "round {round}: {:?}", faults(&cluster));
    }
    cluster.close().await;
}
