//! Monitor of the key servers' certificates: keeps the cluster faults about them up to date.

use super::shared_state::Cluster;
use crate::config::limits::CERTIFICATE_INTERVAL;
use crate::key_server::certificate_checks::{Finding, check_client, check_root_ca};
use crate::state::error::ElementError;
use crate::state::faults::{FaultKind, FaultPlace, Faults};
use crate::state::ledger::Ledger;
use std::sync::Arc;
use time::OffsetDateTime;

/// Checks at once, after every change of key servers or the key pair, and at intervals. Never ends.
pub(crate) async fn run(cluster: Arc<Cluster>) {
    let mut changes = cluster.changes();
    loop {
        let ledger = cluster.ledger();
        if let Err(error) = update_faults(&cluster, &ledger).await {
            tracing::warn!(%error, "the faults about certificates could not be noted");
        }
        let seen = (ledger.registry.clone(), ledger.key_pair.clone());
        let passed = tokio::time::sleep(CERTIFICATE_INTERVAL);
        tokio::pin!(passed);
        loop {
            tokio::select! {
                () = &mut passed => break,
                changed = changes.changed() => if changed.is_err() { return },
            }
            if cluster.read(|now| (&now.registry, &now.key_pair) != (&seen.0, &seen.1)) {
                break;
            }
        }
    }
}

/// Updates the faults; writes the ledger only if one changes.
async fn update_faults(cluster: &Cluster, ledger: &Ledger) -> Result<(), ElementError> {
    let now = OffsetDateTime::now_utc();
    if !apply(&mut ledger.faults.clone(), &findings(ledger, now), now) {
        return Ok(());
    }
    cluster
        .change(|ledger| {
            let findings = findings(ledger, now);
            apply(&mut ledger.faults, &findings, now);
            Ok(())
        })
        .await
}

fn findings(ledger: &Ledger, now: OffsetDateTime) -> Vec<(FaultPlace, Finding)> {
    let public_key = ledger.key_pair.as_ref().and_then(|pair| pair.public_key_der());
    let look = |(id, server): (u64, &crate::state::key_server_registry::KeyServerKmip)| {
        let ca = check_root_ca(&server.ca_certificate, now);
        let client = check_client(&server.client_certificate, public_key.as_deref(), now);
        let place = FaultPlace::key_server(id);
        ca.into_iter().chain(client).map(move |finding| (place, finding))
    };
    ledger.registry.servers().flat_map(look).collect()
}

/// Raises the faults that were found, resolves the others. Returns whether one changed.
fn apply(faults: &mut Faults, findings: &[(FaultPlace, Finding)], now: OffsetDateTime) -> bool {
    let mut news = faults.resolve_where(now, |kind, place| {
        let found = findings.iter().any(|(p, finding)| *p == place && finding.kind == kind);
        matches!(kind, FaultKind::KmipCertificate(..)) && !found
    });
    for (place, finding) in findings {
        let Finding { kind, severity, details } = finding;
        news |= faults.raise_as(*kind, *place, *severity, details, now);
    }
    news
}

#[cfg(test)]
mod tests {
    use super::apply;
    use crate::key_server::certificate_checks::Finding;
    use crate::state::faults::{
        CertificateFault, FaultKind, FaultPlace, FaultTypes, Faults, KmipCertificate,
        KmipServerFault, Severity,
    };
    use crate::state::timestamps::parse;

    #[test]
    fn a_fault_lasts_as_long_as_what_was_found() {
        let now = parse("2021-01-01T00:00:00Z").unwrap();
        let expires = |days: &str, severity| Finding {
            kind: FaultKind::KmipCertificate(KmipCertificate::Client, CertificateFault::NearExpiry),
            severity,
            details: days.into(),
        };
        let place = FaultPlace::key_server(1);
        let mut faults = Faults::default();
        let away = FaultKind::KmipServer(KmipServerFault::ConnectionFailure);
        faults.raise(away, place, "away", now);
        assert!(apply(&mut faults, &[(place, expires("20 days", Severity::Warning))], now));
        assert!(!apply(&mut faults, &[(place, expires("20 days", Severity::Warning))], now));
        assert!(apply(&mut faults, &[(place, expires("5 days", Severity::Error))], now));
        assert_eq!(faults.list(FaultTypes::Current).len(), 2);
        assert!(apply(&mut faults, &[], now));
        let left = faults.list(FaultTypes::Current);
        assert_eq!(left.len(), 1, "only faults about certificates are this room's");
        assert_eq!(left[0]["code"], "kmipServerFault");
    }
}
