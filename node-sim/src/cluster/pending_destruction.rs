//! Destruction, in the background, of master keys that were given up and that nothing proves to be
//! destroyed.
//!
//! Such a key is retired: no drive needs it, and no rekey waits for it. Its provider stays active,
//! and its fault stays, until a key server that shows the key destroys it, or shows it as
//! destroyed, or an operator confirms that it is gone. A key that was never put in use, and that
//! its host neither answered to have created nor has shown, may never have been created: if no key
//! server shows it, twice and further apart than a Create can be late, it is taken for not created.
//! That host must be among those that were asked, under the same client certificate.

use super::error::ForgetKeyError;
use super::rekey_end::raise_not_destroyed;
use super::retry::Backoff;
use super::shared_state::Cluster;
use crate::key_server::Destruction;
use crate::state::events::{EventContent, EventType};
use crate::state::key_ring::{KeyId, RetiredKey};
use crate::state::ledger::{Ledger, LedgerError};
use std::collections::BTreeMap;
use std::sync::Arc;
use time::OffsetDateTime;
use tokio::time::Instant;

/// When each key was first not shown by any key server.
type Absent = BTreeMap<KeyId, Instant>;

/// Runs until the cluster closes.
pub(crate) async fn run(cluster: Arc<Cluster>) {
    let mut changes = cluster.changes();
    let mut closing = cluster.closing();
    let mut backoff = Backoff::new(&cluster);
    let mut absent = Absent::new();
    loop {
        changes.borrow_and_update();
        if cluster.read(pending).is_empty() {
            backoff.reset(&cluster);
            absent.clear();
            tokio::select! {
                _ = changes.changed() => continue,
                _ = closing.wait_for(|closing| *closing) => return,
            }
        }
        tokio::select! {
            () = attempt(&cluster, &mut absent) => {}
            _ = closing.wait_for(|closing| *closing) => return,
        }
        if !cluster.read(pending).is_empty() && !backoff.wait_long(&cluster).await {
            return;
        }
    }
}

/// The retired keys that no rekey is destroying.
fn pending(ledger: &Ledger) -> Vec<RetiredKey> {
    let job = ledger.rekey.as_ref().map(|running| &running.job);
    let of_rekey =
        |key: KeyId| job.is_some_and(|j| [j.new_key(), j.key_to_decommission()].contains(&key));
    ledger.ring.all_retired().filter(|key| !of_rekey(key.key_id())).collect()
}

/// Tries each key once.
async fn attempt(cluster: &Cluster, absent: &mut Absent) {
    for key in cluster.read(pending) {
        let key_id = key.key_id();
        let not_confirmed = match cluster.destroy_master_key(&key).await {
            Ok(Destruction::Confirmed) => {
                let message = format!("Master key {key_id} is destroyed");
                forget(cluster, key_id, message).await;
                continue;
            }
            Ok(Destruction::NotConfirmed { origin_asked: true, .. })
                if is_not_created(cluster, &key, absent) =>
            {
                let message = format!("Master key {key_id} was not created");
                forget(cluster, key_id, message).await;
                continue;
            }
            Ok(Destruction::NotConfirmed { reason, origin_asked }) => {
                if !origin_asked {
                    absent.remove(&key_id);
                }
                reason
            }
            // It will be tried again; what the key server's own fault says is not repeated.
            Err(error) => {
                absent.remove(&key_id);
                error.to_string()
            }
        };
        if !key.was_created() && absent.contains_key(&key_id) {
            continue;
        }
        cluster
            .change_if_needed(|ledger| {
                let now = OffsetDateTime::now_utc();
                ledger.ring.retired(key_id).is_some()
                    && raise_not_destroyed(ledger, key_id, &not_confirmed, now)
            })
            .await;
    }
}

/// Whether a key of which nothing shows that it was created has not been shown for longer than a
/// Create can be late.
fn is_not_created(cluster: &Cluster, key: &RetiredKey, absent: &mut Absent) -> bool {
    let now = Instant::now();
    let since = absent.entry(key.key_id()).or_insert(now);
    !key.was_created() && now.duration_since(*since) >= cluster.settings.create_late_max
}

async fn forget(cluster: &Cluster, key_id: KeyId, message: String) {
    let forgotten = cluster.change(|ledger| {
        remove(ledger, key_id, &message);
        Ok::<_, LedgerError>(())
    });
    if let Err(error) = forgotten.await {
        tracing::error!(%error, "the ledger keeps a master key that is gone");
    }
}

fn remove(ledger: &mut Ledger, key_id: KeyId, message: &str) {
    let Some(key) = ledger.ring.retired(key_id) else { return };
    ledger.ring.remove(&key);
    let content = EventContent::new(EventType::EncryptionAtRestEvent, message.to_owned());
    ledger.events.record(content, OffsetDateTime::now_utc());
}

impl Cluster {
    /// Takes a key off the ledger whose destruction could not be confirmed, on the word of an
    /// operator who has seen at the key server that it is gone.
    ///
    /// # Errors
    /// The key is needed or its destruction is under way, or the ledger could not be written.
    pub(crate) async fn forget_master_key(&self, key_id: KeyId) -> Result<(), ForgetKeyError> {
        self.change(|ledger| {
            if ledger.ring.key(key_id).is_none() {
                return Err(ForgetKeyError::Unknown(key_id));
            }
            if !pending(ledger).iter().any(|key| key.key_id() == key_id) {
                return Err(ForgetKeyError::Needed(key_id));
            }
            let message = format!("Master key {key_id} was reported as destroyed by an operator");
            remove(ledger, key_id, &message);
            Ok(())
        })
        .await
    }
}
