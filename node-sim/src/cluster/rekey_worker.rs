//! Rekey worker: performs the effects that the rekey job decides.
//!
//! ```text
//! ledger -> job.effect() -> perform -> job.commit() -> ledger -> ...
//! ```
//!
//! It finds its job in the ledger, so a job that was begun before a crash goes on by the same loop.
//! An error is shown as progress and as a fault, and the effect is tried again with growing waits.
//! A rekey waits for a node or a key server that is away. A key server that answers, and refuses,
//! ends it, as long as it can be given up: at once if the refusal is permanent, else after
//! [`REFUSALS_MAX`] in a row.

use super::change_log::printable;
use super::encryption_status;
use super::error::RetryableError;
use super::rekey_effects::{check_unchanged, perform};
use super::rekey_end::{end_rekey, given_up_by_refusal};
use super::retry::Backoff;
use super::shared_state::Cluster;
use crate::state::ledger::{Ledger, RunningRekey};
use crate::state::rekey_job::{Effect, Outcome, RekeyState};
use serde_json::json;
use std::sync::Arc;
use time::OffsetDateTime;

/// Refusals of a key server in a row after which a rekey that can be given up is.
const REFUSALS_MAX: u32 = 5;

/// Runs rekeys, one after the other, until the cluster closes.
pub(crate) async fn run(cluster: Arc<Cluster>) {
    let mut changes = cluster.changes();
    let mut closing = cluster.closing();
    let mut backoff = Backoff::new(&cluster);
    let mut refusals = 0_u32;
    loop {
        changes.borrow_and_update();
        let Some(running) = cluster.read(|ledger| ledger.rekey.clone()) else {
            refusals = 0;
            tokio::select! {
                _ = changes.changed() => continue,
                _ = closing.wait_for(|closing| *closing) => return,
            }
        };
        backoff.begin_attempt();
        // To be dropped in the middle is to it like a crash, and as harmless.
        let stepped = tokio::select! {
            stepped = step(&cluster, &running) => stepped,
            _ = closing.wait_for(|closing| *closing) => return,
        };
        match stepped {
            Ok(()) | Err(RetryableError::RekeyChanged) => {
                cluster.withdraw_rekey_failures().await;
                backoff.reset(&cluster);
                refusals = 0;
            }
            Err(error) => {
                raise_fault(&cluster, &running, &error).await;
                refusals = error.refusals_after(refusals, REFUSALS_MAX);
                if refusals >= REFUSALS_MAX && running.job.can_be_abandoned() {
                    give_up(&cluster, &running, &error).await;
                    continue;
                }
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
    let Some(effect) = running.job.effect() else {
        // A job that is over is taken off the ledger where it ends.
        return cluster
            .change(|ledger| {
                end_rekey(ledger, running, None);
                Ok(())
            })
            .await;
    };
    let state = running.job.state();
    if matches!(effect, Effect::ReachKeyPlace(_)) {
        cluster.stop_rekey_before(running, state).await?;
    }
    tracing::debug!(?state, ?effect, "rekey");
    let outcome = perform(cluster, running, effect).await?;
    let next = running.job.next_state();
    if next != state {
        cluster.stop_rekey_before(running, next).await?;
    }
    cluster.change(|ledger| commit(ledger, running, &outcome)).await
}

/// The effect is done: the ring and the job move on together.
fn commit(
    ledger: &mut Ledger,
    running: &RunningRekey,
    outcome: &Outcome,
) -> Result<(), RetryableError> {
    check_unchanged(ledger, running)?;
    let mut next = running.clone();
    next.job.commit(&mut ledger.ring, outcome)?;
    if next.job.state() == RekeyState::Ready {
        let not_confirmed = match outcome {
            Outcome::NotConfirmed(reason) => Some(reason.as_str()),
            Outcome::Done | Outcome::Reached(_) | Outcome::Created(_) => None,
        };
        end_rekey(ledger, &next, not_confirmed);
        return Ok(());
    }
    let details = encryption_status::rekey_progress(ledger, &next);
    ledger.asyncs.progress(next.async_handle, details, OffsetDateTime::now_utc());
    ledger.rekey = Some(next);
    Ok(())
}

/// Gives the rekey up because its key server refuses. Its result ends with that error.
async fn give_up(cluster: &Cluster, running: &RunningRekey, error: &RetryableError) {
    tracing::warn!(%error, "the rekey is given up");
    let ended = cluster
        .change(|ledger| {
            if ledger.rekey.as_ref() != Some(running) {
                return Ok(());
            }
            given_up_by_refusal(ledger, running, error)?;
            Ok::<_, RetryableError>(())
        })
        .await;
    if let Err(error) = ended {
        tracing::error!(%error, "the rekey could not be given up");
    }
}

/// Raises the fault of this error, unless the rekey was abandoned since.
async fn raise_fault(cluster: &Cluster, running: &RunningRekey, error: &RetryableError) {
    cluster.raise_fault_while(error, |ledger| ledger.rekey.as_ref() == Some(running)).await;
}

/// Writes into the details of the async result what the rekey waits for.
async fn report_wait(cluster: &Cluster, running: &RunningRekey, error: &RetryableError) {
    let waiting_for = error.to_string();
    let changed = cluster
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
    if changed {
        tracing::warn!("rekey waiting: {}", printable(&waiting_for));
    }
}
