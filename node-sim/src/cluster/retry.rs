//! The wait between two attempts.

use super::error::RetryableError;
use super::shared_state::Cluster;
use std::time::Duration;
use tokio::sync::watch;

/// The wait between two attempts: it doubles from the settings' least to their longest.
pub(crate) struct Backoff {
    next: Duration,
    changes: watch::Receiver<u64>,
    retries: watch::Receiver<u64>,
}

impl Backoff {
    pub(crate) fn new(cluster: &Cluster) -> Self {
        let (changes, retries) = (cluster.changes(), cluster.retries.subscribe());
        Self { next: cluster.settings.retry_min, changes, retries }
    }

    /// Notes that an attempt begins. What changes from now on ends the wait after it: the attempt
    /// may have read the old values.
    pub(crate) fn begin_attempt(&mut self) {
        self.changes.borrow_and_update();
        self.retries.borrow_and_update();
    }

    pub(crate) const fn reset(&mut self, cluster: &Cluster) {
        self.next = cluster.settings.retry_min;
    }

    /// Waits after an attempt in the background, until the time is up or [`Cluster::retry_now`] was
    /// called. Returns false when the cluster closes.
    pub(crate) async fn wait_long(&mut self, cluster: &Cluster) -> bool {
        let wait = self.next;
        self.next = self.next.saturating_mul(2).min(cluster.settings.retry_max);
        let mut retries = cluster.retries.subscribe();
        let mut closing = cluster.closing.subscribe();
        tokio::select! {
            () = tokio::time::sleep(wait) => true,
            _ = retries.changed() => true,
            _ = closing.wait_for(|closing| *closing) => false,
        }
    }

    /// Waits until the next attempt makes sense: the time is up, [`Cluster::retry_now`] was called,
    /// or, if a change may end the error, there was one since the attempt began. Returns false when
    /// the cluster closes.
    pub(crate) async fn wait(&mut self, cluster: &Cluster, error: &RetryableError) -> bool {
        let wait = self.next;
        self.next = self.next.saturating_mul(2).min(cluster.settings.retry_max);
        let mut closing = cluster.closing.subscribe();
        tokio::select! {
            () = tokio::time::sleep(wait) => true,
            _ = self.retries.changed() => true,
            _ = self.changes.changed(), if error.ends_with_a_change() => true,
            _ = closing.wait_for(|closing| *closing) => false,
        }
    }
}
