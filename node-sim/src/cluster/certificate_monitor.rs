//! Monitor of the key servers' certificates: keeps the cluster faults about them up to date.

use super::certificate_rules::update;
use super::shared_state::Cluster;
use crate::config::limits::CERTIFICATE_INTERVAL;
use std::sync::Arc;
use time::OffsetDateTime;

/// Checks at once, and at intervals because certificates expire. Never ends. Changes of key
/// servers, the key pair or the providers in use are followed by [`update`].
pub(crate) async fn run(cluster: Arc<Cluster>) {
    loop {
        let now = OffsetDateTime::now_utc();
        cluster.change_if_needed(|ledger| update(ledger, now)).await;
        tokio::time::sleep(CERTIFICATE_INTERVAL).await;
    }
}
