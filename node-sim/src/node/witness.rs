//! What the files of the nodes say of the ledger: its generation when each was written.

use super::drive;
use super::drive_header::Header;
use super::folders::{folder_of, holder_of};
use super::key_share::ShareFile;
use crate::state::ledger::Ledger;
use std::path::{Path, PathBuf};

/// A file of a node that is sound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Witness {
    /// The file.
    pub(crate) path: PathBuf,
    /// The ledger's generation when it was written.
    pub(crate) generation: u64,
}

/// A header of another cluster, if there are no headers of this one: the ledger is another's.
pub(crate) fn foreign_header(folder: &Path, ledger: &Ledger) -> Option<PathBuf> {
    let mut foreign = None;
    for (node_id, record) in ledger.drives() {
        let folder = drive::folder_of(&folder_of(folder, node_id), record.drive_id);
        match Header::cluster(&folder) {
            Some(cluster) if cluster == ledger.identity.uuid => return None,
            Some(_) => drop(foreign.get_or_insert(Header::path(&folder))),
            None => {}
        }
    }
    foreign
}

/// The newest of the headers and shares of all nodes, whether they are switched on or not. Files
/// that cannot be used say nothing.
pub(crate) fn newest_witness(folder: &Path, ledger: &Ledger) -> Option<Witness> {
    let cluster = &ledger.identity.uuid;
    let mut newest: Option<Witness> = None;
    let mut keep = |witness: Witness| {
        if newest.as_ref().is_none_or(|known| known.generation < witness.generation) {
            newest = Some(witness);
        }
    };
    for (node_id, record) in &ledger.nodes {
        let node = folder_of(folder, *node_id);
        for record in &record.drives {
            let folder = drive::folder_of(&node, record.drive_id);
            if let Ok(header) = Header::read(&folder, record, cluster) {
                keep(Witness { path: Header::path(&folder), generation: header.generation() });
            }
        }
        let Some(holder) = holder_of(*node_id) else { continue };
        for key_id in ShareFile::list(&node).unwrap_or_default() {
            if let Ok(Some(share)) = ShareFile::read(&node, key_id, (holder, cluster)) {
                let path = ShareFile::path(&node, key_id);
                keep(Witness { path, generation: share.generation() });
            }
        }
    }
    newest
}
