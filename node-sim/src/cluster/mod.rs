//! The cluster: changes of its ledger, the task of each node, the rekey worker and cluster faults.
//!
//! ```text
//! open ---> create (first time)
//!      +--> node_power, one task a node ---+
//!      +--> rekey_worker, one task --------+--> master_keys -> key servers, shares on the nodes
//!      +--> pending_destruction, one task -+
//!                                          +--> fault_reports, retry
//! every change ---> fault_rules -> faults, events -> ledger -> change_log
//! ```
//!
//! All tasks share [`Cluster`], whose file says how the ledger is read and changed.

mod block_damage;
mod block_io;
pub(crate) mod certificate_monitor;
mod certificate_rules;
mod change_log;
mod create;
mod encryption_status;
mod error;
mod fault_reports;
mod fault_rules;
mod key_server_access;
mod key_server_changes;
mod key_server_monitor;
mod key_shares;
mod master_keys;
mod node_power;
mod open;
mod pending_destruction;
mod rekey;
mod rekey_control;
mod rekey_effects;
mod rekey_end;
mod rekey_pause;
mod rekey_worker;
mod retry;
mod settings;
mod shared_state;
#[cfg(test)]
mod tests;

pub(crate) use crate::state::observations::DriveState;
pub(crate) use encryption_status::{DriveStatus, drives_of};
pub(crate) use error::{AbandonRekeyError, ForgetKeyError, PowerError, StartRekeyError};
pub(crate) use rekey::RekeyTarget;
pub(crate) use rekey_control::{
    MILLISECONDS_PER_DRIVE_MAX, RekeyControlChange, RekeyControlSettings, STOPS, stop_by_name,
};
pub(crate) use settings::ClusterSettings;
pub(crate) use shared_state::Cluster;
