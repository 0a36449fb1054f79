//! Log of the changes of the cluster: its events, its faults, and the states of a rekey, each once
//! and after it is durable.

use crate::state::events::EventType;
use crate::state::faults::{Fault, Severity};
use crate::state::ledger::Ledger;
use std::collections::BTreeMap;

/// Logs what a change has brought.
pub(super) fn log_changes(before: &Ledger, after: &Ledger) {
    log_rekey(before, after);
    for (kind, message) in after.events.since(&before.events) {
        let message = printable(message);
        match kind {
            EventType::ApiEvent => tracing::debug!("{message}"),
            EventType::EncryptionAtRestEvent
            | EventType::DriveEvent
            | EventType::ClusterMasterEvent
            | EventType::ServiceEvent => tracing::info!("{message}"),
        }
    }
    log_faults(before, after);
}

/// Logs the states that a rekey enters, and how it ends.
fn log_rekey(before: &Ledger, after: &Ledger) {
    let (was, is) = (before.rekey.as_ref(), after.rekey.as_ref());
    if let Some(was) = was
        && is.is_none_or(|is| is.async_handle != was.async_handle)
    {
        let async_handle = was.async_handle;
        match after.asyncs.error_name(async_handle) {
            Some(error) => tracing::info!(async_handle, "rekey ended with error {error}"),
            None => tracing::info!(async_handle, "rekey complete"),
        }
    }
    let Some(is) = is else { return };
    let same = was.filter(|was| was.async_handle == is.async_handle);
    let (async_handle, state) = (is.async_handle, is.job.state());
    if same.is_none() {
        tracing::info!(async_handle, "rekey started");
    }
    if same.is_none_or(|was| was.job.state() != state) {
        tracing::info!(async_handle, "rekey entered state {state:?}");
    }
}

fn log_faults(before: &Ledger, after: &Ledger) {
    let current = |ledger: &Ledger| -> BTreeMap<u64, Fault> {
        ledger.faults.current_faults().map(|fault| (fault.id(), fault.clone())).collect()
    };
    if before.faults == after.faults {
        return;
    }
    let (was, is) = (current(before), current(after));
    for (id, fault) in &is {
        if was.get(id) == Some(fault) {
            continue;
        }
        let (code, details) = (fault.kind().code(), printable(fault.details()));
        match fault.severity() {
            Severity::BestPractice | Severity::Warning => {
                tracing::warn!(cluster_fault_id = id, "{code}: {details}");
            }
            Severity::Error | Severity::Critical => {
                tracing::error!(cluster_fault_id = id, "{code}: {details}");
            }
        }
    }
    for (id, fault) in was.iter().filter(|(id, _)| !is.contains_key(id)) {
        tracing::info!(cluster_fault_id = id, "{} resolved", fault.kind().code());
    }
}

/// The text without control characters: parts of it come from clients and key servers.
pub(super) fn printable(text: &str) -> String {
    let escaped = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.into() };
    text.chars().map(escaped).collect()
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn control_characters_are_escaped_and_the_rest_is_left_as_it_is() {
        assert_eq!(printable("CN=a\n2026 ERROR \u{1b}[31m"), "CN=a\\n2026 ERROR \\u{1b}[31m");
        assert_eq!(printable("K\u{fc}che \"1\" \\"), "K\u{fc}che \"1\" \\");
    }
}
