//! The cluster: its ledger, its nodes, and what may be asked of it.

mod block_io;
pub mod certificate_monitor;
mod create;
mod encryption_status;
mod error;
mod fault_reports;
mod key_server_access;
mod master_keys;
mod node_power;
mod open;
mod rekey;
mod rekey_end;
mod rekey_worker;
mod retry;
mod settings;
mod shared_state;

pub use encryption_status::{
    DriveState, DriveStatus, EncryptionInfo, EncryptionKeyInfo, NodeStatus,
};
pub use error::{AbandonRefusal, OpenError, PowerError, RekeyRefusal};
pub use master_keys::threshold;
pub use rekey::Target;
pub use settings::{BLOCKS_PER_DRIVE_MAX, DRIVES_PER_NODE_MAX, NODES_MAX, Settings};
pub use shared_state::Cluster;
