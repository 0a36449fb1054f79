//! Rekey worker: performs the effects that the rekey job decides.
//!
//! ```text
//! ledger -> job.effect() -> perform -> job.advance() -> ledger -> ...
//! ```
//!
//! It finds its job in the ledger, so a job that was begun before a crash goes on by the same loop.
//! An error is shown as progress and as a fault, and the effect is tried again with growing waits;
//! a rekey never fails because a key server or a node is away.

use super::encryption_status;
use super::error::RetryableError;
use super::master_keys;
use super::rekey_end::end_rekey;
use super::retry::Backoff;
use super::shared_state::Cluster;
use crate::node::Node;
use crate::state::key_ring::{CreatedKey, DriveId, KeyId, KeyRingError};
use crate::state::ledger::{Ledger, RunningRekey};
use crate::state::rekey_job::{Effect, RekeyState};
use serde_json::json;
use std::sync::Arc;
use time::OffsetDateTime;

/// Runs rekeys, one after the other, until the cluster closes.
pub(crate) async fn run(cluster: Arc<Cluster>) {
    let mut changes = cluster.changes();
    let mut closing = cluster.closing();
    let mut backoff = Backoff::new(&cluster);
    loop {
        changes.borrow_and_update();
        let Some(running) = cluster.read(|ledger| ledger.rekey.clone()) else {
            tokio::select! {
                _ = changes.changed() => continue,
                _ = closing.wait_for(|closing| *closing) => return,
            }
        };
        // To be dropped in the middle is to it like a crash, and as harmless.
        let stepped = tokio::select! {
            stepped = step(&cluster, &running) => stepped,
            _ = closing.wait_for(|closing| *closing) => return,
        };
        match stepped {
            Ok(()) | Err(RetryableError::RekeyChanged) => backoff.reset(&cluster),
            Err(error) => {
                raise_fault(&cluster, &running, &error).await;
                report_wait(&cluster, &running, &error).await;
                if !backoff.wait(&cluster, &error).await {
                    return;
                }
            }
        }
    }
}

/// One effect, and the ledger's next state.
async fn step(cluster: &Cluster, running: &RunningRekey) -> Result<(), RetryableError> {
    if let Some(effect) = running.job.effect() {
        let state = running.job.state();
        if matches!(effect, Effect::ReachKeyPlace(_)) {
            cluster.stop_rekey_before(running, state).await?;
        }
        tracing::info!(?state, ?effect, "rekey");
        let learned = perform(cluster, running, effect).await?;
        let mut next = running.job.clone();
        next.advance();
        if next.state() != state {
            cluster.stop_rekey_before(running, next.state()).await?;
        }
        cluster.change(|ledger| advance(ledger, running, effect, learned)).await
    } else {
        // A job that is over is taken off the ledger where it ends.
        cluster
            .change(|ledger| {
                end_rekey(ledger, running, None);
                Ok(())
            })
            .await
    }
}

/// What an effect found out that the ledger must know.
enum Learned {
    Nothing,
    /// The host where the key is to be created.
    Host(String),
    /// The key that was created.
    Key(CreatedKey),
}

/// Performs the effect. Returns what it found out, for the ledger.
async fn perform(
    cluster: &Cluster,
    running: &RunningRekey,
    effect: Effect,
) -> Result<Learned, RetryableError> {
    match effect {
        Effect::ReachKeyPlace(key_id) => {
            let host = cluster.test_key_place(key_id).await?;
            return Ok(host.map_or(Learned::Nothing, Learned::Host));
        }
        Effect::EnsureMasterKey(key_id) => {
            return cluster.ensure_master_key(key_id).await.map(Learned::Key);
        }
        Effect::Rewrap { from: _, to } => rewrap(cluster, running, to).await?,
        Effect::DestroyMasterKey(key_id) => {
            if !running.job.is_abandoned() {
                // From here on there is no way back, so the new key is fetched once more.
                cluster
                    .fetch_master_key(cluster.first_running_node()?, running.job.new_key())
                    .await?;
            }
            // A key that is not on the ring was destroyed.
            if let Some(key) = cluster.read(|ledger| ledger.ring.retired(key_id)) {
                cluster.destroy_master_key(&key, !running.job.is_abandoned()).await?;
            }
        }
    }
    Ok(Learned::Nothing)
}

/// Wraps anew every drive of every node that is there; the rest are waited for.
async fn rewrap(
    cluster: &Cluster,
    running: &RunningRekey,
    to: KeyId,
) -> Result<(), RetryableError> {
    let mut first_error = None;
    let mut locked: Vec<u32> = Vec::new();
    for node in cluster.running_nodes() {
        match rewrap_node(cluster, running, &node, to, &mut locked).await {
            Ok(()) => {}
            Err(error @ (RetryableError::Ledger(_) | RetryableError::RekeyChanged)) => {
                return Err(error);
            }
            // The error of one node does not hold up the others.
            Err(error) => {
                raise_fault(cluster, running, &error).await;
                first_error.get_or_insert(error);
            }
        }
    }
    if let Some(error) = first_error {
        return Err(error);
    }
    if !locked.is_empty() {
        return Err(RetryableError::DrivesLocked { drives: locked });
    }
    let waits = |ledger: &Ledger| {
        ledger.drives().any(|(_, drive)| ledger.ring.wrapped_by(drive.drive_id) != Some(to))
    };
    if cluster.read(waits) {
        return Err(RetryableError::NodesOffline { nodes: cluster.offline_nodes() });
    }
    Ok(())
}

/// Wraps anew the drives of one node, with the key that the node fetched for itself.
async fn rewrap_node(
    cluster: &Cluster,
    running: &RunningRekey,
    node: &Arc<Node>,
    to: KeyId,
    locked: &mut Vec<u32>,
) -> Result<(), RetryableError> {
    let noted = cluster.read(|ledger| ledger.ring.clone());
    let mut waiting = node.drives().iter().filter(|d| noted.wrapped_by(d.id()) != Some(to));
    if waiting.clone().next().is_none() {
        return Ok(());
    }
    let key = Arc::new(cluster.fetch_master_key(node.id(), to).await?);
    waiting.try_for_each(|drive| {
        if drive.wrapped_by() != to && drive.lock_reason().is_some() {
            locked.push(drive.id().0);
        }
        Ok::<_, RetryableError>(())
    })?;
    for (index, drive) in node.drives().iter().enumerate() {
        if noted.wrapped_by(drive.id()) != Some(to) {
            cluster.pace_rekey(running).await?;
        }
        let key = Arc::clone(&key);
        let rewrapped = master_keys::run_blocking(Arc::clone(node), move |node| {
            match node.drives().get(index) {
                Some(drive) if drive.wrapped_by() == to || drive.lock_reason().is_none() => {
                    node.rewrap(drive, to, &key)?;
                    Ok(Some(drive.id()))
                }
                Some(_) | None => Ok(None),
            }
        });
        if let Some(drive_id) = rewrapped.await?
            && noted.wrapped_by(drive_id) != Some(to)
        {
            cluster.change(|ledger| record_rewrapped(ledger, running, drive_id, to)).await?;
        }
    }
    Ok(())
}

/// The drive's header is on disk: the ring may know it.
fn record_rewrapped(
    ledger: &mut Ledger,
    running: &RunningRekey,
    drive_id: DriveId,
    to: KeyId,
) -> Result<(), RetryableError> {
    check_unchanged(ledger, running)?;
    ledger.ring.note_wrapped(drive_id, to)?;
    let details = encryption_status::rekey_progress(ledger, running);
    ledger.asyncs.progress(running.async_handle, details, OffsetDateTime::now_utc());
    Ok(())
}

/// The effect is done: the ring and the job move on together.
fn advance(
    ledger: &mut Ledger,
    running: &RunningRekey,
    effect: Effect,
    learned: Learned,
) -> Result<(), RetryableError> {
    check_unchanged(ledger, running)?;
    let mut next = running.clone();
    next.job.advance();
    let mut destroyed = None;
    match (effect, learned) {
        (Effect::ReachKeyPlace(key_id), Learned::Host(host)) => {
            ledger.ring.set_host(key_id, host)?;
        }
        (Effect::ReachKeyPlace(_), _) => {}
        (Effect::EnsureMasterKey(key_id), Learned::Key(made)) => {
            ledger.ring.put_in_use(key_id, made)?;
        }
        (Effect::EnsureMasterKey(key_id), _) => return Err(KeyRingError::NotInUse(key_id).into()),
        (Effect::Rewrap { from, to }, _) => {
            ledger.ring.make_current(to)?;
            ledger.ring.retire(from)?;
        }
        (Effect::DestroyMasterKey(key_id), _) => destroyed = ledger.ring.retired(key_id),
    }
    if next.job.state() == RekeyState::Ready {
        end_rekey(ledger, &next, destroyed);
        return Ok(());
    }
    let details = encryption_status::rekey_progress(ledger, &next);
    ledger.asyncs.progress(next.async_handle, details, OffsetDateTime::now_utc());
    ledger.rekey = Some(next);
    Ok(())
}

/// Refuses to go on with a rekey that was abandoned meanwhile.
fn check_unchanged(ledger: &Ledger, running: &RunningRekey) -> Result<(), RetryableError> {
    if ledger.rekey.as_ref() == Some(running) { Ok(()) } else { Err(RetryableError::RekeyChanged) }
}

/// Raises the fault of this error, unless the rekey was abandoned since.
async fn raise_fault(cluster: &Cluster, running: &RunningRekey, error: &RetryableError) {
    cluster.raise_fault_while(error, |ledger| ledger.rekey.as_ref() == Some(running)).await;
}

/// Writes into the details of the async result what the rekey waits for.
async fn report_wait(cluster: &Cluster, running: &RunningRekey, error: &RetryableError) {
    let waiting_for = error.to_string();
    cluster
        .change_if_needed(|ledger| {
            if ledger.rekey.as_ref() != Some(running) {
                return false;
            }
            let mut details = encryption_status::rekey_progress(ledger, running);
            if let Some(members) = details.as_object_mut() {
                members.insert("waitingFor".to_owned(), json!(waiting_for));
                if let RetryableError::NodesOffline { nodes } = error {
                    members.insert("waitingForNodes".to_owned(), json!(nodes));
                }
            }
            if ledger.asyncs.details(running.async_handle) == Some(&details) {
                return false;
            }
            ledger.asyncs.progress(running.async_handle, details, OffsetDateTime::now_utc());
            true
        })
        .await;
}
