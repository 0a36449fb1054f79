//! Rules by which cluster faults follow from the certificates of the key servers, and the time.

use crate::key_server::certificate_checks::{Finding, check_client, check_root_ca};
use crate::state::faults::{ExpectedFaults, Fault, FaultKind, FaultPlace, Severity};
use crate::state::ledger::Ledger;
use time::OffsetDateTime;

/// Whether a change may have changed the faults: it has changed what they depend on beside the
/// time, or has cleared one.
pub(super) fn must_update(before: &Ledger, after: &Ledger) -> bool {
    let is_current = |fault: &&Fault| is_about_certificate(fault.kind());
    let count = |ledger: &Ledger| ledger.faults.current_faults().filter(is_current).count();
    (&before.registry, &before.key_pair) != (&after.registry, &after.key_pair)
        || before.ring.active_providers() != after.ring.active_providers()
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

/// A certificate of a key server that holds no key of the cluster is a warning at most.
fn findings(ledger: &Ledger, now: OffsetDateTime) -> ExpectedFaults {
    let public_key = ledger.key_pair.as_ref().and_then(|pair| pair.public_key_der());
    let mut found = ExpectedFaults::new();
    for (id, server) in ledger.registry.servers() {
        let worst =
            if ledger.is_key_server_in_use(id) { Severity::Critical } else { Severity::Warning };
        let ca = check_root_ca(&server.ca_certificate, now);
        let client = check_client(&server.client_certificate, public_key.as_deref(), now);
        for Finding { kind, severity, details } in ca.into_iter().chain(client) {
            let place = FaultPlace::key_server(id);
            found.insert((kind, place), (severity.min(worst), details));
        }
    }
    found
}
