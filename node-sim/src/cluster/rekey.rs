//! Start and abandonment of a rekey.

use super::encryption_status;
use super::error::{AbandonRekeyError, StartRekeyError};
use super::rekey_end::end_rekey;
use super::shared_state::Cluster;
use crate::state::async_results::{AsyncHandle, ResultType};
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

    /// Gives up the rekey that is running, if no data encryption key can have been wrapped anew.
    /// Its async result ends with the error `xRekeyAbandoned`, at the latest when the new key, if
    /// it may exist, was destroyed.
    ///
    /// # Errors
    /// None is running, it is too late, or the ledger could not be written.
    pub(crate) async fn abandon_rekey(&self) -> Result<AsyncHandle, AbandonRekeyError> {
        self.change(|ledger| {
            let mut running = ledger.rekey.clone().ok_or(AbandonRekeyError::NotRunning)?;
            if !running.job.abandon() {
                return Err(AbandonRekeyError::TooLate(running.job.state()));
            }
            ledger.ring.retire(running.job.new_key())?;
            let handle = running.async_handle;
            if running.job.state() == RekeyState::Ready {
                let never_made = ledger.ring.retired(running.job.new_key());
                end_rekey(ledger, &running, never_made);
            } else {
                ledger.rekey = Some(running);
            }
            Ok(handle)
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
    };
    let details =
        encryption_status::rekey_info(&ledger.ring, &running, RekeyState::CreateNewMasterKey);
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
