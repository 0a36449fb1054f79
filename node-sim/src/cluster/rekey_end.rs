//! End of a rekey: its result, and the key ring without the key that was destroyed.

use super::encryption_status;
use super::fault_reports::resolve_faults_of_servers;
use crate::state::async_results::AsyncError;
use crate::state::events::{EventContent, EventType};
use crate::state::key_ring::RetiredKey;
use crate::state::ledger::{Ledger, RunningRekey};
use crate::state::rekey_job::RekeyState;
use time::OffsetDateTime;

/// Ends a rekey, done or abandoned: its result stays, and the key that was destroyed goes.
pub(super) fn end_rekey(
    ledger: &mut Ledger,
    running: &RunningRekey,
    destroyed: Option<RetiredKey>,
) {
    let now = OffsetDateTime::now_utc();
    let (outcome, message) = if running.job.is_abandoned() {
        let message = "The rekey was given up before any data encryption key was wrapped by the \
                       new master key. The present master key stays in use.";
        let error = AsyncError { name: "xRekeyAbandoned".to_owned(), message: message.to_owned() };
        (Err(error), message)
    } else {
        let info = encryption_status::rekey_info(&ledger.ring, running, RekeyState::Ready);
        (Ok(info), "The rekey of the master key is complete. The old master key is gone.")
    };
    ledger.asyncs.complete(running.async_handle, outcome, now);
    ledger.events.record(EventContent::new(EventType::EncryptionAtRestEvent, message), now);
    if let Some(key) = destroyed {
        ledger.ring.remove(&key);
        if let Some(provider) = key.management().key_provider_id()
            && !ledger.ring.active_providers().contains(&provider)
        {
            let servers = ledger.registry.servers_of(provider).unwrap_or_default();
            let servers: Vec<_> = servers.into_iter().map(|(id, _)| id).collect();
            resolve_faults_of_servers(ledger, &servers);
        }
    }
    ledger.rekey = None;
}
