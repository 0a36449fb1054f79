//! End of a rekey: its result, its event, and the fault of a key whose destruction is not
//! confirmed.

use super::encryption_status;
use super::error::RetryableError;
use crate::state::async_results::AsyncError;
use crate::state::events::{EventContent, EventType};
use crate::state::faults::{FaultKind, FaultPlace};
use crate::state::key_ring::{KeyId, KeyRingError};
use crate::state::ledger::{Ledger, RunningRekey};
use crate::state::rekey_job::RekeyState;
use serde_json::json;
use time::OffsetDateTime;

/// Ends a rekey, done or abandoned: its result stays. `not_confirmed` is the reason why nothing
/// proves that the key which was to be destroyed is.
pub(super) fn end_rekey(ledger: &mut Ledger, running: &RunningRekey, not_confirmed: Option<&str>) {
    let now = OffsetDateTime::now_utc();
    let job = &running.job;
    let (outcome, message) = match &running.given_up {
        Some(error) => (Err(error.clone()), error.message.clone()),
        None => {
            let mut info = encryption_status::rekey_info(running, RekeyState::Ready);
            let mut message = "The rekey of the master key is complete.".to_owned();
            match not_confirmed {
                None => message.push_str(" The old master key is destroyed."),
                Some(reason) => {
                    let warning = not_destroyed(job.key_to_decommission(), reason);
                    message = format!("{message} {warning}");
                    if let Some(members) = info.as_object_mut() {
                        members.insert("warning".to_owned(), json!(warning));
                    }
                }
            }
            (Ok(info), message)
        }
    };
    ledger.asyncs.complete(running.async_handle, outcome, now);
    ledger.events.record(EventContent::new(EventType::EncryptionAtRestEvent, message), now);
    ledger.rekey = None;
    let destroyed = if job.is_abandoned() { job.new_key() } else { job.key_to_decommission() };
    if let Some(reason) = not_confirmed
        && !job.is_abandoned()
    {
        raise_not_destroyed(ledger, destroyed, reason, now);
    }
}

/// Gives the rekey up because a key server refuses.
///
/// # Errors
/// The ring forbids it. It should never be seen.
pub(super) fn given_up_by_refusal(
    ledger: &mut Ledger,
    running: &RunningRekey,
    error: &RetryableError,
) -> Result<(), KeyRingError> {
    let message = format!(
        "The rekey was given up because the key server refuses: {error} The present master key \
         stays in use."
    );
    let error = AsyncError { name: "xKmipServerError".to_owned(), message };
    give_up(ledger, running, error).map(drop)
}

/// Gives the rekey up, if it still can be; returns whether it was. Its result ends with the error
/// when the wrappings by the new key were removed.
///
/// # Errors
/// The ring forbids it. It should never be seen.
pub(super) fn give_up(
    ledger: &mut Ledger,
    running: &RunningRekey,
    error: AsyncError,
) -> Result<bool, KeyRingError> {
    let mut given_up = RunningRekey { given_up: Some(error), ..running.clone() };
    if !given_up.job.give_up(&mut ledger.ring)? {
        return Ok(false);
    }
    if given_up.job.state() == RekeyState::Ready {
        end_rekey(ledger, &given_up, None);
    } else {
        ledger.rekey = Some(given_up);
    }
    Ok(true)
}

/// Raises the fault of a key whose destruction is not confirmed. Returns whether that is news.
pub(super) fn raise_not_destroyed(
    ledger: &mut Ledger,
    key_id: KeyId,
    reason: &str,
    now: OffsetDateTime,
) -> bool {
    let place = place_of(ledger, key_id);
    let details = not_destroyed(key_id, reason);
    ledger.faults.raise(FaultKind::MasterKeyNotDestroyed(key_id), place, &details, now)
}

/// The key server that should have destroyed the key.
fn place_of(ledger: &Ledger, key_id: KeyId) -> FaultPlace {
    let management = ledger.ring.key(key_id).map(|record| record.management);
    let provider = management.and_then(|management| management.key_provider_id());
    let servers = provider.and_then(|id| ledger.registry.servers_of(id).ok());
    let first = servers.and_then(|servers| servers.first().map(|(id, _)| *id));
    first.map_or(FaultPlace::CLUSTER, FaultPlace::key_server)
}

fn not_destroyed(key_id: KeyId, reason: &str) -> String {
    format!(
        "The destruction of master key {key_id} is not confirmed: {reason} It is tried again in \
         the background."
    )
}
