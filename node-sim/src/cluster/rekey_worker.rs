//! The rekey worker: it acts, and decides nothing.
//!
//! ```text
//! ledger -> job.effect() -> act -> job.advance() -> ledger -> ...
//! ```
//!
//! It finds its job in the ledger, so a job that was begun before a crash goes on by the same loop.
//! What keeps it from going on is told as progress and fault and tried again, longer and longer
//! apart; a rekey never fails because somebody is away.

use super::encryption_status;
use super::error::Trouble;
use super::master_keys;
use super::rekey_end::end;
use super::retry::Backoff;
use super::shared_state::Cluster;
use crate::node::Node;
use crate::state::key_ring::{DriveId, KeyId, Made, RingError};
use crate::state::ledger::{Ledger, RunningRekey};
use crate::state::rekey_job::{Effect, RekeyState};
use serde_json::json;
use std::sync::Arc;
use time::OffsetDateTime;

/// Runs rekeys, one after the other, until the cluster closes.
pub(crate) async fn work(cluster: Arc<Cluster>) {
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
            Ok(()) | Err(Trouble::Overtaken) => backoff.reset(&cluster),
            Err(trouble) => {
                raise(&cluster, &running, &trouble).await;
                tell(&cluster, &running, &trouble).await;
                if !backoff.wait(&cluster, &trouble).await {
                    return;
                }
            }
        }
    }
}

/// One effect, and the ledger's next state.
async fn step(cluster: &Cluster, running: &RunningRekey) -> Result<(), Trouble> {
    if let Some(effect) = running.job.effect() {
        tracing::info!(state = ?running.job.state(), ?effect, "rekey");
        let made = act(cluster, running, effect).await?;
        cluster.change(|ledger| advance(ledger, running, effect, made)).await
    } else {
        // A job that is over is taken off the ledger where it ends.
        cluster
            .change(|ledger| {
                end(ledger, running, None);
                Ok(())
            })
            .await
    }
}

/// Does it. What the ledger then must know is told: what was made.
async fn act(
    cluster: &Cluster,
    running: &RunningRekey,
    effect: Effect,
) -> Result<Option<Made>, Trouble> {
    match effect {
        Effect::ReachKeyPlace(key_id) => cluster.reach(key_id).await?,
        Effect::EnsureMasterKey(key_id) => return cluster.ensure(key_id).await.map(Some),
        Effect::Rewrap { from: _, to } => rewrap(cluster, running, to).await?,
        Effect::DestroyMasterKey(key_id) => {
            if !running.job.is_abandoned() {
                // From here on there is no way back, so the new key is fetched once more.
                cluster.master_key(cluster.master_node()?, running.job.new_key()).await?;
            }
            // No leave to destroy means that it is gone from the ring, and so destroyed.
            if let Some(key) = cluster.read(|ledger| ledger.ring.retired(key_id)) {
                cluster.destroy(&key, !running.job.is_abandoned()).await?;
            }
        }
    }
    Ok(None)
}

/// Wraps anew every drive of every node that is there; the rest are waited for.
async fn rewrap(cluster: &Cluster, running: &RunningRekey, to: KeyId) -> Result<(), Trouble> {
    let mut first_trouble = None;
    let mut locked: Vec<u32> = Vec::new();
    for node in cluster.running() {
        match rewrap_node(cluster, running, &node, to, &mut locked).await {
            Ok(()) => {}
            Err(trouble @ (Trouble::Ledger(_) | Trouble::Overtaken)) => return Err(trouble),
            // One node's trouble does not keep the others waiting.
            Err(trouble) => {
                raise(cluster, running, &trouble).await;
                first_trouble.get_or_insert(trouble);
            }
        }
    }
    if let Some(trouble) = first_trouble {
        return Err(trouble);
    }
    if !locked.is_empty() {
        return Err(Trouble::DrivesLocked { drives: locked });
    }
    let waits = |ledger: &Ledger| {
        ledger.drives().any(|(_, drive)| ledger.ring.wrapped_by(drive.drive_id) != Some(to))
    };
    if cluster.read(waits) {
        return Err(Trouble::NodesAway { nodes: cluster.nodes_away() });
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
) -> Result<(), Trouble> {
    let noted = cluster.read(|ledger| ledger.ring.clone());
    let mut waiting = node.drives().iter().filter(|d| noted.wrapped_by(d.id()) != Some(to));
    if waiting.clone().next().is_none() {
        return Ok(());
    }
    let key = Arc::new(cluster.master_key(node.id(), to).await?);
    waiting.try_for_each(|drive| {
        if drive.wrapped_by() != to && drive.locked().is_some() {
            locked.push(drive.id().0);
        }
        Ok::<_, Trouble>(())
    })?;
    for index in 0..node.drives().len() {
        let key = Arc::clone(&key);
        let rewrapped =
            master_keys::on_disk(Arc::clone(node), move |node| match node.drives().get(index) {
                Some(drive) if drive.wrapped_by() == to || drive.locked().is_none() => {
                    node.rewrap(drive, to, &key)?;
                    Ok(Some(drive.id()))
                }
                Some(_) | None => Ok(None),
            });
        if let Some(drive_id) = rewrapped.await?
            && noted.wrapped_by(drive_id) != Some(to)
        {
            cluster.change(|ledger| note_rewrapped(ledger, running, drive_id, to)).await?;
        }
    }
    Ok(())
}

/// The drive's header is on disk: the ring may know it.
fn note_rewrapped(
    ledger: &mut Ledger,
    running: &RunningRekey,
    drive_id: DriveId,
    to: KeyId,
) -> Result<(), Trouble> {
    same(ledger, running)?;
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
    made: Option<Made>,
) -> Result<(), Trouble> {
    same(ledger, running)?;
    let mut next = running.clone();
    next.job.advance();
    let mut destroyed = None;
    match effect {
        Effect::ReachKeyPlace(_) => {}
        Effect::EnsureMasterKey(key_id) => {
            ledger.ring.put_in_use(key_id, made.ok_or(RingError::NotInUse(key_id))?)?;
        }
        Effect::Rewrap { from, to } => {
            ledger.ring.make_current(to)?;
            ledger.ring.retire(from)?;
        }
        Effect::DestroyMasterKey(key_id) => destroyed = ledger.ring.retired(key_id),
    }
    if next.job.state() == RekeyState::Ready {
        end(ledger, &next, destroyed);
        return Ok(());
    }
    let details = encryption_status::rekey_progress(ledger, &next);
    ledger.asyncs.progress(next.async_handle, details, OffsetDateTime::now_utc());
    ledger.rekey = Some(next);
    Ok(())
}

/// Whoever gave the rekey up meanwhile is not overruled.
fn same(ledger: &Ledger, running: &RunningRekey) -> Result<(), Trouble> {
    if ledger.rekey.as_ref() == Some(running) { Ok(()) } else { Err(Trouble::Overtaken) }
}

/// Tells the trouble as a fault, unless the rekey was given up since: then nobody waits for it.
async fn raise(cluster: &Cluster, running: &RunningRekey, trouble: &Trouble) {
    cluster.raise_while(trouble, |ledger| ledger.rekey.as_ref() == Some(running)).await;
}

/// Tells in the async result's details what is waited for.
async fn tell(cluster: &Cluster, running: &RunningRekey, trouble: &Trouble) {
    let waiting_for = trouble.to_string();
    cluster
        .note(|ledger| {
            if ledger.rekey.as_ref() != Some(running) {
                return false;
            }
            let mut details = encryption_status::rekey_progress(ledger, running);
            if let Some(members) = details.as_object_mut() {
                members.insert("waitingFor".to_owned(), json!(waiting_for));
                if let Trouble::NodesAway { nodes } = trouble {
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
