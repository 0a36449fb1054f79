//! Reading and writing the drives' blocks.

use super::shared_state::Cluster;
use crate::node::{BlockError, BlockFile, Drive, Node};
use crate::state::faults::FaultPlace;
use crate::state::key_ring::DriveId;
use std::sync::Arc;

impl Cluster {
    /// Reads whole blocks of a drive from `lba` on.
    ///
    /// # Errors
    /// The drive is absent or locked, or has no such blocks, or one of them is damaged.
    pub(crate) async fn read_blocks(
        &self,
        drive_id: DriveId,
        lba: u64,
        mut bytes: Vec<u8>,
    ) -> Result<Vec<u8>, BlockError> {
        self.with_blocks(drive_id, move |blocks| {
            blocks.read(lba, &mut bytes)?;
            Ok(bytes)
        })
        .await
    }

    /// Writes whole blocks of a drive from `lba` on. They are durable after [`Self::flush`].
    ///
    /// # Errors
    /// The drive is absent or locked, or has no such blocks.
    pub(crate) async fn write_blocks(
        &self,
        drive_id: DriveId,
        lba: u64,
        bytes: Vec<u8>,
    ) -> Result<(), BlockError> {
        self.with_blocks(drive_id, move |blocks| blocks.write(lba, &bytes)).await
    }

    /// Makes durable what was written to a drive.
    ///
    /// # Errors
    /// The drive is absent or locked, or the file system refuses.
    pub(crate) async fn flush(&self, drive_id: DriveId) -> Result<(), BlockError> {
        self.with_blocks(drive_id, BlockFile::flush).await
    }

    /// How many bytes are used on the drives of the nodes that are switched on.
    #[must_use]
    pub(crate) fn used_bytes(&self) -> u64 {
        let nodes = self.running_nodes();
        let used = |node: &Arc<Node>| node.drives().iter().map(Drive::used_bytes).sum::<u64>();
        nodes.iter().map(used).sum()
    }

    /// Does something with the blocks of a drive, and reports what it shows of damaged ones.
    async fn with_blocks<T: Send + 'static>(
        &self,
        drive_id: DriveId,
        act: impl FnOnce(&BlockFile) -> Result<T, BlockError> + Send + 'static,
    ) -> Result<T, BlockError> {
        let has = |node: &Arc<Node>| node.drives().iter().position(|d| d.id() == drive_id);
        let found = self.running_nodes().into_iter().find_map(|node| Some((has(&node)?, node)));
        let (index, node) = found.ok_or(BlockError::Absent)?;
        let blocks = node.drives().get(index).ok_or(BlockError::Absent)?.blocks()?;
        let place = FaultPlace::drive(u64::from(node.id()), u64::from(drive_id));
        let used = Arc::clone(&blocks);
        let done = tokio::task::spawn_blocking(move || {
            let outcome = act(&used);
            used.search_damage(|| node.has_unlocked(index));
            outcome
        });
        let done = done.await;
        self.report_damage(place, &blocks).await;
        done.unwrap_or_else(|join| Err(std::io::Error::other(join.to_string()).into()))
    }
}
