//! What the rekey worker does: each effect of [`crate::state::rekey_job`], on the nodes and in the
//! places of the keys.
//!
//! Every wrapping that is removed was proved to be needless a moment before: the node fetched the
//! key that stays, and the header on disk opened with it to the data encryption key in memory.

use super::encryption_status;
use super::error::RetryableError;
use super::master_keys::run_blocking;
use super::shared_state::Cluster;
use crate::crypto::master_key::MasterKey;
use crate::key_server::Destruction;
use crate::node::{Drive, Node};
use crate::state::key_ring::{DriveId, KeyId, KeyRingError};
use crate::state::ledger::{Ledger, RunningRekey};
use crate::state::rekey_job::{Effect, Outcome};
use std::sync::Arc;
use time::OffsetDateTime;

/// Performs the effect.
pub(super) async fn perform(
    cluster: &Cluster,
    running: &RunningRekey,
    effect: Effect,
) -> Result<Outcome, RetryableError> {
    match effect {
        Effect::ReachKeyPlace(key_id) => cluster.test_key_place(key_id).await.map(Outcome::Reached),
        Effect::EnsureMasterKey(key_id) => {
            cluster.ensure_master_key(key_id).await.map(Outcome::Created)
        }
        Effect::AddWrappings(_) | Effect::ProveMasterKey(_) => {
            on_every_node(cluster, running, effect, |_, _| true).await?;
            Ok(Outcome::Done)
        }
        // A node that is away is waited for only if a drive of it may have such a wrapping.
        Effect::RemoveWrappings { removed, kept: _ } => {
            let needed = |ledger: &Ledger, drive_id| ledger.ring.may_wrap(drive_id, removed);
            on_every_node(cluster, running, effect, needed).await?;
            Ok(Outcome::Done)
        }
        Effect::DestroyMasterKey(key_id) => {
            let destroyed = destroy(cluster, running, key_id).await;
            match destroyed {
                // The key was never needed: the rekey does not wait for its destruction, which is
                // tried again in the background.
                Err(error) if running.job.is_abandoned() => {
                    Ok(Outcome::NotConfirmed(error.to_string()))
                }
                Err(error) => Err(error),
                Ok(Destruction::Confirmed) => Ok(Outcome::Done),
                Ok(Destruction::NotConfirmed { reason, .. }) => Ok(Outcome::NotConfirmed(reason)),
            }
        }
    }
}

/// Performs the part of every node; the error of one does not hold up the others. It is done when
/// every node that has a needed drive runs and has done its part since it was last switched on.
async fn on_every_node(
    cluster: &Cluster,
    running: &RunningRekey,
    effect: Effect,
    needed: impl Fn(&Ledger, DriveId) -> bool,
) -> Result<(), RetryableError> {
    let mut first_error = None;
    let mut locked = Vec::new();
    let mut handled: Vec<Arc<Node>> = Vec::new();
    while let Some(node) = next_node(cluster, &handled) {
        match on_node(cluster, running, &node, effect).await {
            Ok(()) => {}
            Err(error @ (RetryableError::Ledger(_) | RetryableError::RekeyChanged)) => {
                return Err(error);
            }
            Err(RetryableError::DrivesLocked { drives }) => locked.extend(drives),
            Err(error) => {
                let holds = |ledger: &Ledger| ledger.rekey.as_ref() == Some(running);
                cluster.raise_fault_while(&error, holds).await;
                first_error.get_or_insert(error);
            }
        }
        handled.push(node);
    }
    match first_error {
        Some(error) => Err(error),
        None if !locked.is_empty() => Err(RetryableError::DrivesLocked { drives: locked }),
        None => check_handled(cluster, &handled, needed),
    }
}

/// A node that runs and is not among these.
fn next_node(cluster: &Cluster, handled: &[Arc<Node>]) -> Option<Arc<Node>> {
    let is_handled = |node: &Arc<Node>| handled.iter().any(|other| Arc::ptr_eq(node, other));
    cluster.running_nodes().into_iter().find(|node| !is_handled(node))
}

async fn on_node(
    cluster: &Cluster,
    running: &RunningRekey,
    node: &Arc<Node>,
    effect: Effect,
) -> Result<(), RetryableError> {
    match effect {
        Effect::AddWrappings(key_id) => add_wrappings(cluster, running, node, key_id).await,
        Effect::ProveMasterKey(key_id) => {
            // A header may have been replaced by an older one since.
            add_wrappings(cluster, running, node, key_id).await?;
            prove_wrappings(cluster, node, key_id).await
        }
        Effect::RemoveWrappings { removed, kept } => {
            remove_wrappings(cluster, running, node, (removed, kept)).await
        }
        Effect::ReachKeyPlace(_) | Effect::EnsureMasterKey(_) | Effect::DestroyMasterKey(_) => {
            Ok(())
        }
    }
}

/// Refuses while one of these drives is locked.
fn check_unlocked(node: &Node, drives: &[DriveId]) -> Result<(), RetryableError> {
    let locked = node.drives().iter().filter(|drive| drive.lock_reason().is_some());
    let locked: Vec<_> =
        locked.map(Drive::id).filter(|id| drives.contains(id)).map(|id| id.0).collect();
    if locked.is_empty() { Ok(()) } else { Err(RetryableError::DrivesLocked { drives: locked }) }
}

/// Refuses while a node that has such a drive is off, or was switched on after it was handled.
fn check_handled(
    cluster: &Cluster,
    handled: &[Arc<Node>],
    needed: impl Fn(&Ledger, DriveId) -> bool,
) -> Result<(), RetryableError> {
    let is_handled = |id| {
        let node = cluster.node(id);
        node.is_some_and(|node| handled.iter().any(|other| Arc::ptr_eq(&node, other)))
    };
    let mut nodes: Vec<u32> = cluster.read(|ledger| {
        let drives = ledger.drives().filter(|(_, drive)| needed(ledger, drive.drive_id));
        drives.filter(|(node, _)| !is_handled(*node)).map(|(node, _)| node.0).collect()
    });
    nodes.dedup();
    if nodes.is_empty() { Ok(()) } else { Err(RetryableError::NodesOffline { nodes }) }
}

/// Adds a wrapping by the key to the header of every drive of the node.
async fn add_wrappings(
    cluster: &Cluster,
    running: &RunningRekey,
    node: &Arc<Node>,
    key_id: KeyId,
) -> Result<(), RetryableError> {
    let missing = node.drives().iter().filter(|drive| !drive.is_wrapped_by(key_id));
    let missing: Vec<_> = missing.map(Drive::id).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let key = Arc::new(cluster.fetch_master_key(node.id(), key_id).await?);
    for drive_id in &missing {
        cluster.pace_rekey(running).await?;
        if check_unlocked(node, &[*drive_id]).is_ok() {
            add_wrapping(cluster, running, node, *drive_id, (key_id, &key)).await?;
        }
    }
    check_unlocked(node, &missing)
}

/// The ring lists the wrapping before the header has it.
async fn add_wrapping(
    cluster: &Cluster,
    running: &RunningRekey,
    node: &Arc<Node>,
    drive_id: DriveId,
    (key_id, key): (KeyId, &Arc<MasterKey>),
) -> Result<(), RetryableError> {
    cluster
        .change(|ledger| {
            record(ledger, running, |ledger| ledger.ring.note_wrapped(drive_id, key_id))
        })
        .await?;
    let key = Arc::clone(key);
    let stamp = cluster.read(Ledger::stamp);
    run_blocking(Arc::clone(node), move |node| node.add_wrapping(drive_id, key_id, &key, &stamp))
        .await?;
    Ok(())
}

/// Fetches the key anew for the node, and opens the headers of its drives on disk with it.
async fn prove_wrappings(
    cluster: &Cluster,
    node: &Arc<Node>,
    key_id: KeyId,
) -> Result<(), RetryableError> {
    let drives: Vec<_> = node.drives().iter().map(Drive::id).collect();
    check_unlocked(node, &drives)?;
    let key = cluster.fetch_master_key(node.id(), key_id).await?;
    run_blocking(Arc::clone(node), move |node| node.prove_wrappings(key_id, &key)).await?;
    Ok(())
}

/// Removes from the headers of the node's drives the wrapping by one key, after the one by the
/// other was proved. The ring forgets the wrapping after the header has lost it.
async fn remove_wrappings(
    cluster: &Cluster,
    running: &RunningRekey,
    node: &Arc<Node>,
    (removed, kept): (KeyId, KeyId),
) -> Result<(), RetryableError> {
    let ring = cluster.read(|ledger| ledger.ring.clone());
    let with = node.drives().iter().map(Drive::id);
    let with: Vec<_> = with.filter(|id| ring.may_wrap(*id, removed)).collect();
    if with.is_empty() {
        return Ok(());
    }
    check_unlocked(node, &with)?;
    let key = Arc::new(cluster.fetch_master_key(node.id(), kept).await?);
    for drive_id in with {
        let (key, stamp) = (Arc::clone(&key), cluster.read(Ledger::stamp));
        run_blocking(Arc::clone(node), move |node| {
            node.remove_wrapping(drive_id, removed, (kept, &key), &stamp)
        })
        .await?;
        cluster
            .change(|ledger| record(ledger, running, |l| l.ring.note_unwrapped(drive_id, removed)))
            .await?;
    }
    Ok(())
}

/// Destroys a key that no header names any more. In a rekey that was not given up the new key is
/// fetched once more before: there is no way back.
async fn destroy(
    cluster: &Cluster,
    running: &RunningRekey,
    key_id: KeyId,
) -> Result<Destruction, RetryableError> {
    if !running.job.is_abandoned() {
        let node_id = cluster.first_running_node()?;
        cluster.fetch_master_key(node_id, running.job.new_key()).await?;
    }
    // A key that is not on the ring was destroyed.
    let Some(key) = cluster.read(|ledger| ledger.ring.retired(key_id)) else {
        return Ok(Destruction::Confirmed);
    };
    cluster.destroy_master_key(&key).await
}

/// Changes the ring, as long as the rekey is the same, and writes down the progress.
fn record(
    ledger: &mut Ledger,
    running: &RunningRekey,
    change: impl FnOnce(&mut Ledger) -> Result<(), KeyRingError>,
) -> Result<(), RetryableError> {
    check_unchanged(ledger, running)?;
    change(ledger)?;
    let details = encryption_status::rekey_progress(ledger, running);
    ledger.asyncs.progress(running.async_handle, details, OffsetDateTime::now_utc());
    Ok(())
}

/// Refuses to go on with a rekey that was abandoned meanwhile.
pub(super) fn check_unchanged(
    ledger: &Ledger,
    running: &RunningRekey,
) -> Result<(), RetryableError> {
    if ledger.rekey.as_ref() == Some(running) { Ok(()) } else { Err(RetryableError::RekeyChanged) }
}
