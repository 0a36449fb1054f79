//! Rules by which cluster faults follow from the certificates of the key servers, and the time.

use crate::key_server::certificate_checks::{Finding, check_client, check_root_ca};
use crate::state::faults::{
    CertificateFault, ExpectedFaults, Fault, FaultKind, FaultPlace, KmipCertificate, Severity,
};
use crate::state::ledger::Ledger;
use time::OffsetDateTime;

/// Whether a change may have changed the faults: it has changed what they depend on beside the
/// time, or has cleared one.
pub(super) fn must_update(before: &Ledger, after: &Ledger) -> bool {
    let is_current = |fault: &&Fault| is_about_certificate(fault.kind());
    let count = |ledger: &Ledger| ledger.faults.current_faults().filter(is_current).count();
    (&before.registry, &before.key_pair) != (&after.registry, &after.key_pair)
        || before.ring.active_providers() != after.ring.active_providers()
        || before.observed.key_pair_damage() != after.observed.key_pair_damage()
        || count(before) != count(after)
}

const fn is_about_certificate(kind: FaultKind) -> bool {
    matches!(kind, FaultKind::KmipCertificate(..))
}

/// Updates the faults. Returns whether one changed.
pub(super) fn update(ledger: &mut Ledger, now: OffsetDateTime) -> bool {
    let findings = findings(ledger, now);
    ledger.faults.update(is_about_certificate, findings, now)
}

/// A certificate of a key server that holds no key of the cluster is a warning at most, and so is a
/// private key while no key server holds one.
fn findings(ledger: &Ledger, now: OffsetDateTime) -> ExpectedFaults {
    let public_key = ledger.key_pair.as_ref().and_then(|pair| pair.public_key_der());
    let mut found = ExpectedFaults::new();
    let worst_of = |in_use| if in_use { Severity::Critical } else { Severity::Warning };
    if let Some(details) = ledger.observed.key_pair_damage() {
        let mut servers = ledger.registry.servers();
        let worst = worst_of(servers.any(|(id, _)| ledger.is_key_server_in_use(id)));
        let kind = FaultKind::KmipCertificate(KmipCertificate::Client, CertificateFault::Error);
        found.insert((kind, FaultPlace::CLUSTER), (worst, details.to_owned()));
    }
    for (id, server) in ledger.registry.servers() {
        let worst = worst_of(ledger.is_key_server_in_use(id));
        let ca = check_root_ca(&server.ca_certificate, now);
        let client = check_client(&server.client_certificate, public_key.as_deref(), now);
        for Finding { kind, severity, details } in ca.into_iter().chain(client) {
            let place = FaultPlace::key_server(id);
            found.insert((kind, place), (severity.min(worst), details));
        }
    }
    found
}
