//! Monitor of the key servers that hold a master key in use: a server that is away, or does not
//! show the key, is a fault before the next power cycle needs it.
//!
//! At intervals, and whenever waiting tasks are woken, each host is asked for each key; the key
//! itself is not fetched. What a node reports of the same server is not said twice, see
//! [`super::fault_rules`].

use super::shared_state::Cluster;
use crate::key_server::{HostReport, KeyProviderAccess, KeyServerError};
use crate::state::faults::{FaultKind, FaultPlace, KmipServerFault, Severity};
use crate::state::key_ring::{KeyId, KeyState};
use crate::state::key_server_registry::KeyProviderId;
use crate::state::ledger::Ledger;
use crate::state::observations::{Failure, Failures, Source};
use kmip::vocabulary::State;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The master keys in use of each provider, each with its Unique Identifier.
type KeysInUse = BTreeMap<KeyProviderId, Vec<(KeyId, Option<String>)>>;

/// Checks at intervals until the cluster closes.
pub(crate) async fn run(cluster: Arc<Cluster>) {
    let mut closing = cluster.closing();
    let mut retries = cluster.retries.subscribe();
    loop {
        tokio::select! {
            () = tokio::time::sleep(cluster.settings.key_server_check_interval) => {}
            _ = retries.changed() => {}
            _ = closing.wait_for(|closing| *closing) => return,
        }
        tokio::select! {
            () = check(&cluster) => {}
            _ = closing.wait_for(|closing| *closing) => return,
        }
    }
}

/// Looks for every key in use at every host, and reports what is wrong.
async fn check(cluster: &Cluster) {
    let (keys, node_id) = cluster.read(|ledger| (keys_in_use(ledger), ledger.master_node()));
    let mut failures = Failures::new();
    for (provider_id, keys) in keys {
        let provider = match cluster.provider_access(node_id, provider_id) {
            Ok(provider) => provider,
            Err(error) => {
                let place = FaultPlace::CLUSTER;
                failures.insert(place, failure(error.fault, Severity::Error, error.message));
                continue;
            }
        };
        for server in &provider.servers {
            let alone = KeyProviderAccess { servers: vec![server.clone()], ..provider.clone() };
            if let Some(failure) = look(cluster, &alone, &keys).await {
                failures.insert(FaultPlace::key_server(server.key_server_id), failure);
            }
        }
    }
    cluster.observe(|_, observed| observed.report(Source::Monitor, failures.clone())).await;
}

fn keys_in_use(ledger: &Ledger) -> KeysInUse {
    let mut keys = KeysInUse::new();
    for (key_id, record) in ledger.ring.keys() {
        if let Some(provider) = record.management.key_provider_id()
            && record.state == KeyState::InUse
        {
            keys.entry(provider).or_default().push((key_id, record.identifier.clone()));
        }
    }
    keys
}

/// What is wrong at the hosts of one server: an error if no host shows a key, else a warning.
async fn look(
    cluster: &Cluster,
    server: &KeyProviderAccess,
    keys: &[(KeyId, Option<String>)],
) -> Option<Failure> {
    let mut found: Option<Failure> = None;
    for (key_id, identifier) in keys {
        let reports = cluster.key_servers.survey(server, *key_id, identifier.as_deref()).await;
        let wrong: Vec<_> = reports.iter().filter_map(|report| wrong(report, *key_id)).collect();
        let Some((kind, _)) = wrong.first() else { continue };
        let is_shown = wrong.len() < reports.len();
        let severity = if is_shown { Severity::Warning } else { Severity::Error };
        let causes: Vec<_> = wrong.iter().map(|(_, cause)| cause.as_str()).collect();
        let details = format!("{}.", causes.join("; "));
        if found.is_none() || severity == Severity::Error {
            found = Some(failure(*kind, severity, details));
        }
    }
    found
}

/// What is wrong with what a host shows.
fn wrong(report: &HostReport, key_id: KeyId) -> Option<(KmipServerFault, String)> {
    let host = &report.host;
    match &report.shown {
        Ok(Some(key)) if key.state == State::Active => None,
        Ok(Some(key)) => {
            let cause = format!("{host}: shows master key {key_id}, in use, as {:?}", key.state);
            Some((KmipServerFault::ServerError, cause))
        }
        Ok(None) => {
            let cause = format!("{host}: does not show master key {key_id}, which is in use");
            Some((KmipServerFault::ServerError, cause))
        }
        Err(KeyServerError { fault, message, .. }) => {
            Some((*fault, message.trim_end_matches('.').to_owned()))
        }
    }
}

const fn failure(kind: KmipServerFault, severity: Severity, details: String) -> Failure {
    Failure { kind: FaultKind::KmipServer(kind), severity, details }
}
