//! Start and abandonment of a rekey.

use super::encryption_status;
use super::error::{AbandonRekeyError, StartRekeyError};
use super::rekey_end::give_up;
use super::shared_state::Cluster;
use crate::state::async_results::{AsyncError, AsyncHandle, ResultType};
use crate::state::events::{EventContent, EventType};
use crate::state::key_ring::{KeyId, KeyManagement};
use crate::state::key_server_registry::KeyProviderId;
use crate::state::ledger::{Ledger, RunningRekey};
use crate::state::rekey_job::{RekeyJob, RekeyState};
use crate::state::timestamps;
use time::OffsetDateTime;

/// Place of the new master key of a rekey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RekeyTarget {
    /// A new key where the present one is.
    Same,
    /// A key in shares on the cluster's nodes.
    Internal,
    /// A key at this provider.
    External(KeyProviderId),
}

impl Cluster {
    /// Begins a rekey and gives the handle of its async result. The new key's name is in the
    /// ledger before anybody is asked to make it.
    ///
    /// # Errors
    /// One is running, the target does not exist, or the ledger could not be written.
    pub(crate) async fn start_rekey(
        &self,
        target: RekeyTarget,
    ) -> Result<AsyncHandle, StartRekeyError> {
        self.change(|ledger| begin_rekey(ledger, target)).await
    }

    /// Gives up the rekey that is running, if no wrapping by the old master key can have been
    /// removed. Its async result ends with the error `xRekeyAbandoned` when the wrappings by the
    /// new key, if there are any, were removed.
    ///
    /// # Errors
    /// None is running, it is too late, or the ledger could not be written.
    pub(crate) async fn abandon_rekey(&self) -> Result<AsyncHandle, AbandonRekeyError> {
        self.change(|ledger| {
            let running = ledger.rekey.clone().ok_or(AbandonRekeyError::NotRunning)?;
            let message = "The rekey was given up. The present master key stays in use.";
            let error =
                AsyncError { name: "xRekeyAbandoned".to_owned(), message: message.to_owned() };
            if give_up(ledger, &running, error)? {
                Ok(running.async_handle)
            } else {
                Err(AbandonRekeyError::TooLate(running.job.state()))
            }
        })
        .await
    }
}

fn begin_rekey(ledger: &mut Ledger, target: RekeyTarget) -> Result<AsyncHandle, StartRekeyError> {
    if let Some(running) = &ledger.rekey {
        return Err(StartRekeyError::InProgress { async_handle: running.async_handle });
    }
    let old_key = ledger.ring.current().ok_or(StartRekeyError::NotEnabled)?;
    let from = ledger.ring.key(old_key).map_or(KeyManagement::Internal, |record| record.management);
    let to = match target {
        RekeyTarget::Same => from,
        RekeyTarget::Internal => KeyManagement::Internal,
        RekeyTarget::External(key_provider_id) => KeyManagement::External { key_provider_id },
    };
    if let KeyManagement::External { key_provider_id } = to {
        ledger.registry.servers_of(key_provider_id)?;
    }
    let new_key = KeyId::random();
    let now = OffsetDateTime::now_utc();
    ledger.ring.plan(new_key, to, timestamps::format_seconds(now));
    let running = RunningRekey {
        job: RekeyJob::new(new_key, old_key),
        async_handle: 0,
        operation: encryption_status::rekey_operation(from, to),
        from,
        to,
        given_up: None,
    };
    let details = encryption_status::rekey_info(&running, RekeyState::CreateNewMasterKey);
    let async_handle =
        ledger.asyncs.start(ResultType::RekeySoftwareEncryptionAtRestMasterKey, details, now);
    ledger.encryption.rekey_async_handle = Some(async_handle);
    record(ledger, &running.operation);
    ledger.rekey = Some(RunningRekey { async_handle, ..running });
    Ok(async_handle)
}

fn record(ledger: &mut Ledger, message: &str) {
    let content = EventContent::new(EventType::EncryptionAtRestEvent, message);
    ledger.events.record(content, OffsetDateTime::now_utc());
}
