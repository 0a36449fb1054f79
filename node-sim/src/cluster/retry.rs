//! The wait between two attempts.

use super::error::RetryableError;
use super::shared_state::Cluster;
use std::time::Duration;

/// The wait between two attempts: it doubles from the settings' least to their longest.
pub(crate) struct Backoff {
    next: Duration,
}

impl Backoff {
    pub(crate) const fn new(cluster: &Cluster) -> Self {
        Self { next: cluster.settings.retry_min }
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
    /// or, if a change may end the error, there was one. Returns false when the cluster closes.
    pub(crate) async fn wait(&mut self, cluster: &Cluster, error: &RetryableError) -> bool {
        let wait = self.next;
        self.next = self.next.saturating_mul(2).min(cluster.settings.retry_max);
        let mut changes = cluster.changes();
        let mut retries = cluster.retries.subscribe();
        let mut closing = cluster.closing.subscribe();
        tokio::select! {
            () = tokio::time::sleep(wait) => true,
            _ = retries.changed() => true,
            _ = changes.changed(), if error.ends_with_a_change() => true,
            _ = closing.wait_for(|closing| *closing) => false,
        }
    }
}
