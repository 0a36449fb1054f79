//! Reading and writing the drives' blocks.

use super::shared_state::Cluster;
use crate::node::{BlockError, Drive, Node};
use crate::state::key_ring::DriveId;
use std::sync::Arc;

impl Cluster {
    /// Reads whole blocks of a drive from `lba` on.
    ///
    /// # Errors
    /// The drive is absent or locked, or has no such blocks.
    pub(crate) async fn read_blocks(
        &self,
        drive_id: DriveId,
        lba: u64,
        mut bytes: Vec<u8>,
    ) -> Result<Vec<u8>, BlockError> {
        self.with_drive(drive_id, move |drive| {
            drive.read(lba, &mut bytes)?;
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
        self.with_drive(drive_id, move |drive| drive.write(lba, &bytes)).await
    }

    /// Makes durable what was written to a drive.
    ///
    /// # Errors
    /// The drive is absent or locked, or the file system refuses.
    pub(crate) async fn flush(&self, drive_id: DriveId) -> Result<(), BlockError> {
        self.with_drive(drive_id, Drive::flush).await
    }

    /// How many bytes are used on the drives of the nodes that are switched on.
    #[must_use]
    pub(crate) fn used_bytes(&self) -> u64 {
        let nodes = self.running_nodes();
        let used = |node: &Arc<Node>| node.drives().iter().map(Drive::used_bytes).sum::<u64>();
        nodes.iter().map(used).sum()
    }

    async fn with_drive<T: Send + 'static>(
        &self,
        drive_id: DriveId,
        act: impl FnOnce(&Drive) -> Result<T, BlockError> + Send + 'static,
    ) -> Result<T, BlockError> {
        let has = |node: &Arc<Node>| node.drives().iter().position(|d| d.id() == drive_id);
        let found = self.running_nodes().into_iter().find_map(|node| Some((has(&node)?, node)));
        let (index, node) = found.ok_or(BlockError::Absent)?;
        let done = tokio::task::spawn_blocking(move || {
            act(node.drives().get(index).ok_or(BlockError::Absent)?)
        });
        done.await.unwrap_or_else(|join| Err(std::io::Error::other(join.to_string()).into()))
    }
}
