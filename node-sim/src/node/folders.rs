//! Folders of nodes, and their points among the holders of shares.

use crate::state::key_ring::NodeId;
use std::path::{Path, PathBuf};

/// The folder of this node in the cluster's folder.
#[must_use]
pub(crate) fn folder_of(cluster: &Path, id: NodeId) -> PathBuf {
    cluster.join(format!("node-{id}"))
}

/// A node's point among the holders of shares: its id, from 1 to 255.
pub(super) fn holder_of(id: NodeId) -> Option<u8> {
    u8::try_from(id.0).ok()
}
