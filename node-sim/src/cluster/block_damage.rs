//! Cluster fault of a drive that has a damaged block: raised when the block is read, resolved when
//! no block of the drive is damaged any more.

use super::shared_state::Cluster;
use crate::node::{BlockFile, Damage, Node};
use crate::state::events::{EventContent, EventType};
use crate::state::faults::{FaultKind, FaultPlace};
use crate::state::ledger::{Ledger, LedgerError};
use std::sync::Arc;
use time::OffsetDateTime;

const KIND: FaultKind = FaultKind::BlocksDegraded;

impl Cluster {
    /// Searches the blocks of the node's unlocked drives that have the fault, or whose files are
    /// not as they should be: an operator may have put a file back, or removed it, while the drive
    /// was locked.
    pub(super) async fn search_damage(&self, node: &Arc<Node>) {
        for (index, drive) in node.drives().iter().enumerate() {
            let Ok(blocks) = drive.blocks() else { continue };
            let place = FaultPlace::drive(u64::from(node.id()), u64::from(drive.id()));
            let known = self.read(|ledger| ledger.faults.is_current(KIND, place));
            let (searched, node) = (Arc::clone(&blocks), Arc::clone(node));
            let search = tokio::task::spawn_blocking(move || {
                searched.suspect_damage(known);
                searched.search_damage(|| node.has_unlocked(index));
            });
            if search.await.is_ok() {
                self.report_damage(place, &blocks).await;
            }
        }
    }

    /// Raises or resolves the fault of a drive by what is known of its blocks. The ledger is
    /// written only if that is news.
    pub(super) async fn report_damage(&self, place: FaultPlace, blocks: &BlockFile) {
        match blocks.damage() {
            Damage::None | Damage::Unknown { .. } => return,
            Damage::Found { details, .. } => {
                if self.read(|ledger| ledger.faults.is_current_as(KIND, place, &details)) {
                    return;
                }
            }
            Damage::Repaired => {}
        }
        let changed = self.change(|ledger| {
            let news = apply(ledger, place, blocks);
            if news { Ok(()) } else { Err(None::<LedgerError>) }
        });
        if let Err(Some(_)) = changed.await {
            // The fault is as it was: the next read or write of the drive tries again.
            blocks.suspect_damage(true);
        }
    }
}

/// Brings the fault in step with the blocks. Returns whether it changed.
fn apply(ledger: &mut Ledger, place: FaultPlace, blocks: &BlockFile) -> bool {
    let now = OffsetDateTime::now_utc();
    let (news, message) = match blocks.damage() {
        Damage::None | Damage::Unknown { .. } => return false,
        Damage::Found { lba, details } => {
            tracing::error!(drive_id = place.drive_id, %details, "a block of a drive is damaged");
            let message = format!("Block {lba} of the drive is damaged");
            (ledger.faults.raise(KIND, place, &details, now), message)
        }
        Damage::Repaired => {
            blocks.damage_resolved();
            let message = "No block of the drive is damaged any more".to_owned();
            (ledger.faults.resolve(KIND, place, now), message)
        }
    };
    if news {
        let content = EventContent::new(EventType::DriveEvent, message);
        ledger.events.record(content.on_node(place.node_id).on_drive(place.drive_id), now);
    }
    news
}
