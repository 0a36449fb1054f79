//! Overview of the cluster: nodes, drives, master keys, key servers and the rekey.

use super::Stream;
use crate::cluster::{Cluster, DriveState, DriveStatus, drives_of};
use crate::key_server::certificate_checks::{CertificateSummary, summary};
use crate::state::faults::FaultTypes;
use crate::state::key_ring::{KeyManagement, MasterKeyRecord};
use crate::state::key_server_registry::{KeyProviderId, KeyServerId, KeyServerKmip};
use crate::state::ledger::{Ledger, RunningRekey};
use crate::state::timestamps::format_seconds;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::sync::PoisonError;
use std::time::Instant;

/// Reason of a drive whose key is being acquired.
const STARTING: &str = "the node is starting";

/// The overview of now.
pub(crate) fn overview(cluster: &Cluster, stream: &Stream) -> Map<String, Value> {
    let ledger = cluster.ledger();
    overview_of(cluster, &ledger, stream)
}

/// The overview by this ledger.
pub(crate) fn overview_of(
    cluster: &Cluster,
    ledger: &Ledger,
    stream: &Stream,
) -> Map<String, Value> {
    let in_use = ledger.ring.active_providers();
    let rekey = ledger.rekey.as_ref().map(|running| rekey_json(cluster, ledger, running, stream));
    let mut overview = stream.facts.get().cloned().unwrap_or_default();
    overview.extend([
        (
            "cluster".to_owned(),
            json!({ "name": ledger.identity.name, "uuid": ledger.identity.uuid }),
        ),
        ("clusterFaults".to_owned(), ledger.faults.list(FaultTypes::Current).into()),
        ("generation".to_owned(), ledger.generation().into()),
        ("keyPair".to_owned(), json!({ "present": ledger.key_pair.is_some() })),
        ("keyProviders".to_owned(), key_providers(ledger, &in_use)),
        ("keyServers".to_owned(), key_servers(ledger, &in_use)),
        ("lastRekey".to_owned(), last_rekey(ledger)),
        ("masterKeys".to_owned(), master_keys(ledger).into()),
        ("nodes".to_owned(), nodes(ledger).into()),
        ("rekey".to_owned(), rekey.unwrap_or_default()),
        ("rekeyControl".to_owned(), control_json(cluster)),
        ("unlocked".to_owned(), ledger.is_unlocked().into()),
    ]);
    overview
}

fn nodes(ledger: &Ledger) -> Vec<Value> {
    let drives = drives_of(ledger);
    let node = |(node_id, node): (&_, &crate::state::ledger::NodeRecord)| {
        let own = drives.iter().filter(|drive| drive.node_id == *node_id);
        json!({
            "drives": own.map(drive_json).collect::<Vec<_>>(),
            "name": node.name,
            "nodeID": node_id,
            "powered": node.powered,
        })
    };
    ledger.nodes.iter().map(node).collect()
}

fn drive_json(drive: &DriveStatus) -> Value {
    let (state, reason) = match &drive.state {
        DriveState::Active => ("active", None),
        DriveState::Starting => ("locked", Some(STARTING)),
        DriveState::Locked { reason } => ("locked", Some(reason.as_str())),
        DriveState::Absent => ("absent", None),
    };
    json!({
        "blocks": drive.blocks,
        "driveID": drive.drive_id,
        "reason": reason,
        "serial": drive.serial,
        "slot": drive.slot,
        "state": state,
        "wrappedBy": drive.wrapped_by,
        "wrappings": drive.wrappings,
    })
}

fn master_keys(ledger: &Ledger) -> Vec<Value> {
    let current = ledger.ring.current();
    let key = |(key_id, record): (_, &MasterKeyRecord)| {
        json!({
            "current": current == Some(key_id),
            "keyCreatedTime": record.created_time,
            "keyID": key_id,
            "keyManagementType": management_text(record.management),
            "keyProviderID": record.management.key_provider_id(),
            "state": record.state,
            "wraps": ledger.ring.wraps(key_id),
        })
    };
    ledger.ring.keys().map(key).collect()
}

fn management_text(management: KeyManagement) -> &'static str {
    match management {
        KeyManagement::Internal => "internal",
        KeyManagement::External { .. } => "external",
    }
}

fn key_providers(ledger: &Ledger, in_use: &BTreeSet<KeyProviderId>) -> Value {
    let provider = |(id, provider): (_, &crate::state::key_server_registry::KeyProviderKmip)| {
        json!({
            "isActive": in_use.contains(&id),
            "keyProviderID": id,
            "keyProviderName": provider.name,
            "keyServerIDs": provider.key_server_ids,
        })
    };
    ledger.registry.providers().map(provider).collect()
}

fn key_servers(ledger: &Ledger, in_use: &BTreeSet<KeyProviderId>) -> Value {
    let faults = ledger.faults.list(FaultTypes::Current);
    let server = |(id, server): (KeyServerId, &KeyServerKmip)| {
        let provider = ledger.registry.provider_of(id);
        let failure = faults.iter().find(|fault| {
            fault.pointer("/data/keyServerID").and_then(Value::as_u64) == Some(id)
                && fault.get("code").is_some_and(|code| code == "kmipServerFault")
        });
        let is_in_use = provider.is_some_and(|provider| in_use.contains(&provider));
        let health = match (failure, is_in_use) {
            (Some(_), _) => "failing",
            (None, true) => "healthy",
            // Only key servers that hold a key in use are monitored.
            (None, false) => "unknown",
        };
        json!({
            "caCertificate": certificate_json(&server.ca_certificate),
            "certificate": certificate_json(&server.client_certificate),
            "failure": failure.and_then(|fault| fault.get("details")),
            "health": health,
            "hostnames": server.hostnames,
            "keyProviderID": provider,
            "keyServerID": id,
            "name": server.name,
            "port": server.port,
        })
    };
    ledger.registry.servers().map(server).collect()
}

fn certificate_json(pem: &str) -> Value {
    let Some(CertificateSummary { subject, issuer, not_after }) = summary(pem) else {
        return Value::Null;
    };
    json!({ "issuer": issuer, "notAfter": format_seconds(not_after), "subject": subject })
}

fn rekey_json(
    cluster: &Cluster,
    ledger: &Ledger,
    running: &RunningRekey,
    stream: &Stream,
) -> Value {
    let counts = (ledger.ring.wraps(running.job.new_key()), ledger.drives().count());
    let mut pace = stream.pace.lock().unwrap_or_else(PoisonError::into_inner);
    let left = pace.left(running.async_handle, counts, Instant::now());
    let details = ledger.asyncs.details(running.async_handle);
    json!({
        "asyncHandle": running.async_handle,
        "control": control_json(cluster),
        "drivesRewrapped": counts.0,
        "drivesTotal": counts.1,
        "keyToDecommission": running.job.key_to_decommission(),
        "millisecondsLeft": left,
        "newKey": running.job.new_key(),
        "operation": running.operation,
        "state": running.job.state(),
        "waitingFor": details.and_then(|details| details.get("waitingFor")),
    })
}

/// The rekey that ended last, while its result is kept.
fn last_rekey(ledger: &Ledger) -> Value {
    let ended = ledger.encryption.rekey_async_handle.filter(|h| ledger.asyncs.is_complete(*h));
    ended.map_or(Value::Null, |async_handle| {
        let error = ledger.asyncs.error_name(async_handle);
        json!({ "asyncHandle": async_handle, "error": error })
    })
}

/// Pace and stop of rekeys that are set, and what a rekey is stopped before now.
pub(crate) fn control_json(cluster: &Cluster) -> Value {
    let control = cluster.rekey_control();
    let settings = control.settings();
    json!({
        "millisecondsPerDrive": settings.milliseconds_per_drive,
        "stopBefore": settings.stop_before,
        "stoppedBefore": control.stopped_before(),
    })
}
