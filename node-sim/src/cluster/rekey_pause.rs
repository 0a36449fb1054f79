//! Pauses of the rekey worker: where the control's pace and stop hold a rekey.
//!
//! A pause ends when the rekey is changed in the ledger, so that one that was given up goes on to
//! its end. The worker drops a pause when the cluster closes.

use super::encryption_status;
use super::error::RetryableError;
use super::shared_state::Cluster;
use crate::state::ledger::{Ledger, RunningRekey};
use crate::state::rekey_job::RekeyState;
use serde_json::json;
use time::OffsetDateTime;

impl Cluster {
    /// Waits until the rekey may move into this state. While it is stopped, the details of its
    /// async result say so. A rekey that was given up is not stopped.
    ///
    /// # Errors
    /// The rekey was changed meanwhile.
    pub(super) async fn stop_rekey_before(
        &self,
        running: &RunningRekey,
        next: RekeyState,
    ) -> Result<(), RetryableError> {
        let handle = running.async_handle;
        if running.job.is_abandoned() || !self.rekey_control.holds(handle, next) {
            return Ok(());
        }
        tracing::info!(state = ?running.job.state(), before = ?next, "rekey stopped");
        let stop = async {
            tokio::join!(
                self.rekey_control.pass(handle, next),
                self.show_stop(running, Some(next))
            );
        };
        let passed = tokio::select! {
            () = stop => Ok(()),
            () = self.rekey_changed(running) => Err(RetryableError::RekeyChanged),
        };
        self.show_stop(running, None).await;
        passed
    }

    /// Waits until the next drive of a rewrap is due.
    ///
    /// # Errors
    /// The rekey was changed meanwhile.
    pub(super) async fn pace_rekey(&self, running: &RunningRekey) -> Result<(), RetryableError> {
        tokio::select! {
            () = self.rekey_control.pace() => Ok(()),
            () = self.rekey_changed(running) => Err(RetryableError::RekeyChanged),
        }
    }

    /// Waits until the ledger has another rekey than this, or none.
    async fn rekey_changed(&self, running: &RunningRekey) {
        let mut changes = self.changes();
        loop {
            changes.borrow_and_update();
            if self.read(|ledger| ledger.rekey.as_ref() != Some(running)) {
                return;
            }
            // An error means that the cluster is gone.
            if changes.changed().await.is_err() {
                return;
            }
        }
    }

    /// Writes into the details of the async result what the rekey is stopped before, if it is.
    /// The rekey may have been changed, but it must be the same.
    async fn show_stop(&self, stopped: &RunningRekey, before: Option<RekeyState>) {
        let handle = stopped.async_handle;
        let show = |ledger: &mut Ledger| {
            let Some(running) = ledger.rekey.as_ref().filter(|r| r.async_handle == handle) else {
                return false;
            };
            let mut details = encryption_status::rekey_progress(ledger, running);
            if let (Some(before), Some(members)) = (before, details.as_object_mut()) {
                members.insert("stoppedBefore".to_owned(), json!(before));
            }
            if ledger.asyncs.details(handle) == Some(&details) {
                return false;
            }
            ledger.asyncs.progress(handle, details, OffsetDateTime::now_utc());
            true
        };
        self.change_if_needed(show).await;
    }
}
